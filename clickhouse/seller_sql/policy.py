"""Checks a seller's query by the syntax tree that the engine parsed, after the checks of any reader.

This is the second wall: the query runs in a process that has no row of another seller, no file and no network
(`walls.py`). The check allows one SELECT over the views in which every row belongs to a seller. Statements,
kinds of nodes, tables, functions and table functions must be on a list.
"""

import itertools
import re
from collections.abc import Iterator, Sequence

from clickhouse.analytics.catalogue import read_views
from clickhouse.sql_guard import allowlists
from clickhouse.sql_guard.errors import DatabaseError
from clickhouse.sql_guard.statement import Query, Token, tokens
from clickhouse.sql_guard.syntax_tree import tree_lines

_STATEMENTS = frozenset({"SelectWithUnionQuery", "SelectQuery", "SelectIntersectExceptQuery"})
_NODES = _STATEMENTS | frozenset(
    {
        *("ExpressionList", "WithElement", "Subquery", "TablesInSelectQuery", "TablesInSelectQueryElement"),
        *(
            "TableExpression",
            "TableIdentifier",
            "TableJoin",
            "ArrayJoin",
            "Identifier",
            "Literal",
            "Function",
        ),
        *("Asterisk", "QualifiedAsterisk", "ColumnsTransformerList", "ColumnsExceptTransformer"),
        *("ColumnsReplaceTransformer", "ColumnsReplaceTransformer::Replacement", "QueryParameter"),
        *("OrderByElement", "InterpolateElement", "WindowListElement", "WindowDefinition"),
    }
)
"""The kinds of nodes that a seller's query may have."""

_TABLE_FUNCTIONS = frozenset({"numbers", "generate_series", "generateseries", "zeros"})
_NODE = re.compile(r" *(?P<kind>[\w:]+)(?: (?P<name>\S+))?(?P<rest>.*)")
_ALIAS = re.compile(r"\(alias ([^\s)]+)")
_IN = re.compile(r"(?:global)?(?:not)?(?:null)?in(?:ignoreset)?", re.IGNORECASE)


def check(query: Query, tree: str, database: str) -> None:
    """Check a seller's query. `tree` is what `EXPLAIN AST` prints of it; `database` that of the views.

    Raises:
        DatabaseError: 497; the message says what to write instead.
    """
    found = list(tokens(query.core))
    for reason in itertools.chain(
        _clause_refusals(query, found), refusals(tree, database, with_names(found))
    ):
        raise DatabaseError(497, "ACCESS_DENIED", f"{reason}.")


def with_names(found: Sequence[Token]) -> frozenset[str]:
    """Return the names that WITH may define as tables: each name before `AS (`."""
    names = set()
    for name, as_, bracket in zip(found, found[1:], found[2:], strict=False):
        if name.kind in ("word", "quoted") and as_.text.upper() == b"AS" and bracket.text == b"(":
            names.add(name.text.strip(b'"`').decode(errors="replace"))
    return frozenset(names)


def _clause_refusals(query: Query, found: Sequence[Token]) -> Iterator[str]:
    """Yield the reasons to refuse the clauses at the end of a query, and its names."""
    if query.settings:
        yield f"Remove {', '.join(query.settings)} and SETTINGS: sellers may not change settings"
    if query.format:
        yield "Remove FORMAT: the header Accept chooses between JSON, CSV and Parquet"
    for token in found:
        if token.kind == "quoted" and b"." in token.text:
            yield f"A name may not contain a dot: {token.text.decode(errors='replace')}"
        if token.kind == "word" and token.text == b"Identifier":
            yield "A parameter may not be an Identifier: write the names into the query"


def refusals(tree: str, database: str, defined: frozenset[str]) -> Iterator[str]:
    """Yield the reasons to refuse a tree; `defined` are the names that the query's WITH defines."""
    above: list[tuple[str, str]] = []
    arguments: dict[int, int] = {}
    aliases = frozenset(_ALIAS.findall(tree))
    for number, line in enumerate(tree_lines(tree)):
        node = _NODE.fullmatch(line)
        depth = len(line) - len(line.lstrip(" "))
        if node is None or depth > len(above):
            yield "The query can't be read: write it in a simpler way"
            return
        kind, name = node["kind"], node["name"] or ""
        del above[depth:]
        above.append((kind, name))
        arguments[depth] = arguments.get(depth, 0) + 1
        arguments[depth + 1] = 0
        parent = above[depth - 1] if depth else ("", "")
        function = above[depth - 2] if depth > 1 else ("", "")
        if (number == 0 and kind not in _STATEMENTS) or kind not in _NODES:
            yield "Write one SELECT: other statements and clauses are not available to sellers" + _named(kind)
        elif kind == "TableIdentifier":
            yield from _table_refusals(name, database, defined)
        elif kind == "Function" and parent[0] == "TableExpression":
            if name.lower() not in _TABLE_FUNCTIONS:
                yield f"The table function {name} is not available to sellers: select from {_views()}"
        elif kind == "Function" and name.lower() in allowlists.SELLER_REFUSED_FUNCTIONS:
            yield f"The function {name} is not available to sellers"
        elif (
            kind == "Identifier"
            and arguments[depth] == 2
            and function[0] == "Function"
            and _IN.fullmatch(function[1])
        ):
            # The second argument of IN may be a table, which the tree does not tell from a column.
            # If it is an alias of another name, it may be the table of that name.
            if name in aliases:
                yield f"The name {name} after IN is an alias: write a subquery or a list"
            yield from _table_refusals(name, database, defined)


def _table_refusals(name: str, database: str, defined: frozenset[str]) -> Iterator[str]:
    """Yield the reason to refuse a table, which a query names with or without its database."""
    owner, dot, table = name.rpartition(".")
    views = read_views()
    if (not dot or owner == database) and table in views:
        if not views[table].is_of_sellers:
            yield (
                f"The view {table} has rows of the whole marketplace, which sellers may not read: "
                f"select from {_views()}"
            )
    elif dot or name not in defined:
        yield f"There is no view {name}: select from {_views()}"


def _views() -> str:
    names = [name for name, view in read_views().items() if view.is_of_sellers]
    return f"{', '.join(names[:-1])} or {names[-1]}"


def _named(kind: str) -> str:
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", kind.removesuffix("Query"))
    return f" ({words})" if words else ""
