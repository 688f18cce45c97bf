"""The sizes by which searches are bounded, and how the engine's syntax trees are read."""

import pytest

from clickhouse.http_server.call_bounds import may_search, pattern_size
from clickhouse.http_server.syntax_tree import arguments, read_tree

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

    assert [node.literal for node in arguments(nodes, function)] == ["", "'x (alias y'"]
    assert nodes[-1].literal == "'(alias b)'"
    assert [node.place for node in arguments(nodes, function)] == [0, 1]


def test_a_query_with_the_name_of_a_search_may_search() -> None:
    assert may_search(b"SELECT a ilike 'b'")
    assert not may_search(b"SELECT positions, alike FROM t")
