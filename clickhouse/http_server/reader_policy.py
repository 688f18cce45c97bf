"""Decides what a reader's query may use, on the syntax tree that the engine itself parsed.

This check is the last of three. Before it come the engine's grants (`config.py`) and the confined process
(`confinement.py`), and each reader's connection has `readonly = 1`. What these let through and a reader must
not have is refused here: `merge()`, which reads past row filters, and the engine's own tables. Statements,
functions, table functions and tables of `system` are allowed by list.

The tree comes from `EXPLAIN AST`: a second parser would read some texts differently. The tree leaves out the
clauses of `SHOW` and does not look into strings. So a reader's text is ASCII outside quotes, where our tokens
and the engine's are the same, and each string that describes columns is checked.
"""

import itertools
import re
from collections.abc import Iterator, Mapping

from clickhouse.http_server import allowlists
from clickhouse.http_server.engine import Connection
from clickhouse.http_server.errors import DatabaseError
from clickhouse.http_server.statement import Token, tokens

VIEW_PREFIX = "q_"
"""Our parameterised views begin with it; no table function of ClickHouse does."""

_REFUSED_WORDS = allowlists.REFUSED_FUNCTIONS - {"nested"}
"""`Nested(` is a type, too."""
_EXPLAIN = b"EXPLAIN AST "
_POSITION = re.compile(r"(failed at position |\(line 1, col )(\d+)")
_NODE = re.compile(r"(?P<indent> *)(?P<kind>\w+)(?: (?P<name>\S+))?(?P<rest>.*)")
_FOREIGN = re.compile(rb"[^\t\n\x0b\f\r\x20-\x23\x25-\x7e]")
"""Bytes that a reader's text has in quotes only: control characters, all that is not ASCII, and `$`."""
_STRUCTURE = re.compile(r"'(?:[\w ,()=.+\-\"`]|\\[nt'])*'", re.ASCII)
_EXPRESSION = re.compile(r"\b(?:ALIAS|DEFAULT|MATERIALIZED|EPHEMERAL|CODEC|TTL)\b", re.IGNORECASE)


def check(connection: Connection, query: bytes, params: Mapping[str, str], database: str) -> None:
    """Check a reader's query, whose comments are blanked out (`statement.without_comments`).

    Raises:
        DatabaseError: 497 if the query uses what readers may not; the engine's own if it can't be parsed.
    """
    if database.lower() == "system":
        raise _denied("the database system can't be the current one: write system.<table>")
    found = list(tokens(query))
    for reason in _token_refusals(found):
        raise _denied(reason)
    names = (token.text for token in found if token.kind == "quoted")
    values = (value.encode() for value in params.values())
    if any(b"\\" in name or re.search(rb"[\x00-\x1f]", name) for name in names):
        raise _denied("a quoted name may not contain control characters or a backslash")
    if b"Identifier}" in query.replace(b" ", b"") and any(re.search(rb"[\x00-\x1f`\"\\]", v) for v in values):
        raise _denied("an Identifier parameter may not contain control characters, quotes or a backslash")
    tree = _tree(connection, query, params)
    for reason in refusals(tree):
        raise _denied(reason)
    if tree.startswith("Show") and any(t.text == b"(" or t.is_word(b"WHERE") for t in found):
        raise _denied("SHOW takes neither WHERE nor brackets: query the tables of system instead")


def _tree(connection: Connection, query: bytes, params: Mapping[str, str]) -> str:
    """The tree of a query. The positions in an error are those in the query itself."""
    try:
        tree: str = connection.query(_EXPLAIN + query, "TSVRaw", params).bytes().decode(errors="replace")
        return tree
    except DatabaseError as error:
        message = _POSITION.sub(lambda place: f"{place[1]}{int(place[2]) - len(_EXPLAIN)}", error.message)
        raise DatabaseError(error.code, error.name, message) from None


def _token_refusals(found: list[Token]) -> Iterator[str]:
    """Why the tokens of a query are refused."""
    for token in found:
        if token.kind == "heredoc" or (token.kind == "sign" and _FOREIGN.fullmatch(token.text)):
            yield f"{token.text[:1]!r} at byte {token.start} is allowed inside quotes only"
    for token, after in itertools.pairwise(found):
        name = token.text.strip(b'"`').decode(errors="replace")
        if token.kind in ("word", "quoted") and after.text == b"(" and name.lower() in _REFUSED_WORDS:
            yield f"readers may not call {name}"
        if token.is_word(b"FORMAT") and after.kind == "quoted":
            yield "the name of a format is not quoted"


def refusals(tree: str) -> Iterator[str]:
    """Why a tree, as `EXPLAIN AST` writes it, is refused; nothing if it is allowed."""
    parents: dict[int, str] = {}
    structure_at = -1  # the depth of the arguments of a table function whose columns a string may describe
    for number, line in enumerate(tree.splitlines()):
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


def _structure_refusals(kind: str, value: str) -> Iterator[str]:
    """Why the first argument of `values()` or `generateRandom()` is refused: it may describe columns.

    A description may contain expressions (`y String ALIAS file('...')`), which the engine runs and no tree
    shows. Rows and numbers are no description.
    """
    if kind == "Literal" and not value.startswith("'"):
        return
    if kind == "Function" and value.split(" ")[0] == "tuple":
        return
    if kind != "Literal" or not _STRUCTURE.fullmatch(value):
        yield "columns are described by a plain string of names and types"
    elif found := _EXPRESSION.search(re.sub(r"\\[nt]", " ", value)):
        yield f"a description of columns may not contain {found[0]}"


def _denied(reason: str) -> DatabaseError:
    return DatabaseError(497, "ACCESS_DENIED", f"Not enough privileges: {reason}.")
