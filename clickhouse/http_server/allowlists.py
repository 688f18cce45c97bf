"""Lists of what readers may use: settings, formats, functions, tables of `system`.

`lists/` holds one name a line; what is on no list is refused. A test reports the names that a new version of
the engine adds.
"""

from pathlib import Path

_LISTS = Path(__file__).with_name("lists")

_SUFFIXES = (
    *("if", "array", "foreach", "ordefault", "ornull", "distinct", "map", "tuple", "state", "merge"),
    *("simplestate", "resample", "null", "argmin", "argmax"),
)
"""The engine's aggregate function combinators, in lower case: `sum` makes `sumIf` and `sumIfOrNull`."""
_SYNTAX = frozenset({"lambda", "exists", "grouping", "untuple"})
"""Functions in the tree of a query that the engine's own list of functions does not have."""


def _names(file: str) -> frozenset[str]:
    lines = (_LISTS / file).read_text(encoding="utf-8").splitlines()
    return frozenset(line for line in lines if not line.startswith("#"))


SETTINGS = _names("settings.txt")
FORMATS = _names("formats.txt")
FUNCTIONS = frozenset(map(str.lower, _names("functions.txt")))
"""In lower case, as `REFUSED_FUNCTIONS`: some names the engine takes in any case."""
REFUSED_FUNCTIONS = frozenset(map(str.lower, _names("functions_refused.txt")))
TABLE_FUNCTIONS = _names("table_functions.txt")
STRUCTURED_TABLE_FUNCTIONS = frozenset({"values", "generaterandom"})
"""Table functions whose first argument may be a string that describes columns."""
SYSTEM_TABLES = _names("system_tables.txt")
STATEMENTS = _names("statements.txt")


def is_function(name: str) -> bool:
    """Whether a reader may call it: a function of the list, or an aggregate of the list with suffixes."""
    name = name.lower()
    if name in REFUSED_FUNCTIONS:
        return False
    if name in FUNCTIONS or name in _SYNTAX:
        return True
    return any(name.endswith(end) and is_function(name.removesuffix(end)) for end in _SUFFIXES)
