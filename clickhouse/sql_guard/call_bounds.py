"""Bounds the arguments of functions whose calls no time limit ends.

The engine checks its limits between blocks of rows, not within the call of a function for one block. A search
takes time that grows with the product of the lengths of both texts, so one call on a few computed megabytes
takes minutes. Therefore:

- What is searched for is a literal or a parameter of at most `MAX_NEEDLE` characters. Then even a text that
  takes all memory of a query is searched within about two seconds.
- How long a search by a regular expression, by a LIKE pattern with wildcards inside, or for the text of a
  column takes, depends on the other text. Its query may not build long texts or arrays, and its blocks are
  small. So it is with a search for a different value in each row (`has(list, column)`): one long list would
  be searched for every row of a block.
- A path into JSON is a literal that names one place. The engine tries every number of a range (`[0 to 9]`),
  and it counts from the first element to each one of an array (`[*]`).
"""

import re
from collections.abc import Iterator, Sequence

from clickhouse.sql_guard import allowlists
from clickhouse.sql_guard.syntax_tree import IN, Node, arguments

MAX_SEARCHED_LENGTH = 1_000
"""Characters of the shorter array of a search in an array (`hasAny`)."""
MAX_NEEDLE = 128
"""Characters of a text that a query may search for anywhere."""
MAX_PATTERN = 1_000
"""Characters of a regular expression or a LIKE pattern."""
MAX_PATTERN_SIZE = 500
"""The size of a regular expression whose repetitions (`{n,m}`) are written out."""
MAX_LITERALS = 2_000
"""Characters of all literals, but lists after IN, of a query that searches by a pattern."""
MAX_GROWTH = 4
"""How many times as long as a column's text a text may become by `concat` and `replace`, in such a query."""
PATTERN_BLOCK_ROWS = 8_192
"""The rows of a block of such a query, at most."""

_SHORT = frozenset({"array", "_cast", "concat", "lower", "upper", "lowerutf8", "upperutf8", "tostring"}) | {
    *("cast", "tuple", "todate", "todatetime", "todatetime64", "touuid", "negate")
}
"""Functions whose result is about as long as their arguments."""
_CONCAT = frozenset({"concat", "concatassumeinjective", "arrayconcat", "mapconcat"})
_REPLACE = frozenset({"replace", "replaceall", "replaceone", "replaceregexpall", "replaceregexpone"}) | {
    "regexp_replace"
}
_CASTS = {
    **dict.fromkeys(("cast", "_cast", "accuratecast", "accuratecastornull", "accuratecastordefault"), 1),
    **dict.fromkeys(("reinterpret", "kqlparametercast", "variantelement", "dynamicelement"), 1),
    "defaultvalueoftypename": 0,
}
"""Functions and the place of the argument that names a type."""
_AGGREGATES_BY_NAME = frozenset({"arrayreduce", "arrayreduceinranges", "initializeaggregation"})
_LONG_TABLES = frozenset({"system.licenses", "system.documentation", "system.build_options"})
_ONLY_AT_BEGINNING = re.compile(r"'\^(?:[^\\\[\](){}*+?|]|\[[^\\\[\]]+\]|\{\d+\})*\$?'")
"""A regular expression that reads a fixed number of characters at the beginning of a text."""
_PATH = re.compile(r"""'\$?(?:\.(?:[\w-]+|"[^"\\]*")|\[ *(?:\d+|"[^"\\]*"|\\'[^'\\]*\\') *\])*'""")
_COUNTED = re.compile(r"\{(\d+)(?:,(\d*))?\}")
_SEARCH_WORD = re.compile(
    rb"\b(?:%b)\b" % b"|".join(name.encode() for name in sorted({*allowlists.SEARCHES, "regexp"})),
    re.IGNORECASE,
)


def may_search(text: bytes) -> bool:
    """Return whether a query may contain a search: whether it has the name of one."""
    return _SEARCH_WORD.search(text) is not None


def function_name_refusals(nodes: Sequence[Node]) -> Iterator[str]:
    """Yield a reason for each name or type that hides a function which readers may not call so.

    The engine calls a function whose name is an argument of a higher-order function (`arrayMap(file, ...)`),
    or in a string (`arrayReduce('sum', ...)`).
    """
    for node in nodes:
        function = node.function
        if function is None:
            continue
        name, caller = node.name.lower(), function.name.lower()
        if node.kind == "Identifier" and (
            name in allowlists.REFUSED_FUNCTIONS
            or (caller in allowlists.HIGHER_ORDER_FUNCTIONS and name in allowlists.BOUNDED_FUNCTIONS)
        ):
            yield (
                f"{node.name} is a function that may not be passed by its name; a column of this name needs "
                f"the name of its table before it: t.{node.name}"
            )
        if caller in _AGGREGATES_BY_NAME and node.place == 0:
            called = re.match(r"'(\w+)", node.literal)
            if called is None or not allowlists.is_function(called[1]):
                yield f"{function.name} needs the literal name of an aggregate function for readers"
        if _CASTS.get(caller) == node.place and (
            not node.literal.startswith("'") or "AggregateFunction" in node.literal
        ):
            yield (
                f"{function.name} needs a type that is written out as a literal, "
                "and that is no state of an aggregate function"
            )


def search_refusals(nodes: Sequence[Node]) -> Iterator[str]:
    """Yield a reason for each search that may take too long."""
    by_pattern: Node | None = None
    for node in nodes:
        name = node.name.lower()
        if node.kind != "Function":
            continue
        if name in allowlists.SEARCH_FUNCTIONS:
            lengths = [_length(each) for each in arguments(node)[:2]]
            if not any(length is not None and length <= MAX_SEARCHED_LENGTH for length in lengths):
                yield (
                    f"{node.name} needs a list of at most {MAX_SEARCHED_LENGTH:,} characters as one of its "
                    "arguments: write a literal or a parameter"
                )
        elif search := allowlists.SEARCHES.get(name):
            reason, is_pattern = _search_refusal(node, *search)
            if reason:
                yield reason
            if is_pattern:
                by_pattern = by_pattern or node
    if by_pattern is not None:
        for reason in _building_refusals(nodes):
            yield f"a query with {by_pattern.name} by a pattern, or for a value of each row, {reason}"


def _search_refusal(function: Node, number: int, kind: str) -> tuple[str, bool]:
    """Return the reason to refuse a search, or an empty text, and whether it searches by a pattern."""
    given = arguments(function)
    if len(given) < number:
        return "", False  # the engine refuses it
    varies = sum(_length(each) is None for each in given) > 1
    if kind == "value":
        return "", varies
    needle = given[number - 1]
    if kind == "path":
        if _PATH.fullmatch(needle.literal) and len(needle.literal) <= MAX_PATTERN:
            return "", False
        return f"{function.name} needs a literal path to one place, without * and ranges", False
    length = _length(needle)
    if kind == "text":
        if length is not None and length > MAX_PATTERN:
            return f"{function.name} searches for a text of at most {MAX_PATTERN:,} characters", False
        return "", length is None or length > MAX_NEEDLE or varies
    if length is None and kind == "like":
        return "", True
    if length is None or (kind == "regex" and needle.kind != "Literal"):
        return f"{function.name} needs a pattern that is a literal or a parameter", True
    if length > MAX_PATTERN:
        return f"the pattern of {function.name} may have at most {MAX_PATTERN:,} characters", True
    if kind == "regex" and pattern_size(needle.literal) > MAX_PATTERN_SIZE:
        return f"the pattern of {function.name} repeats too much: write smaller numbers into {{n,m}}", True
    if kind == "regex" and _ONLY_AT_BEGINNING.fullmatch(needle.literal):
        return "", False
    if kind == "like" and needle.kind == "Literal":
        return "", length > MAX_NEEDLE or re.search(r"[%_\\]", needle.literal[1:-1].strip("%")) is not None
    return "", True


def _building_refusals(nodes: Sequence[Node]) -> Iterator[str]:
    """Yield what a query with a search by a pattern may not do."""
    literals, growth = 0, 1
    for node in nodes:
        name = node.name.lower()
        if node.kind == "Literal":
            is_list = node.place == 1 and node.function is not None and IN.fullmatch(node.function.name)
            literals += 0 if is_list else len(node.literal)
        elif node.kind == "TableIdentifier" and name in _LONG_TABLES:
            yield f"may not read {node.name}"
        elif node.kind != "Function":
            continue
        elif allowlists.is_building(name):
            yield f"may not build long texts or lists with {node.name}: do this in another query"
        elif name in _CONCAT:
            growth *= max(1, sum(each.kind != "Literal" for each in arguments(node)))
        elif name in _REPLACE:
            by = arguments(node)[2:3]
            growth *= max(1, len(by[0].literal) - 2) if by and by[0].kind == "Literal" else MAX_GROWTH + 1
    if growth > MAX_GROWTH:
        yield f"may not make texts more than {MAX_GROWTH} times as long by concat and replace"
    if literals > MAX_LITERALS:
        yield f"may have literals of at most {MAX_LITERALS:,} characters"


def pattern_size(pattern: str) -> int:
    """Return the characters of a regular expression whose counted repetitions are written out.

    >>> pattern_size("a{3}(bc{2}){10}")
    46
    """
    sizes, last, at = [0], 0, 0
    while at < len(pattern):
        character = pattern[at]
        counted = _COUNTED.match(pattern, at)
        step = counted.end() - at if counted else 2 if character == "\\" else 1
        if counted:
            sizes[-1] += last * (max(int(counted[2] or 0), int(counted[1])) - 1)
            last *= max(int(counted[2] or 0), int(counted[1]), 1)
        elif character == "(":
            sizes.append(0)
        elif character == ")" and len(sizes) > 1:
            last = sizes.pop() + 2
            sizes[-1] += last
        else:
            last = 1
            sizes[-1] += 1
        at += step
    return sum(sizes)


def _length(top: Node) -> int | None:
    """Return the characters of an argument that consists of literals; None for any other."""
    length, left = 0, [top]
    while left:
        node = left.pop()
        if node.kind == "Literal":
            length += len(node.literal)
        elif (node.kind != "Function" or node.name.lower() not in _SHORT) and node.kind != "ExpressionList":
            return None
        left += node.children
    return length
