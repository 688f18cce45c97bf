"""What a reader's query may touch, decided on the tree that the engine itself parsed.

A read-only connection already refuses writes and `file()`, `url()`, `remote()`, `executable()` as tables. It
lets through `merge()` (which reads past filters), the scalar `file()` (which reads any file) and the engine's
own tables. A second parser would see some texts otherwise than the engine does; `EXPLAIN AST` can't.
"""

import re
from collections.abc import Iterator, Mapping

from clickhouse.front.engine import Connection
from clickhouse.front.errors import DatabaseError
from clickhouse.front.statement import tokens

VIEW_PREFIX = "q_"
"""Our parameterised views begin with it; no table function of ClickHouse does."""

TABLE_FUNCTIONS = frozenset(
    {"numbers", "numbers_mt", "zeros", "zeros_mt", "generateseries", "generate_series", "primes"}
    | {"values", "sqlstandardvalues", "view", "null", "generaterandom", "format"}
)
FORBIDDEN_FUNCTIONS = re.compile(
    r"file|joinget\w*|dict\w*|catboostevaluate|ai[a-z]*|.*(?:nettest|executable).*", re.I
)

SYSTEM_TABLES = frozenset(
    {
        "aggregate_function_combinators",
        "build_options",
        "collations",
        "columns",
        "completions",
        "contributors",
    }
    | {"data_skipping_indices", "data_type_families", "databases", "dictionaries", "documentation", "formats"}
    | {
        "functions",
        "keywords",
        "licenses",
        "macros",
        "numbers",
        "numbers_mt",
        "one",
        "parts",
        "parts_columns",
    }
    | {"settings", "merge_tree_settings", "table_engines", "table_functions", "tables", "time_zones", "zeros"}
    | {"zeros_mt", "views", "clusters"}
)

_ROOTS = frozenset(
    {
        "SelectWithUnionQuery",
        "SelectIntersectExceptQuery",
        "SelectQuery",
        "ShowTables",
        "ShowColumns",
        "ShowFunctions",
    }
    | {"ShowIndexes", "ShowCreateTableQuery", "ShowCreateViewQuery", "ShowCreateDatabaseQuery", "ShowSetting"}
    | {
        "ShowEngineQuery",
        "DescribeQuery",
        "ExistsTableQuery",
        "ExistsViewQuery",
        "ExistsDatabaseQuery",
        "Explain",
    }
)
_NODE = re.compile(r"(?P<indent> *)(?P<kind>\w+)(?: (?P<name>\S+))?")


def check(connection: Connection, query: bytes, params: Mapping[str, str], database: str) -> None:
    """Refuse a reader's query that touches what is not a reader's.

    Raises:
        DatabaseError: 497 for what is refused, the engine's own error for what can't be parsed.
    """
    if database.lower() == "system":
        raise _denied("the database system can't be a reader's own: name its tables in full")
    names = (token.text for token in tokens(query) if token.kind == "quoted")
    values = (value.encode() for value in params.values())
    if any(b"\\" in name or re.search(rb"[\x00-\x1f]", name) for name in names):
        raise _denied("a quoted name may not hold control characters or a backslash")
    if b"Identifier}" in query.replace(b" ", b"") and any(re.search(rb"[\x00-\x1f`\"\\]", v) for v in values):
        raise _denied("an Identifier parameter may not hold control characters, quotes or a backslash")
    tree = connection.query(b"EXPLAIN AST " + query, "TSVRaw", params).bytes().decode(errors="replace")
    for reason in refusals(tree):
        raise _denied(reason)


def refusals(tree: str) -> Iterator[str]:
    """Why a tree, as `EXPLAIN AST` writes it, may not run; nothing when it may."""
    parents: dict[int, str] = {}
    for number, line in enumerate(tree.splitlines()):
        node = _NODE.match(line)
        if node is None:
            continue
        depth, kind, name = len(node["indent"]), node["kind"], (node["name"] or "")
        parents[depth] = kind
        if number == 0 and kind not in _ROOTS:
            yield f"only queries that read are allowed, not {kind}"
        last = name.lower().rpartition(".")[2]
        if kind == "Set" and parents.get(depth - 1) != "Explain":
            yield "SETTINGS may only stand at the end of the query"
        if kind == "Function" and parents.get(depth - 1) == "TableExpression":
            if last not in TABLE_FUNCTIONS and not last.startswith(VIEW_PREFIX):
                yield f"the table function {name} is not a reader's"
        elif kind == "Function" and FORBIDDEN_FUNCTIONS.fullmatch(last):
            yield f"the function {name} is not a reader's"
        elif kind in ("TableIdentifier", "Identifier"):
            owner, _, table = name.lower().partition(".")
            if owner == "system" and table and table.partition(".")[0] not in SYSTEM_TABLES:
                yield f"the table {name} is not a reader's"


def _denied(reason: str) -> DatabaseError:
    return DatabaseError(497, "ACCESS_DENIED", f"Not enough privileges: {reason}.")
