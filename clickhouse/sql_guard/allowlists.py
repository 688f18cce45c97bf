"""Lists of what readers may use: settings, formats, functions, tables of `system`.

A file of `lists/` has one name per line; all other names are refused. A test reports the names that a new
version of the engine adds.
"""

from pathlib import Path

_LISTS = Path(__file__).with_name("lists")

_SUFFIXES = (
    *("if", "array", "foreach", "ordefault", "ornull", "distinct", "map", "tuple", "state", "merge"),
    *("simplestate", "resample", "null", "argmin", "argmax"),
)
"""The engine's aggregate function combinators, in lower case: `sum` makes `sumIf` and `sumIfOrNull`."""
_SYNTAX = frozenset({"lambda", "exists", "grouping", "untuple"})
"""Functions in the syntax tree of a query that are not in the engine's list of functions."""


def _names(file: str) -> frozenset[str]:
    lines = (_LISTS / file).read_text(encoding="utf-8").splitlines()
    return frozenset(line for line in lines if not line.startswith("#"))


SETTINGS = _names("settings.txt")
FORMATS = _names("formats.txt")
FUNCTIONS = frozenset(map(str.lower, _names("functions.txt")))
"""In lower case, like `REFUSED_FUNCTIONS`, because the engine accepts some names in any case."""
REFUSED_FUNCTIONS = frozenset(map(str.lower, _names("functions_refused.txt")))
SELLER_REFUSED_FUNCTIONS = frozenset(map(str.lower, _names("seller_functions_refused.txt")))
"""Functions that other readers may call, but not sellers (`clickhouse/seller_sql/policy.py`)."""
SEARCH_FUNCTIONS = frozenset(map(str.lower, _names("search_functions.txt")))
"""Functions that search an array for another one. One of the two must be short (`reader_policy`)."""
SEARCHES: dict[str, tuple[int, str]] = {
    name.lower(): (int(number), kind) for name, number, kind in map(str.split, _names("searches.txt"))
}
"""Function → the number of the argument that it searches for, and its kind: text, like, regex."""
BUILDING_FUNCTIONS = frozenset(map(str.lower, _names("building_functions.txt")))
HIGHER_ORDER_FUNCTIONS = frozenset(map(str.lower, _names("higher_order_functions.txt")))
BOUNDED_FUNCTIONS = SEARCH_FUNCTIONS | SEARCHES.keys() | {"arrayreduce", "initializeaggregation"}
"""Functions that a reader may call with some arguments only (`call_bounds`), so not by their name."""
TABLE_FUNCTIONS = _names("table_functions.txt")
STRUCTURED_TABLE_FUNCTIONS = frozenset({"values", "generaterandom"})
"""Table functions whose first argument may be a string that describes columns."""
SYSTEM_TABLES = _names("system_tables.txt")
STATEMENTS = _names("statements.txt")


def is_function(name: str) -> bool:
    """Return whether a reader may call a function: one of the list, or one of the list with suffixes."""
    name = name.lower()
    if name in REFUSED_FUNCTIONS:
        return False
    if name in FUNCTIONS or name in _SYNTAX:
        return True
    return any(name.endswith(end) and is_function(name.removesuffix(end)) for end in _SUFFIXES)


def is_building(name: str) -> bool:
    """Return whether a function may return more than it gets: one of the list, with or without suffixes."""
    name = name.lower()
    return name in BUILDING_FUNCTIONS or any(
        name.endswith(end) and is_building(name.removesuffix(end)) for end in _SUFFIXES
    )
