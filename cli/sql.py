"""`./souk sql`: runs a query on ClickHouse and streams its answer to standard output."""

import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, BinaryIO

import httpx
import typer

from clickhouse.front.errors import DatabaseError
from clickhouse.front.statement import split_insert
from common.errors import PartUnavailable, SoukError, UserError
from common.settings import Settings

_CHUNK = 1 << 20
_VERSION = re.compile(r"\s*\(version [^()]*(?:\([^()]*\))?\)\s*$")
_CODE = re.compile(r"^Code: (\d+)\.")
"""Begins an error's text; what has none is no error of ClickHouse's, but of what stands before it."""

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
"""ClickHouse's codes of what is wrong with itself or its machine; every other error is the query's."""

_NOT_ALLOWED = (164, 497)
"""READONLY, ACCESS_DENIED."""


class QueryFailed(SoukError):
    """ClickHouse could not answer the query; the message is ClickHouse's, in one line."""


class QueryRefused(UserError):
    """The query is wrong, or its user may not run it; the message is ClickHouse's, in one line."""


def command(
    query: Annotated[str, typer.Argument(help="The query; without it, --file or standard input.")] = "",
    file: Annotated[Path | None, typer.Option("--file", "-f", help="Read the query from a file.")] = None,
    output: Annotated[
        str, typer.Option("--format", help="Any ClickHouse format, such as CSVWithNames.")
    ] = "",
    param: Annotated[list[str] | None, typer.Option(help="name=value, for {name:Type} in the query.")] = None,
    admin: Annotated[bool, typer.Option("--admin", help="As the admin, who may write.")] = False,
) -> None:
    """Run one query; data for an INSERT come from standard input."""
    text = _text(query, file)
    default = "PrettyCompact" if sys.stdout.isatty() else "TabSeparatedWithNames"
    params = {"default_format": output or default} | dict(map(_parameter, param or []))
    try:
        run(Settings.load(), _body(text, given=bool(query or file)), params, sys.stdout.buffer, admin=admin)
    except BrokenPipeError:  # `| head` has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def run(
    settings: Settings, body: bytes | Iterator[bytes], params: dict[str, str], out: BinaryIO, *, admin: bool
) -> None:
    """Send a query and write the answer to `out` as it comes.

    Raises:
        PartUnavailable: ClickHouse does not answer.
        QueryRefused: the query is wrong, or not allowed; ClickHouse may notice in the middle of its answer.
        QueryFailed: ClickHouse fails, at once or in the middle of its answer.
    """
    user = settings.clickhouse_admin_user if admin else settings.clickhouse_reader_user
    password = settings.clickhouse_admin_password if admin else settings.clickhouse_reader_password
    login = {"x-clickhouse-user": user, "x-clickhouse-key": password.get_secret_value()}
    asked = {"database": settings.clickhouse_database, **params}
    timeout = httpx.Timeout(None, connect=5)
    try:
        with (
            httpx.Client(timeout=timeout, trust_env=False) as client,
            client.stream("POST", settings.clickhouse, params=asked, content=body, headers=login) as answer,
        ):
            if answer.status_code != 200:
                raise _error(answer.read(), admin=admin)
            _copy(answer, out, admin=admin)
    except httpx.HTTPError as error:
        reason = f"ClickHouse at {settings.clickhouse} does not answer ({error}); start it with ./souk up"
        raise PartUnavailable(reason) from error


def _copy(answer: httpx.Response, out: BinaryIO, *, admin: bool) -> None:
    """Copy the answer; an error in its midst stands between the marks that the answer's header announces."""
    tag = answer.headers.get("x-clickhouse-exception-tag", "")
    mark = f"\r\n__exception__\r\n{tag}\r\n".encode()
    kept = b""
    try:
        for chunk in answer.iter_bytes():
            kept += chunk
            if tag and mark in kept:
                continue
            ready = len(kept) - len(mark)
            if ready > 0:
                out.write(kept[:ready])
                kept = kept[ready:]
    except httpx.RemoteProtocolError:
        if mark not in kept:
            raise
    data, failed, error = kept.partition(mark)
    out.write(data if tag else kept)
    out.flush()
    if tag and failed:
        raise _error(error.partition(b"\n")[0] if b"__exception__" in error else error, admin=admin)


def _text(query: str, file: Path | None) -> bytes:
    if query and file:
        raise UserError("give a query or --file, not both")
    if query:
        return query.encode()
    if file is None:
        if sys.stdin.isatty():
            raise UserError('give a query, such as ./souk sql "SELECT 1"')
        return sys.stdin.buffer.read()
    try:
        return file.read_bytes()
    except OSError as error:
        raise UserError(f"{file} can't be read: {error.strerror}") from error


def _body(text: bytes, *, given: bool) -> bytes | Iterator[bytes]:
    """The query; where it is an INSERT whose data are not in it, then standard input after it."""
    try:
        insert = split_insert(text)
    except DatabaseError as error:
        raise QueryRefused(str(error)) from None
    if insert is None or not given or sys.stdin.isatty() or text[insert.data_at :].strip():
        return text
    return _then(text + b"\n", sys.stdin.buffer)


def _then(head: bytes, rest: BinaryIO) -> Iterator[bytes]:
    yield head
    while chunk := rest.read(_CHUNK):
        yield chunk


def _parameter(pair: str) -> tuple[str, str]:
    name, given, value = pair.partition("=")
    if not given or not name.isidentifier():
        raise UserError(f"--param {pair}: give it as name=value")
    escaped = value.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n")
    return f"param_{name}", escaped


def _error(text: bytes, *, admin: bool) -> SoukError:
    """What ClickHouse's text means, in one line."""
    said = _VERSION.sub("", " ".join(text.decode(errors="replace").split()))
    found = _CODE.search(said)
    code = int(found[1]) if found else None
    if code is None or code in _FAILURES:
        return QueryFailed(said)
    hint = "; the reader only reads, --admin may do more" if code in _NOT_ALLOWED and not admin else ""
    return QueryRefused(said + hint)
