"""Splits the text of a statement: the data of an INSERT, and FORMAT and SETTINGS at the end of a query."""

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from clickhouse.literals import quoted
from clickhouse.sql_guard.errors import DatabaseError

_TOKEN = re.compile(
    rb"""(?P<blank>\s++|--[^\n]*+|\#[!\ ][^\n]*+|/\*.*?\*/)
    |(?P<string>'(?:[^'\\]++|\\.|'')*+')
    |(?P<quoted>"(?:[^"\\]++|\\.|"")*+"|`(?:[^`\\]++|\\.|``)*+`)
    |(?P<heredoc>\$(?P<tag>\w*+)\$.*?\$(?P=tag)\$)
    |(?P<number>\d[\w.]*+(?:(?<=[eE])[+-]\d++)?)
    |(?P<word>[A-Za-z_]\w*+)
    |(?P<sign>.)""",
    re.DOTALL | re.VERBOSE,
)
"""Each token is matched without backtracking: the repetitions are possessive (`*+`)."""
_NEVER_CLOSED = re.compile(rb"['\"`]|/\*|\$\w*+\$")
"""What begins a quote, a comment or a heredoc. Where it is read as a sign, its end is missing."""
_AFTER_FORMAT = re.compile(rb"[ \t\f]*(?:;(?=[\r\n]|$))?\r?\n?")
_ESCAPE = re.compile(rb"\\(.)|''", re.DOTALL)


@dataclass(frozen=True)
class Token:
    """A token that is neither blank nor a comment. `depth` is the number of brackets around it."""

    kind: str
    text: bytes
    start: int
    end: int
    depth: int

    def is_word(self, *words: bytes) -> bool:
        """Return whether the token is one of these upper-case keywords, outside all brackets."""
        return self.kind == "word" and self.depth == 0 and self.text.upper() in words


def tokens(text: bytes) -> Iterator[Token]:
    """Yield the tokens of a text, except blanks and comments. Lazy, because data of an INSERT are no SQL.

    The time is proportional to the length of the text.

    Raises:
        DatabaseError: a quote, a comment or a heredoc is never closed.
    """
    depth = 0
    for match in _matches(text):
        kind = match.lastgroup or "sign"
        kind = "heredoc" if kind == "tag" else kind
        if kind == "blank":
            continue
        piece = match[0]
        if kind == "sign" and piece in b")]}":
            depth -= 1
        yield Token(kind, piece, match.start(), match.end(), depth)
        if kind == "sign" and piece in b"([{":
            depth += 1


def _matches(text: bytes) -> Iterator[re.Match[bytes]]:
    for match in _TOKEN.finditer(text):
        if match["sign"] is not None and (opened := _NEVER_CLOSED.match(text, match.start())):
            what = {b"/": "comment", b"$": "heredoc"}.get(match[0], "quote")
            place = f"{position_of(text, match.start())} ({opened[0][:20].decode(errors='replace')})"
            raise DatabaseError(62, "SYNTAX_ERROR", f"Syntax error: {place}: this {what} is never closed.")
        yield match


def position_of(text: bytes, start: int) -> str:
    """Return the place of a byte in a text as the engine writes it, counted in bytes from 1."""
    line = text.count(b"\n", 0, start) + 1
    column = start - text.rfind(b"\n", 0, start)
    return f"failed at position {start + 1} (line {line}, col {column})"


def without_comments(text: bytes) -> bytes:
    """Replace the comments of a query by spaces; line breaks and positions stay.

    Raises:
        DatabaseError: as `tokens`.
    """
    return b"".join(map(_blanked, _matches(text)))


def _blanked(token: re.Match[bytes]) -> bytes:
    if token.lastgroup != "blank" or token[0].isspace():
        return token[0]
    return re.sub(rb"[^\n]", b" ", token[0])


@dataclass(frozen=True)
class Insert:
    """An INSERT that is followed by its data.

    `query` is the text before FORMAT or VALUES, and `data_at` the position of the data. `settings_at` is the
    position of SETTINGS in `query`, or the end of `query`.
    """

    query: bytes
    format: str | None
    data_at: int
    settings_at: int

    def from_file(self, source: str, format_name: str) -> bytes:
        """Return the statement that inserts the data of the file `source`."""
        target, settings = self.query[: self.settings_at], self.query[self.settings_at :]
        infile = f"\nFROM INFILE '{source}' COMPRESSION 'none' ".encode()
        return target + infile + settings + f"\nFORMAT {format_name}".encode()


def split_insert(head: bytes) -> Insert | None:
    """Split an INSERT from its data; return None if this is no INSERT, or an INSERT from a query.

    Raises:
        DatabaseError: the INSERT reads a file of the server, or another statement follows it.
    """
    previous: Token | None = None
    settings_at: int | None = None
    for index, token in enumerate(following := tokens(head)):
        if index == 0 and not token.is_word(b"INSERT"):
            return None
        is_name = previous is not None and (
            previous.text == b"." or previous.is_word(b"INTO", b"TABLE", b"FUNCTION")
        )
        opens_query = token.kind == "word" and token.text.upper() in (b"SELECT", b"WITH")
        if opens_query and not is_name and previous and (previous.text == b"(" or token.depth == 0):
            return None
        if index and not is_name:
            if token.is_word(b"INFILE") and previous is not None and previous.is_word(b"FROM"):
                raise DatabaseError(48, "NOT_IMPLEMENTED", "FROM INFILE is not supported over HTTP.")
            if token.text == b";" and token.depth == 0:
                raise DatabaseError(62, "SYNTAX_ERROR", "Syntax error (Multi-statements are not allowed).")
            if token.is_word(b"SETTINGS") and settings_at is None:
                settings_at = token.start
            if token.is_word(b"VALUES"):
                return _insert(head[: token.start], "Values", token.end, settings_at)
            if token.is_word(b"FORMAT"):
                name = next(following, None)
                if name is None or name.kind != "word":
                    return None
                gap = _AFTER_FORMAT.match(head, name.end)
                return _insert(
                    head[: token.start], name.text.decode(), gap.end() if gap else name.end, settings_at
                )
        previous = token
    return _insert(head, None, len(head), settings_at) if previous is not None else None


def _insert(query: bytes, format_name: str | None, data_at: int, settings_at: int | None) -> Insert:
    return Insert(query, format_name, data_at, len(query) if settings_at is None else settings_at)


@dataclass(frozen=True)
class Query:
    """A query in parts: `core` is the text without FORMAT and SETTINGS at its end."""

    core: bytes
    format: str | None = None
    settings: dict[str, str] = field(default_factory=dict)

    def into_file(self, target: str, format_name: str, *, keep_settings: bool) -> bytes:
        """Return the statement that writes the result into the file `target`."""
        output = f"\nINTO OUTFILE '{target}' TRUNCATE FORMAT {format_name} ".encode()
        pairs = ", ".join(f"{name} = {quoted(value)}" for name, value in self.settings.items())
        return self.core + output + (f"SETTINGS {pairs}".encode() if pairs and keep_settings else b"")


def split_query(text: bytes) -> Query:
    """Split `FORMAT name` and `SETTINGS name = literal, ...` from the end of a query.

    Raises:
        DatabaseError: the query writes a file of the server.
    """
    found = list(tokens(text))
    for before, token in itertools.pairwise(found):
        if before.is_word(b"INTO") and token.is_word(b"OUTFILE"):
            raise DatabaseError(358, "INTO_OUTFILE_NOT_ALLOWED", "INTO OUTFILE is not allowed.")
    while found and found[-1].text == b";" and found[-1].kind == "sign":
        found.pop()
    format_name: str | None = None
    settings: dict[str, str] = {}
    while found:
        start = _last_clause(found)
        clause = found[start:] if start is not None else []
        if (
            format_name is None
            and len(clause) == 2
            and clause[0].is_word(b"FORMAT")
            and clause[1].kind == "word"
        ):
            format_name = clause[1].text.decode()
        elif clause and clause[0].is_word(b"SETTINGS") and (assigned := _assignments(clause[1:])):
            for name, value in assigned.items():
                settings.setdefault(name, value)
        else:
            break
        del found[start:]
    return Query(text[: found[-1].end] if found else b"", format_name, settings)


def _last_clause(found: list[Token]) -> int | None:
    for index in range(len(found) - 1, 0, -1):
        if found[index].is_word(b"FORMAT", b"SETTINGS") and found[index - 1].text not in (
            b".",
            b",",
            b"select",
            b"SELECT",
        ):
            return index
    return None


def _assignments(clause: list[Token]) -> dict[str, str]:
    """Return the `name = literal` pairs of a SETTINGS clause; none if the clause has anything else."""
    assigned: dict[str, str] = {}
    pair: list[Token] = []
    for token in (*clause, None):
        if token is not None and not (token.text == b"," and token.depth == 0):
            pair.append(token)
            continue
        if token is None and not pair and assigned:
            break
        is_literal = len(pair) == 3 or (len(pair) == 4 and pair[2].text == b"-")
        if not is_literal or pair[0].kind != "word" or pair[1].text != b"=":
            return {}
        assigned[pair[0].text.decode()] = _literal(b"".join(part.text for part in pair[2:]))
        pair = []
    return assigned


def _literal(text: bytes) -> str:
    if text[:1] == b"'":
        text = _ESCAPE.sub(lambda match: match[1] or b"'", text[1:-1])
    return text.decode(errors="replace")
