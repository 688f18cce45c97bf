"""Checks a reader's query by the syntax tree that the engine parsed.

This check is the last of three, after the engine's grants (`config.py`) and the confinement of the process
(`confinement.py`). Each reader's connection also has `readonly = 1`. The check refuses what these allow but
readers may not use: `merge()`, which reads past row filters, tables of other databases, and the engine's own
tables. Statements, functions, table functions, databases and tables of `system` must be on an allowlist.

The tree comes from `EXPLAIN AST`, because a second parser would parse some texts differently. The tree
contains neither the clauses of `SHOW` nor the contents of strings. Therefore the tokens are checked, too, and
each string that describes columns. Outside quotes only ASCII is allowed, because `statement.tokens` and the
engine split ASCII in the same way.
"""

import itertools
import re
from collections.abc import Iterator, Mapping
from typing import Any, Protocol

from clickhouse.http_server import allowlists
from clickhouse.http_server.errors import DatabaseError
from clickhouse.http_server.readable_databases import ReadableDatabases
from clickhouse.http_server.statement import Token, tokens

VIEW_PREFIX = "q_"
"""Prefix of the parameterised views (`clickhouse/views.py`); no table function of ClickHouse has it."""

_REFUSED_WORDS = allowlists.REFUSED_FUNCTIONS - {"nested"}
"""Names that may not precede a bracket; `Nested(` may, because it is also a type."""
_EXPLAIN = b"EXPLAIN AST "
_POSITION = re.compile(r"(failed at position |\(line 1, col )(\d+)")
_NODE = re.compile(r"(?P<indent> *)(?P<kind>\w+)(?: (?P<name>\S+))?(?P<rest>.*)")
_QUOTED_ONLY = re.compile(rb"[^\t\n\x0b\f\r\x20-\x23\x25-\x7e]")
"""Bytes that are allowed inside quotes only: control characters, non-ASCII bytes, and `$`."""
_STRUCTURE = re.compile(r"'(?:[\w ,()=.+\-\"`]|\\[nt'])*'", re.ASCII)
_EXPRESSION = re.compile(r"\b(?:ALIAS|DEFAULT|MATERIALIZED|EPHEMERAL|CODEC|TTL)\b", re.IGNORECASE)


MAX_SEARCHED_LENGTH = 1_000
"""Characters of the shorter array of a search function. The engine can't stop a search within one value."""
_IN = re.compile(r"(?:global)?(?:not)?(?:null)?in(?:ignoreset)?", re.IGNORECASE)
"""The functions of `IN`."""
_SHORT = frozenset({"array", "_cast"})
"""Functions whose result is about as long as their arguments."""


class Connection(Protocol):
    """A connection of an engine, in this process or in that of a seller's query."""

    def query(self, text: bytes, format_name: str = ..., params: Mapping[str, str] | None = ...) -> Any:
        """Run one statement and return chdb's result."""


def check(
    connection: Connection,
    query: bytes,
    params: Mapping[str, str],
    database: str,
    readable: ReadableDatabases,
) -> str:
    """Check a reader's query; its comments must be blanked out (`statement.without_comments`).

    `database` is the current database, or empty for the engine's default.

    Returns:
        The syntax tree of the query, as `EXPLAIN AST` prints it.

    Raises:
        DatabaseError: 497 if readers may not run the query; the engine's error if it can't be parsed.
    """
    if database.lower() == "system":
        raise _denied("the database system can't be the current database: write system.<table>")
    if database and database not in readable:
        raise _denied(f"readers may not read the database {database}")
    query_tokens = list(tokens(query))
    for reason in _token_refusals(query_tokens):
        raise _denied(reason)
    names = (token.text for token in query_tokens if token.kind == "quoted")
    values = (value.encode() for value in params.values())
    if any(b"\\" in name or re.search(rb"[\x00-\x1f]", name) for name in names):
        raise _denied("a quoted name may not contain control characters or a backslash")
    if b"Identifier}" in query.replace(b" ", b"") and any(re.search(rb"[\x00-\x1f`\"\\]", v) for v in values):
        raise _denied("an Identifier parameter may not contain control characters, quotes or a backslash")
    tree = _tree(connection, query, params)
    for reason in itertools.chain(refusals(tree), _database_refusals(tree, readable), _search_refusals(tree)):
        raise _denied(reason)
    if tree.startswith("Show") and any(t.text == b"(" or t.is_word(b"WHERE") for t in query_tokens):
        raise _denied("SHOW may have neither WHERE nor brackets: query the tables of system instead")
    return tree


def _tree(connection: Connection, query: bytes, params: Mapping[str, str]) -> str:
    """Return the syntax tree of a query. Positions in an error are positions in the query."""
    try:
        tree: str = connection.query(_EXPLAIN + query, "TSVRaw", params).bytes().decode(errors="replace")
        return tree
    except DatabaseError as error:
        message = _POSITION.sub(lambda place: f"{place[1]}{int(place[2]) - len(_EXPLAIN)}", error.message)
        raise DatabaseError(error.code, error.name, message) from None


def tree_lines(tree: str) -> list[str]:
    """Return the lines of a tree, one per node.

    The engine escapes a line feed in a string. `str.splitlines` would also split at characters that it does
    not escape, such as a vertical tab, so that a string could contain further nodes.
    """
    return tree.rstrip("\n").split("\n")


def _token_refusals(query_tokens: list[Token]) -> Iterator[str]:
    """Yield the reasons to refuse the tokens of a query."""
    for token in query_tokens:
        if token.kind == "heredoc" or (token.kind == "sign" and _QUOTED_ONLY.fullmatch(token.text)):
            yield f"{token.text[:1]!r} at byte {token.start} is allowed inside quotes only"
    for token, after in itertools.pairwise(query_tokens):
        name = token.text.strip(b'"`').decode(errors="replace")
        if token.kind in ("word", "quoted") and after.text == b"(" and name.lower() in _REFUSED_WORDS:
            yield f"readers may not call {name}"
        if token.is_word(b"FORMAT") and after.kind == "quoted":
            yield "the name of a format may not be quoted"


def refusals(tree: str) -> Iterator[str]:
    """Yield the reasons to refuse a tree, in the form that `EXPLAIN AST` prints."""
    parents: dict[int, str] = {}
    structure_at = -1  # depth of the arguments of a table function that may be a description of columns
    for number, line in enumerate(tree_lines(tree)):
        node = _NODE.match(line)
        if node is None:
            continue
        depth, kind, name = len(node["indent"]), node["kind"], (node["name"] or "")
        parents[depth] = kind
        if number == 0 and kind not in allowlists.STATEMENTS:
            yield f"readers may only run queries that read, not {kind}"
        if depth == structure_at:
            structure_at = -1
            yield from _structure_refusals(kind, name + node["rest"])
        last = name.lower().rpartition(".")[2]
        if kind == "Set" and parents.get(depth - 1) != "Explain":
            yield "SETTINGS is allowed at the end of the query only"
        if kind == "Function" and parents.get(depth - 1) == "TableExpression":
            if last not in allowlists.TABLE_FUNCTIONS and not last.startswith(VIEW_PREFIX):
                yield f"readers may not use the table function {name}"
            if last in allowlists.STRUCTURED_TABLE_FUNCTIONS:
                structure_at = depth + 2
        elif kind == "Function" and not allowlists.is_function(last):
            yield f"the function {name} is unknown, or readers may not call it"
        elif kind == "ColumnsApplyTransformer":
            yield "readers may not use APPLY: write the functions out"
        elif kind in ("TableIdentifier", "Identifier"):
            owner, _, table = name.lower().partition(".")
            if owner == "system" and table and table.partition(".")[0] not in allowlists.SYSTEM_TABLES:
                yield f"readers may not read the table {name}"


def _database_refusals(tree: str, readable: ReadableDatabases) -> Iterator[str]:
    """Yield a reason for each table of a database that is not readable.

    A table is named by a table expression, or by the second argument of `IN`, which for the parser is an
    identifier like that of a column.
    """
    above: dict[int, re.Match[str]] = {}
    arguments: dict[int, int] = {}
    for node in filter(None, map(_NODE.match, tree_lines(tree))):
        depth, kind = len(node["indent"]), node["kind"]
        above[depth] = node
        arguments[depth] = arguments.get(depth, 0) + 1
        arguments[depth + 1] = 0
        parent, function = above.get(depth - 1), above.get(depth - 2)
        if kind == "Function":
            names_table = parent is not None and parent["kind"] == "TableExpression"
        elif kind == "Identifier":
            names_table = (
                arguments[depth] == 2
                and function is not None
                and function["kind"] == "Function"
                and _IN.fullmatch(function["name"] or "") is not None
            )
        else:
            names_table = kind == "TableIdentifier"
        database, dot, _ = (node["name"] or "").partition(".")
        if names_table and dot and database not in readable:
            yield f"readers may not read {node['name']}, a table of another database"


def _search_refusals(tree: str) -> Iterator[str]:
    """Yield a reason for each search function without an argument that is a short array."""
    nodes = [match for line in tree_lines(tree) if (match := _NODE.match(line))]
    depths = [len(node["indent"]) for node in nodes]

    def subtree(start: int) -> list[re.Match[str]]:
        below = itertools.takewhile(lambda at: depths[at] > depths[start], range(start + 1, len(nodes)))
        return [nodes[start], *(nodes[at] for at in below)]

    for number, node in enumerate(nodes):
        if node["kind"] != "Function" or (node["name"] or "").lower() not in allowlists.SEARCH_FUNCTIONS:
            continue
        end = number + len(subtree(number))
        arguments = [at for at in range(number + 1, end) if depths[at] == depths[number] + 2]
        if not any(_is_short(subtree(at)) for at in arguments[:2]):
            yield (
                f"{node['name']} needs a list of at most {MAX_SEARCHED_LENGTH:,} characters as one of its "
                "arguments: write a literal or a parameter"
            )


def _is_short(nodes: list[re.Match[str]]) -> bool:
    """Return whether an argument consists of literals of at most `MAX_SEARCHED_LENGTH` characters."""
    length = 0
    for node in nodes:
        if node["kind"] == "Literal":
            length += len(node["name"] or "") + len(node["rest"])
        elif node["kind"] == "Function":
            if (node["name"] or "").lower() not in _SHORT:
                return False
        elif node["kind"] != "ExpressionList":
            return False
    return length <= MAX_SEARCHED_LENGTH


def _structure_refusals(kind: str, value: str) -> Iterator[str]:
    """Yield the reasons to refuse the first argument of `values()` or `generateRandom()`.

    The argument may be a description of columns, with expressions (`y String ALIAS file('...')`) that the
    engine runs and the tree does not contain. Rows and numbers are no description.
    """
    if kind == "Literal" and not value.startswith("'"):
        return
    if kind == "Function" and value.split(" ")[0] == "tuple":
        return
    if kind != "Literal" or not _STRUCTURE.fullmatch(value):
        yield "columns must be described by a string literal of names and types"
    elif expression := _EXPRESSION.search(re.sub(r"\\[nt]", " ", value)):
        yield f"a description of columns may not contain {expression[0]}"


def _denied(reason: str) -> DatabaseError:
    return DatabaseError(497, "ACCESS_DENIED", f"Not enough privileges: {reason}.")
