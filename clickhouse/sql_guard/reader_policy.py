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
import unicodedata
from collections.abc import Iterator, Mapping, Sequence

from clickhouse.engine import Connection
from clickhouse.sql_guard import allowlists
from clickhouse.sql_guard.call_bounds import function_name_refusals, search_refusals
from clickhouse.sql_guard.errors import DatabaseError
from clickhouse.sql_guard.readable_databases import ReadableDatabases
from clickhouse.sql_guard.statement import Token, position_of, tokens
from clickhouse.sql_guard.syntax_tree import IN, Node, read_tree

VIEW_PREFIX = "q_"
"""Prefix of the parameterised views (`clickhouse/views.py`); no table function of ClickHouse has it."""

_REFUSED_WORDS = allowlists.REFUSED_FUNCTIONS - {"nested"}
"""Names that may not precede a bracket; `Nested(` may, because it is also a type."""
_EXPLAIN = b"EXPLAIN AST "
_POSITION = re.compile(r"(failed at position |\(line 1, col )(\d+)")
_QUOTED_ONLY = re.compile(rb"[^\t\n\x0b\f\r\x20-\x23\x25-\x7e]")
"""Bytes that are allowed inside quotes only: control characters, non-ASCII bytes, and `$`."""
_STRUCTURE = re.compile(r"'(?:[\w ,()=.+\-\"`]|\\[nt'])*'", re.ASCII)
_EXPRESSION = re.compile(
    r"\b(?:AggregateFunction|ALIAS|DEFAULT|MATERIALIZED|EPHEMERAL|CODEC|TTL)\b", re.IGNORECASE
)

_ASCII = {"\u2018": "'", "\u2019": "'", "\u201c": '"', "\u201d": '"', "\u2212": "-", "\u2013": "-"}
"""What to write instead of a character that word processors put in its place."""


def check(
    connection: Connection,
    query: bytes,
    params: Mapping[str, str],
    database: str,
    readable: ReadableDatabases,
    *,
    is_bounded: bool = True,
) -> str:
    """Check a reader's query; its comments must be blanked out (`statement.without_comments`).

    `database` is the current database, or empty for the engine's default. With `is_bounded`, a person wrote
    the query, so the arguments of searches are bounded, too (`call_bounds`).

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
    for reason in _token_refusals(query, query_tokens):
        raise _denied(reason)
    names = (token.text for token in query_tokens if token.kind == "quoted")
    values = (value.encode() for value in params.values())
    if any(b"\\" in name or re.search(rb"[\x00-\x1f]", name) for name in names):
        raise _denied("a quoted name may not contain control characters or a backslash")
    if b"Identifier}" in query.replace(b" ", b"") and any(re.search(rb"[\x00-\x1f`\"\\]", v) for v in values):
        raise _denied("an Identifier parameter may not contain control characters, quotes or a backslash")
    tree = _tree(connection, query, params)
    nodes = read_tree(tree)
    for reason in itertools.chain(
        refusals(nodes),
        _database_refusals(nodes, readable),
        function_name_refusals(nodes),
        search_refusals(nodes) if is_bounded else (),
    ):
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
        raise DatabaseError(
            error.code,
            error.name,
            _POSITION.sub(lambda place: f"{place[1]}{int(place[2]) - len(_EXPLAIN)}", error.message),
        ) from None


def _token_refusals(query: bytes, query_tokens: Sequence[Token]) -> Iterator[str]:
    """Yield the reasons to refuse the tokens of a query."""
    for token in query_tokens:
        if token.kind == "heredoc" or (token.kind == "sign" and _QUOTED_ONLY.fullmatch(token.text)):
            place, character = position_of(query, token.start), _character(query, token.start)
            yield f"{place}: {character} is allowed inside quotes only"
    for token, after in itertools.pairwise(query_tokens):
        name = token.text.strip(b'"`').decode(errors="replace")
        if token.kind in ("word", "quoted") and after.text == b"(" and name.lower() in _REFUSED_WORDS:
            yield f"readers may not call {name}"
        if token.is_word(b"FORMAT") and after.kind == "quoted":
            yield "the name of a format may not be quoted"
    for clause, setting, sign in zip(query_tokens, query_tokens[1:], query_tokens[2:], strict=False):
        # The tree does not show some settings: the engine turns `limit` and `filter` into parts of the query.
        is_clause = clause.kind == "word" and clause.text.upper() == b"SETTINGS"
        if is_clause and setting.kind in ("word", "quoted") and sign.text == b"=":
            yield "SETTINGS is allowed at the end of the query only, and with literals only"


def _character(query: bytes, start: int) -> str:
    """Describe the character at a byte, so that somebody can find it in their query."""
    given = query[start : start + 4]
    character = given.decode(errors="replace")[0]
    if not given.startswith(character.encode()):
        return f"the byte 0x{query[start]:02X}"
    name = unicodedata.name(character, "control character")
    shown = f"{character} " if character.isprintable() and not character.isspace() else ""
    instead = _ASCII.get(character, " " if unicodedata.category(character) == "Zs" else "")
    hint = f" (write an ordinary {'space' if instead == ' ' else instead})" if instead else ""
    return f"{shown}U+{ord(character):04X} {name}{hint}"


def refusals(nodes: Sequence[Node]) -> Iterator[str]:
    """Yield the reasons to refuse a tree."""
    for node in nodes:
        kind, name = node.kind, node.name
        parent = node.parent.kind if node.parent else ""
        if node.parent is None and (node.place or kind not in allowlists.STATEMENTS):
            yield f"readers may only run queries that read, not {kind}"
        if _describes_columns(node):
            yield from _structure_refusals(node)
        last = name.lower().rpartition(".")[2]
        if kind == "Set" and parent != "Explain":
            yield "SETTINGS is allowed at the end of the query only"
        if kind == "Function" and parent == "TableExpression":
            if last not in allowlists.TABLE_FUNCTIONS and not last.startswith(VIEW_PREFIX):
                yield f"readers may not use the table function {name}"
        elif kind == "Function" and not allowlists.is_function(last):
            yield f"the function {name} is unknown, or readers may not call it"
        elif kind == "ColumnsApplyTransformer":
            yield "readers may not use APPLY: write the functions out"
        elif kind in ("TableIdentifier", "Identifier"):
            owner, _, table = name.lower().partition(".")
            if owner == "system" and table and table.partition(".")[0] not in allowlists.SYSTEM_TABLES:
                yield f"readers may not read the table {name}"


def _describes_columns(node: Node) -> bool:
    """Return whether a node is an argument of a table function that may be a description of columns."""
    function = node.function
    return (
        function is not None
        and node.place == 0
        and function.parent is not None
        and function.parent.kind == "TableExpression"
        and function.name.lower().rpartition(".")[2] in allowlists.STRUCTURED_TABLE_FUNCTIONS
    )


def _database_refusals(nodes: Sequence[Node], readable: ReadableDatabases) -> Iterator[str]:
    """Yield a reason for each table of a database that is not readable.

    A table is named by a table expression, or by the second argument of `IN`, which for the parser is an
    identifier like that of a column.
    """
    for node in nodes:
        if node.kind == "Function":
            names_table = node.parent is not None and node.parent.kind == "TableExpression"
        elif node.kind == "Identifier":
            names_table = (
                node.place == 1 and node.function is not None and IN.fullmatch(node.function.name) is not None
            )
        else:
            names_table = node.kind == "TableIdentifier"
        database, dot, _ = node.name.partition(".")
        if names_table and dot and database not in readable:
            yield f"readers may not read {node.name}, a table of another database"


def _structure_refusals(node: Node) -> Iterator[str]:
    """Yield the reasons to refuse the first argument of `values()` or `generateRandom()`.

    The argument may be a description of columns, with expressions (`y String ALIAS file('...')`) that the
    engine runs and the tree does not contain. Rows and numbers are no description.
    """
    value = node.literal
    if (value and not value.startswith("'")) or (node.kind == "Function" and node.name == "tuple"):
        return
    if not _STRUCTURE.fullmatch(value):
        yield "columns must be described by a string literal of names and types"
    elif expression := _EXPRESSION.search(re.sub(r"\\[nt]", " ", value)):
        yield f"a description of columns may not contain {expression[0]}"


def _denied(reason: str) -> DatabaseError:
    return DatabaseError(497, "ACCESS_DENIED", f"Not enough privileges: {reason}.")
