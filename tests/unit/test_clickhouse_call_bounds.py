"""The sizes by which searches are bounded, and how the engine's syntax trees are read."""

import sys
from types import FrameType

import pytest

from clickhouse.sql_guard.call_bounds import may_search, pattern_size, search_refusals
from clickhouse.sql_guard.syntax_tree import arguments, read_tree

TREE = """SelectWithUnionQuery (children 1)
 ExpressionList (children 1)
  Function position (alias p) (children 1)
   ExpressionList (children 2)
    Identifier a
    Literal 'x (alias y' (alias z)
  Literal '(alias b)'
"""


@pytest.mark.parametrize(
    ("pattern", "size"),
    [
        ("abc", 3),
        (r"\d+", 2),
        (r"\d{4}-\d{2}", 7),
        ("a{3}(bc{2}){10}", 53),
        ("(a?){500}a{500}b", 2501),
        ("((a{100}){100}){100}", 1_020_200),
        ("a{5,}", 5),
        ("a{,5}", 5),
        ("{", 1),
        ("(", 0),
        (")", 1),
    ],
)
def test_the_size_of_a_pattern_counts_its_repetitions(pattern: str, size: int) -> None:
    assert pattern_size(pattern) == size


def test_a_literal_of_a_tree_ends_before_its_alias() -> None:
    nodes = read_tree(TREE)
    (function,) = (node for node in nodes if node.kind == "Function")

    assert [node.literal for node in arguments(function)] == ["", "'x (alias y'"]
    assert nodes[-1].literal == "'(alias b)'"
    assert [node.place for node in arguments(function)] == [0, 1]


def test_the_check_of_searches_looks_at_each_node_a_few_times() -> None:
    """However deep they are in each other: the check holds up every other query of the server."""
    depth, width = 200, 50
    lines = ["SelectWithUnionQuery (children 1)"]
    for level in range(1, 2 * depth, 2):
        lines += [f"{' ' * level}Function replaceAll", f"{' ' * (level + 1)}ExpressionList"]
        lines += [f"{' ' * (level + 2)}Literal 'a'"] * width
    nodes, looks = read_tree("\n".join(lines)), 0

    def looked(_frame: FrameType, event: str, _value: object) -> None:
        nonlocal looks
        looks += event == "call"

    sys.setprofile(looked)
    try:
        assert list(search_refusals(nodes)) == []
    finally:
        sys.setprofile(None)
    assert looks < 20 * len(nodes)


@pytest.mark.parametrize(
    ("path", "is_allowed"),
    [
        (r"'$.a[0].b'", True),
        (r"'$[\'a\'][ 2 ]'", True),
        ("""'$."a b"'""", True),
        ("'a'", False),
        ("'$[*]'", False),
        ("'$[0 to 9]'", False),
        ("'$[1, 2]'", False),
        ("'$[1/**/to/**/4]'", False),
        ("'$.*'", False),
    ],
)
def test_a_path_into_json_names_one_place(path: str, is_allowed: bool) -> None:
    tree = f"Function JSON_VALUE (children 1)\n ExpressionList (children 2)\n  Identifier a\n  Literal {path}"
    assert (list(search_refusals(read_tree(tree))) == []) == is_allowed


def test_a_query_with_the_name_of_a_search_may_search() -> None:
    assert may_search(b"SELECT a ilike 'b'")
    assert not may_search(b"SELECT positions, alike FROM t")
