"""`./souk sql`: runs a query on ClickHouse and streams the result to standard output, or opens a prompt."""

import io
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, BinaryIO

import httpx
import typer

from cli.sql_prompt import COMPLETIONS, run_prompt
from clickhouse.databases import analytics_database
from clickhouse.sql_guard.errors import DatabaseError
from clickhouse.sql_guard.statement import split_insert
from common.errors import PartUnavailable, SoukError, UserError
from common.settings import Settings

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
        reason = f"ClickHouse at {settings.clickhouse} does not answer ({error}); start it with ./souk up"
        raise PartUnavailable(reason) from error


def _open_prompt(output: str, *, admin: bool) -> None:
    settings = Settings.load()
    analytics = analytics_database(settings.clickhouse_database)

    def answer(query: str) -> None:
        run(settings, query.encode(), {"default_format": output}, sys.stdout.buffer, admin=admin)

    def words() -> list[str]:
        found = io.BytesIO()
        query = COMPLETIONS.format(analytics=analytics).encode()
        run(settings, query, {"default_format": "TSVRaw"}, found, admin=admin)
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
