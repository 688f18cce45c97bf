"""`./souk sql`: runs a query on ClickHouse and streams its answer to standard output."""

import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, BinaryIO

import httpx
import typer

from clickhouse.front.statement import split_insert
from common.errors import PartUnavailable, SoukError, UserError
from common.settings import Settings

_CHUNK = 1 << 20
_VERSION = re.compile(r"\s*\(version [^()]*(?:\([^()]*\))?\)\s*$")


class QueryFailed(SoukError):
    """ClickHouse refused the query; the message is ClickHouse's, in one line."""


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
        QueryFailed: ClickHouse refused the query, at once or in the middle of its answer.
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
                raise QueryFailed(_one_line(answer.read()))
            _copy(answer, out)
    except httpx.HTTPError as error:
        reason = f"ClickHouse at {settings.clickhouse} does not answer ({error}); start it with ./souk up"
        raise PartUnavailable(reason) from error


def _copy(answer: httpx.Response, out: BinaryIO) -> None:
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
        raise QueryFailed(_one_line(error.partition(b"\n")[0] if b"__exception__" in error else error))


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
    insert = split_insert(text)
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


def _one_line(text: bytes) -> str:
    return _VERSION.sub("", " ".join(text.decode(errors="replace").split()))
