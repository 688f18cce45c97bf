"""What a reader's query may touch, decided on the tree that the engine itself parsed.

A read-only connection already refuses writes and `file()`, `url()`, `remote()`, `executable()` as tables. It
lets through `merge()` (which reads past filters), the scalar `file()` (which reads any file) and the engine's
own tables; so whatever a query names must be on a list. A second parser would see some texts otherwise than
the engine does; `EXPLAIN AST` can't.
"""

import itertools
import re
from collections.abc import Iterator, Mapping

from clickhouse.front import allowed
from clickhouse.front.engine import Connection
from clickhouse.front.errors import DatabaseError
from clickhouse.front.statement import Token, tokens

VIEW_PREFIX = "q_"
"""Our parameterised views begin with it; no table function of ClickHouse does."""

_REFUSED = allowed.REFUSED_FUNCTIONS - {"nested"}
"""`Nested(` is a type, too."""
_ASKED = b"EXPLAIN AST "
_PLACE = re.compile(r"(failed at position |\(line 1, col )(\d+)")
_NODE = re.compile(r"(?P<indent> *)(?P<kind>\w+)(?: (?P<name>\S+))?")


def check(connection: Connection, query: bytes, params: Mapping[str, str], database: str) -> None:
    """Refuse a reader's query that touches what is not a reader's.

    Raises:
        DatabaseError: 497 for what is refused, the engine's own error for what can't be parsed.
    """
    if database.lower() == "system":
        raise _denied("the database system can't be a reader's own: name its tables in full")
    found = list(tokens(query))
    for reason in _in_words(found):
        raise _denied(reason)
    names = (token.text for token in found if token.kind == "quoted")
    values = (value.encode() for value in params.values())
    if any(b"\\" in name or re.search(rb"[\x00-\x1f]", name) for name in names):
        raise _denied("a quoted name may not hold control characters or a backslash")
    if b"Identifier}" in query.replace(b" ", b"") and any(re.search(rb"[\x00-\x1f`\"\\]", v) for v in values):
        raise _denied("an Identifier parameter may not hold control characters, quotes or a backslash")
    for reason in refusals(_tree(connection, query, params)):
        raise _denied(reason)


def _tree(connection: Connection, query: bytes, params: Mapping[str, str]) -> str:
    """The query as the engine parses it; an error tells places in the query itself."""
    try:
        tree: str = connection.query(_ASKED + query, "TSVRaw", params).bytes().decode(errors="replace")
        return tree
    except DatabaseError as error:
        message = _PLACE.sub(lambda place: f"{place[1]}{int(place[2]) - len(_ASKED)}", error.message)
        raise DatabaseError(error.code, error.name, message) from None


def _in_words(found: list[Token]) -> Iterator[str]:
    """Why a query may not run, as its words show: the tree leaves out some clauses (SHOW ... WHERE)."""
    if found and found[0].is_word(b"SHOW") and any(t.text == b"(" or t.is_word(b"WHERE") for t in found):
        yield "SHOW takes neither WHERE nor brackets: ask the tables of system instead"
    for token, after in itertools.pairwise(found):
        name = token.text.strip(b'"`').decode(errors="replace")
        if token.kind in ("word", "quoted") and after.text == b"(" and name.lower() in _REFUSED:
            yield f"the function {name} is not a reader's"
        if token.is_word(b"FORMAT") and after.kind == "quoted":
            yield "the name of a format is not quoted"


def refusals(tree: str) -> Iterator[str]:
    """Why a tree, as `EXPLAIN AST` writes it, may not run; nothing when it may."""
    parents: dict[int, str] = {}
    for number, line in enumerate(tree.splitlines()):
        node = _NODE.match(line)
        if node is None:
            continue
        depth, kind, name = len(node["indent"]), node["kind"], (node["name"] or "")
        parents[depth] = kind
        if number == 0 and kind not in allowed.STATEMENTS:
            yield f"only queries that read are allowed, not {kind}"
        last = name.lower().rpartition(".")[2]
        if kind == "Set" and parents.get(depth - 1) != "Explain":
            yield "SETTINGS may only stand at the end of the query"
        if kind == "Function" and parents.get(depth - 1) == "TableExpression":
            if last not in allowed.TABLE_FUNCTIONS and not last.startswith(VIEW_PREFIX):
                yield f"the table function {name} is not a reader's"
        elif kind == "Function" and not allowed.is_function(last):
            yield f"the function {name} is unknown, or not a reader's"
        elif kind == "ColumnsApplyTransformer":
            yield "APPLY is not a reader's: write the functions out"
        elif kind in ("TableIdentifier", "Identifier"):
            owner, _, table = name.lower().partition(".")
            if owner == "system" and table and table.partition(".")[0] not in allowed.SYSTEM_TABLES:
                yield f"the table {name} is not a reader's"


def _denied(reason: str) -> DatabaseError:
    return DatabaseError(497, "ACCESS_DENIED", f"Not enough privileges: {reason}.")
