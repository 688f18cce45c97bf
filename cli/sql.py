"""`./souk sql`: runs a query on ClickHouse and streams the result to standard output, or opens a prompt."""

import io
import os
import re
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Annotated, BinaryIO

import httpx
import typer

from clickhouse.databases import analytics_database
from clickhouse.sql_guard.errors import DatabaseError
from clickhouse.sql_guard.statement import split_insert
from common.errors import PartUnavailable, SoukError, UserError
from common.settings import Settings

HISTORY_LENGTH = 1_000
"""Lines that the history file keeps."""

PROMPT, CONTINUED = "souk> ", "   -> "

HELP = """Write a statement and end it with ; or an empty line. Tab completes names.
  \\d           list the views for analysts
  \\d <view>    describe a view, such as analytics.orders
  \\q           quit (also exit, quit, Ctrl + D)"""

_LIST = "SELECT name, comment FROM system.tables WHERE database = '{analytics}' ORDER BY name"
_DESCRIBE = (
    "SELECT name, type, comment FROM system.columns "
    "WHERE database || '.' || table = '{view}' ORDER BY position"
)
_VIEW = re.compile(r"[\w.]+", re.ASCII)
_QUIT = frozenset({"\\q", "exit", "quit", "exit;", "quit;"})

COMPLETIONS = """
SELECT DISTINCT word FROM
(
    SELECT concat(database, '.', name) AS word FROM system.tables WHERE database = '{analytics}'
    UNION ALL
    SELECT name FROM system.columns WHERE database = '{analytics}'
    UNION ALL
    SELECT name FROM system.tables WHERE database = currentDatabase()
    UNION ALL
    SELECT keyword FROM system.keywords WHERE match(keyword, '^[A-Z]+$')
    UNION ALL
    SELECT name FROM system.functions
)
ORDER BY word
"""
"""The words that Tab completes: the views for analysts, their columns, tables, keywords and functions."""


def statements(read_line: Callable[[str], str]) -> Iterator[str]:
    """Yield what a person enters, a statement or a command at a time, until the end of the input.

    `read_line` gets the prompt. It raises EOFError at the end, and KeyboardInterrupt to drop the statement.
    """
    lines: list[str] = []
    while True:
        try:
            line = read_line(CONTINUED if lines else PROMPT)
        except EOFError:
            return
        except KeyboardInterrupt:
            lines = []
            continue
        text = line.strip()
        if not lines and text in _QUIT:
            return
        if not lines and (text.startswith("\\") or text == "help"):
            yield text
            continue
        if text:
            lines.append(line)
        if lines and (not text or text.endswith(";")):
            yield "\n".join(lines).strip().rstrip(";").rstrip()
            lines = []


def query_of(statement: str, analytics: str) -> str:
    """Return the query of a statement or of a command `\\d`; empty for a text that is no query.

    `analytics` is the database of the views for analysts.
    """
    if not statement.startswith("\\"):
        return "" if statement == "help" else statement
    command, _, view = statement.partition(" ")
    if command != "\\d" or (view and not _VIEW.fullmatch(view.strip())):
        return ""
    view = view.strip()
    if not view:
        return _LIST.format(analytics=analytics)
    return _DESCRIBE.format(view=view if "." in view else f"{analytics}.{view}")


class Completer:
    """Completes the word before the cursor, in any case. The words are fetched once, at the first Tab."""

    def __init__(self, fetch: Callable[[], Iterable[str]]) -> None:
        self._fetch = fetch
        self._words: list[str] | None = None

    def __call__(self, text: str, state: int) -> str | None:
        """Return the completion number `state` of a text, as `readline` asks for it; None after the last."""
        found = self.completions(text)
        return found[state] if state < len(found) else None

    def completions(self, text: str) -> list[str]:
        """Return the words that begin with a text. Without a server, there are none."""
        if self._words is None:
            try:
                self._words = sorted(set(self._fetch()))
            except SoukError:
                return []
        start = text.lower()
        return [word for word in self._words if word.lower().startswith(start)] if start else []


def run_prompt(
    answer: Callable[[str], None], fetch_words: Callable[[], Iterable[str]], analytics: str, history: Path
) -> None:
    """Run the prompt until its end. `answer` runs a query and prints the result; its errors are printed."""
    import readline

    readline.set_completer(Completer(fetch_words))
    readline.set_completer_delims(" \t\n,;()=<>+-*/'\"")
    readline.parse_and_bind("tab: complete")
    readline.set_history_length(HISTORY_LENGTH)
    if history.exists():
        readline.read_history_file(history)
    print(f"Views for analysts are in the database {analytics}: \\d lists them, help explains the prompt.")
    try:
        for statement in statements(input):
            query = query_of(statement, analytics)
            if not query:
                print(HELP)
                continue
            started = time.monotonic()
            try:
                answer(query)
            except SoukError as error:
                print(error)
            except KeyboardInterrupt:
                print("The query was cancelled.")
            print(f"{time.monotonic() - started:.3f} s")
    finally:
        history.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(history, os.O_WRONLY | os.O_CREAT, 0o600))  # statements may have personal data
        readline.write_history_file(history)
    print()


_CHUNK = 1 << 20
_VERSION = re.compile(r"\s*\(version [^()]*(?:\([^()]*\))?\)\s*$")
_CODE = re.compile(r"^Code: (\d+)\.")
"""Start of a ClickHouse error. A text without it comes from a proxy in front of ClickHouse."""

_FAILURES = frozenset(
    {
        241, 173, 243, 252,  # MEMORY_LIMIT_EXCEEDED, CANNOT_ALLOCATE_MEMORY, NOT_ENOUGH_SPACE, TOO_MANY_PARTS
        159, 160, 202, 439,  # TIMEOUT_EXCEEDED, TOO_SLOW, TOO_MANY_SIMULTANEOUS_QUERIES, CANNOT_SCHEDULE_TASK
        394, 236,  # QUERY_WAS_CANCELLED, ABORTED
        209, 210, 279, 999,  # SOCKET_TIMEOUT, NETWORK_ERROR, ALL_CONNECTION_TRIES_FAILED, KEEPER_EXCEPTION
        76, 246, 40, 425,  # CANNOT_OPEN_FILE, CORRUPTED_DATA, CHECKSUM_DOESNT_MATCH, SYSTEM_ERROR
        49, 1000, 1001, 1002,  # LOGICAL_ERROR, POCO_EXCEPTION, STD_EXCEPTION, UNKNOWN_EXCEPTION
    }
)  # fmt: skip
"""ClickHouse's codes for problems of the server. Every other error is a mistake in the query."""

_NOT_ALLOWED = (164, 497)
"""READONLY, ACCESS_DENIED."""


class QueryFailed(SoukError):
    """ClickHouse failed to run the query. The message is ClickHouse's, in one line."""


class QueryRefused(UserError):
    """The query is invalid or not permitted. The message is ClickHouse's, in one line."""


def command(
    query: Annotated[
        str, typer.Argument(help="The query; default: --file, standard input, or a prompt.")
    ] = "",
    file: Annotated[Path | None, typer.Option("--file", "-f", help="Read the query from a file.")] = None,
    output: Annotated[
        str, typer.Option("--format", help="Any ClickHouse format, such as CSVWithNames.")
    ] = "",
    param: Annotated[list[str] | None, typer.Option(help="name=value, for {name:Type} in the query.")] = None,
    admin: Annotated[
        bool,
        typer.Option(
            "--admin", help="Run as the admin user, which can write; default: the analyst, who can read."
        ),
    ] = False,
) -> None:
    """Run one query, or open a prompt. The data of an INSERT are read from standard input."""
    if not query and file is None and sys.stdin.isatty():
        _open_prompt(output or "PrettyCompact", admin=admin)
        return
    text = _read_query(query, file)
    default = "PrettyCompact" if sys.stdout.isatty() else "TabSeparatedWithNames"
    params = {"default_format": output or default} | dict(map(_parameter, param or []))
    try:
        run(
            Settings.load(),
            _request_body(text, given=bool(query or file)),
            params,
            sys.stdout.buffer,
            admin=admin,
        )
    except BrokenPipeError:  # the reader of the pipe, such as `head`, has ended
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def run(
    settings: Settings, body: bytes | Iterator[bytes], params: dict[str, str], out: BinaryIO, *, admin: bool
) -> None:
    """Send a query and write the answer to `out` as it arrives.

    Raises:
        PartUnavailable: ClickHouse does not answer.
        QueryRefused: the query is invalid or not permitted; the error may be in the middle of the response.
        QueryFailed: ClickHouse fails, at the start or in the middle of the response.
    """
    user = settings.clickhouse_admin_user if admin else settings.clickhouse_analyst_user
    password = settings.clickhouse_admin_password if admin else settings.clickhouse_analyst_password
    login = {"x-clickhouse-user": user, "x-clickhouse-key": password.get_secret_value()}
    query_params = {"database": settings.clickhouse_database, **params}
    timeout = httpx.Timeout(None, connect=5)
    try:
        with (
            httpx.Client(timeout=timeout, trust_env=False) as client,
            client.stream(
                "POST", settings.clickhouse, params=query_params, content=body, headers=login
            ) as response,
        ):
            if response.status_code != 200:
                raise _error(response.read(), admin=admin)
            _copy(response, out, admin=admin)
    except httpx.HTTPError as error:
        raise PartUnavailable(
            f"ClickHouse at {settings.clickhouse} does not answer ({error}); start it with ./souk up"
        ) from error


def _open_prompt(output: str, *, admin: bool) -> None:
    settings = Settings.load()
    analytics = analytics_database(settings.clickhouse_database)

    def answer(query: str) -> None:
        run(settings, query.encode(), {"default_format": output}, sys.stdout.buffer, admin=admin)

    def words() -> list[str]:
        found = io.BytesIO()
        run(
            settings,
            COMPLETIONS.format(analytics=analytics).encode(),
            {"default_format": "TSVRaw"},
            found,
            admin=admin,
        )
        return found.getvalue().decode().split()

    run_prompt(answer, words, analytics, settings.home / "sql_history")


def _copy(response: httpx.Response, out: BinaryIO, *, admin: bool) -> None:
    """Copy the response. An error in the middle of it is enclosed in marks that a response header defines."""
    tag = response.headers.get("x-clickhouse-exception-tag", "")
    mark = f"\r\n__exception__\r\n{tag}\r\n".encode()
    buffer = b""
    try:
        for chunk in response.iter_bytes():
            buffer += chunk
            if tag and mark in buffer:
                continue
            ready = len(buffer) - len(mark)
            if ready > 0:
                out.write(buffer[:ready])
                buffer = buffer[ready:]
    except httpx.RemoteProtocolError:
        if mark not in buffer:
            raise
    data, separator, error = buffer.partition(mark)
    out.write(data if tag else buffer)
    out.flush()
    if tag and separator:
        raise _error(error.partition(b"\n")[0] if b"__exception__" in error else error, admin=admin)


def _read_query(query: str, file: Path | None) -> bytes:
    if query and file:
        raise UserError("give a query or --file, not both")
    if query:
        return query.encode()
    if file is None:
        return sys.stdin.buffer.read()
    try:
        return file.read_bytes()
    except OSError as error:
        raise UserError(f"{file} can't be read: {error.strerror}") from error


def _request_body(text: bytes, *, given: bool) -> bytes | Iterator[bytes]:
    """Return the query, followed by standard input if it is an INSERT without data."""
    try:
        insert = split_insert(text)
    except DatabaseError as error:
        raise QueryRefused(str(error)) from None
    if insert is None or not given or sys.stdin.isatty() or text[insert.data_at :].strip():
        return text
    return _concatenate(text + b"\n", sys.stdin.buffer)


def _concatenate(head: bytes, rest: BinaryIO) -> Iterator[bytes]:
    yield head
    while chunk := rest.read(_CHUNK):
        yield chunk


def _parameter(pair: str) -> tuple[str, str]:
    name, separator, value = pair.partition("=")
    if not separator or not name.isidentifier():
        raise UserError(f"--param {pair}: give it as name=value")
    escaped = value.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n")
    return f"param_{name}", escaped


def _error(text: bytes, *, admin: bool) -> SoukError:
    """Return ClickHouse's error text as an exception with a message of one line."""
    message = _VERSION.sub("", " ".join(text.decode(errors="replace").split()))
    match = _CODE.search(message)
    code = int(match[1]) if match else None
    if code is None or code in _FAILURES:
        return QueryFailed(message)
    hint = "; the analyst can only read, --admin can write" if code in _NOT_ALLOWED and not admin else ""
    return QueryRefused(message + hint)
