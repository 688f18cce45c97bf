"""Reads what the front must know of a query's text: where data begin, FORMAT and SETTINGS at the end."""

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from clickhouse.http_server.errors import DatabaseError
from clickhouse.literals import quoted

_TOKEN = re.compile(
    rb"""(?P<blank>\s+|--[^\n]*|\#[!\ ][^\n]*|/\*.*?\*/)
    |(?P<string>'(?:[^'\\]|\\.|'')*')
    |(?P<quoted>"(?:[^"\\]|\\.|"")*"|`(?:[^`\\]|\\.|``)*`)
    |(?P<heredoc>\$(?P<tag>\w*)\$.*?\$(?P=tag)\$)
    |(?P<number>\d[\w.]*(?:(?<=[eE])[+-]\d+)?)
    |(?P<word>[A-Za-z_]\w*)
    |(?P<sign>.)""",
    re.DOTALL | re.VERBOSE,
)
_AFTER_FORMAT = re.compile(rb"[ \t\f]*(?:;(?=[\r\n]|$))?\r?\n?")
_ESCAPE = re.compile(rb"\\(.)|''", re.DOTALL)


@dataclass(frozen=True)
class Token:
    """One significant token: its kind, its bytes and where they stand; `depth` counts open brackets."""

    kind: str
    text: bytes
    start: int
    end: int
    depth: int

    def is_word(self, *words: bytes) -> bool:
        """Whether this is one of the (upper-case) keywords, outside every bracket."""
        return self.kind == "word" and self.depth == 0 and self.text.upper() in words


def tokens(text: bytes) -> Iterator[Token]:
    """The significant tokens of a query, lazily: what follows INSERT's FORMAT is never looked at."""
    depth = 0
    for found in _TOKEN.finditer(text):
        kind = found.lastgroup or "sign"
        kind = "heredoc" if kind == "tag" else kind
        if kind == "blank":
            continue
        piece = found[0]
        if kind == "sign" and piece in b")]}":
            depth -= 1
        yield Token(kind, piece, found.start(), found.end(), depth)
        if kind == "sign" and piece in b"([{":
            depth += 1


def without_comments(text: bytes) -> bytes:
    """The same query with spaces in the place of its comments; line breaks and positions stay."""
    return _TOKEN.sub(_blanked, text)


def _blanked(token: re.Match[bytes]) -> bytes:
    if token.lastgroup != "blank" or token[0].isspace():
        return token[0]
    return re.sub(rb"[^\n]", b" ", token[0])


@dataclass(frozen=True)
class Insert:
    """An INSERT whose data follow: `query` ends before FORMAT or VALUES, the data begin at `data_at`.

    `settings_at` is where its SETTINGS begin, or its end.
    """

    query: bytes
    format: str | None
    data_at: int
    settings_at: int

    def reading(self, source: str, format_name: str) -> bytes:
        """The text that makes the engine take the data from the file `source`."""
        target, settings = self.query[: self.settings_at], self.query[self.settings_at :]
        infile = f"\nFROM INFILE '{source}' COMPRESSION 'none' ".encode()
        return target + infile + settings + f"\nFORMAT {format_name}".encode()


def split_insert(head: bytes) -> Insert | None:
    """Find where the data of an INSERT begin; None when this is no INSERT, or one that reads from a query.

    Raises:
        DatabaseError: the INSERT asks for a file of the server's, or another statement follows it.
    """
    before: Token | None = None
    settings_at: int | None = None
    for index, token in enumerate(found := tokens(head)):
        if index == 0 and not token.is_word(b"INSERT"):
            return None
        named = before is not None and (before.text == b"." or before.is_word(b"INTO", b"TABLE", b"FUNCTION"))
        opens_query = token.kind == "word" and token.text.upper() in (b"SELECT", b"WITH")
        if opens_query and before is not None and (before.text == b"(" or token.depth == 0) and not named:
            return None
        if index and not named:
            if token.is_word(b"INFILE") and before is not None and before.is_word(b"FROM"):
                raise DatabaseError(48, "NOT_IMPLEMENTED", "FROM INFILE is not supported over HTTP.")
            if token.text == b";" and token.depth == 0:
                raise DatabaseError(62, "SYNTAX_ERROR", "Syntax error (Multi-statements are not allowed).")
            if token.is_word(b"SETTINGS") and settings_at is None:
                settings_at = token.start
            if token.is_word(b"VALUES"):
                return _insert(head[: token.start], "Values", token.end, settings_at)
            if token.is_word(b"FORMAT"):
                name = next(found, None)
                if name is None or name.kind != "word":
                    return None
                gap = _AFTER_FORMAT.match(head, name.end)
                data_at = gap.end() if gap else name.end
                return _insert(head[: token.start], name.text.decode(), data_at, settings_at)
        before = token
    return _insert(head, None, len(head), settings_at) if before is not None else None


def _insert(query: bytes, format_name: str | None, data_at: int, settings_at: int | None) -> Insert:
    return Insert(query, format_name, data_at, len(query) if settings_at is None else settings_at)


@dataclass(frozen=True)
class Query:
    """A query apart from how its answer is written: `core`, then FORMAT, then SETTINGS."""

    core: bytes
    format: str | None = None
    settings: dict[str, str] = field(default_factory=dict)

    def writing(self, target: str, format_name: str, *, keep_settings: bool) -> bytes:
        """The text that makes the engine write its answer into the file `target`."""
        output = f"\nINTO OUTFILE '{target}' TRUNCATE FORMAT {format_name} ".encode()
        pairs = ", ".join(f"{name} = {quoted(value)}" for name, value in self.settings.items())
        return self.core + output + (f"SETTINGS {pairs}".encode() if pairs and keep_settings else b"")


def split_query(text: bytes) -> Query:
    """Take `FORMAT name` and a last `SETTINGS name = literal, ...` off the end of a query.

    Raises:
        DatabaseError: the query asks to write a file of the server's.
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
        elif clause and clause[0].is_word(b"SETTINGS") and (read := _assignments(clause[1:])):
            settings = read | settings
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
    """`name = literal` pairs of a SETTINGS clause; empty when it holds anything else."""
    read: dict[str, str] = {}
    rest = list(clause)
    while rest:
        if len(rest) < 3 or rest[0].kind != "word" or rest[1].text != b"=":
            return {}
        name = rest[0].text.decode()
        value, rest = rest[2:], []
        for index, token in enumerate(value):
            if token.text == b"," and token.depth == 0:
                value, rest = value[:index], value[index + 1 :]
                break
        literal = b"".join(token.text for token in value)
        if len(value) != 1 and not (len(value) == 2 and value[0].text == b"-"):
            return {}
        read[name] = _literal(literal)
    return read


def _literal(text: bytes) -> str:
    if text[:1] == b"'":
        text = _ESCAPE.sub(lambda found: found[1] or b"'", text[1:-1])
    return text.decode(errors="replace")
