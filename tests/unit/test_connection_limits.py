"""What one client can send to, and keep open at, a server with the limits of `common.http_protocol`."""

import ast
import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from itertools import repeat
from pathlib import Path

import pytest
import uvicorn
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send
from uvicorn._types import ASGI3Application
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from common.body_deadline import MIN_BYTES_PER_S, BodyDeadlineProtocol
from common.http_protocol import MAX_HEAD_BYTES, MAX_HEADERS, DeadlineProtocol, server_config
from common.operations_server import serve_operations
from common.readiness import ProcessReadiness
from common.settings import LOOPBACK, ROOT, Settings
from common.stopping import Stopping
from serving.admission import AdmissionProtocol, Refusal
from tests.ports import free_offset

FLOOD_BYTES = 64 << 20
"""Much more than the sockets' buffers can take without the server."""

GET = b"GET /health HTTP/1.1\r\nHost: localhost\r\n"
POST = b"POST /health HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
BLOCK = b"x" * 65_536

ENDLESS = {
    "path": (b"GET /", repeat(BLOCK)),
    "header": (GET + b"X: ", repeat(BLOCK)),
    "header name": (GET, repeat(BLOCK)),
    "headers": (GET, repeat(b"X: y\r\n" * 10_000)),
    "long headers": (GET, repeat(b"X: " + BLOCK[:20_000] + b"\r\n")),
    "line ends": (b"", repeat(b"\r\n" * 30_000)),
    "trailer": (POST + b"0\r\nX: ", repeat(BLOCK)),
    "trailers": (POST + b"0\r\n", repeat(b"X: y\r\n" * 10_000)),
    "chunk extension": (POST + b"1;", repeat(BLOCK)),
}


class ImpatientProtocol(BodyDeadlineProtocol):
    """Gives a head a fifth of a second, and has room for three connections."""

    head_timeout_s = 0.2
    max_connections = 3


class RefusingProtocol(AdmissionProtocol):
    """Refuses each request as an overloaded process does, and gives a head a fifth of a second."""

    head_timeout_s = 0.2

    def _start_asgi_task(self, cycle: RequestResponseCycle, _app: ASGI3Application) -> None:
        self._refuse(cycle, Refusal(b"Content-Length: 0\r\n", b""), is_last=False)


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    body = await Request(scope, receive).body()
    await PlainTextResponse(str(len(body)))(scope, receive, send)


@asynccontextmanager
async def serving(protocol: type[DeadlineProtocol]) -> AsyncIterator[int]:
    """A server of the application `echo`; yields its port."""
    server = uvicorn.Server(server_config(echo, protocol, host=LOOPBACK, port=0, lifespan="off"))
    running = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    await running


async def flood(port: int, begin: bytes, more: Iterator[bytes]) -> tuple[int, bytes]:
    """Send until the server closes the connection; return the number of bytes, and the response."""
    reader, writer = await asyncio.open_connection(LOOPBACK, port)
    sent, received = 0, b""
    with suppress(ConnectionError):
        writer.write(begin)
        while sent < FLOOD_BYTES and not reader.at_eof():
            block = next(more)
            writer.write(block)
            await writer.drain()
            sent += len(block)
    with suppress(ConnectionError):
        received = await reader.read(100_000)
    writer.close()
    return sent, received


async def answer(port: int, request: bytes) -> bytes:
    """Send a request, and return what comes until the server closes the connection."""
    reader, writer = await asyncio.open_connection(LOOPBACK, port)
    writer.write(request)
    received = await reader.read()
    writer.close()
    return received


@pytest.mark.parametrize("protocol", [DeadlineProtocol, BodyDeadlineProtocol])
@pytest.mark.parametrize("kind", ENDLESS)
def test_a_head_without_an_end_is_cut_off(kind: str, protocol: type[DeadlineProtocol]) -> None:
    begin, more = ENDLESS[kind]

    async def run() -> tuple[int, bytes]:
        async with asyncio.timeout(30), serving(protocol) as port:
            return await flood(port, begin, more)

    sent, _ = asyncio.run(run())
    assert sent < FLOOD_BYTES


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        (b"X: y\r\n" * (MAX_HEADERS - 2), b"200"),
        (b"X: y\r\n" * (MAX_HEADERS - 1), b"431"),
        (b"X: " + b"y" * (MAX_HEAD_BYTES - 100) + b"\r\n", b"200"),
        (b"X: " + b"y" * MAX_HEAD_BYTES + b"\r\n", b"431"),
        ((b"X: " + b"y" * 30_000 + b"\r\n") * 3, b"431"),
    ],
    ids=["as many as allowed", "one more", "as long as allowed", "too long", "too long together"],
)
def test_a_head_beyond_a_limit_is_refused(headers: bytes, status: bytes) -> None:
    async def run() -> bytes:
        async with asyncio.timeout(30), serving(DeadlineProtocol) as port:
            return await answer(port, GET + b"Connection: close\r\n" + headers + b"\r\n")

    assert asyncio.run(run()).split()[1] == status


def test_a_long_body_and_many_requests_of_one_connection_are_no_head() -> None:
    size = 2_000_000

    async def run() -> bytes:
        async with asyncio.timeout(30), serving(BodyDeadlineProtocol) as port:
            reader, writer = await asyncio.open_connection(LOOPBACK, port)
            head = b"POST / HTTP/1.1\r\nHost: localhost\r\nX: %b\r\n" % (b"y" * 5_000)
            received = b""
            for _ in range(20):  # together more than one head may have
                writer.write(head + b"Content-Length: 0\r\n\r\n")
                received += await reader.readuntil(b"\r\n\r\n0")
            chunks = b"".join(b"1\r\nx\r\n" for _ in range(100_000)) + b"0\r\n\r\n"
            writer.write(head + b"Transfer-Encoding: chunked\r\n\r\n" + chunks)
            received += await reader.readuntil(b"100000")
            writer.write(head + b"Connection: close\r\nContent-Length: %d\r\n\r\n" % size + b"x" * size)
            received += await reader.read()
            writer.close()
            return received

    received = asyncio.run(run())
    assert received.count(b"HTTP/1.1 200") == 22
    assert received.endswith(str(size).encode())


def test_a_body_that_comes_steadily_may_take_longer_than_one_that_does_not() -> None:
    class StrictProtocol(BodyDeadlineProtocol):
        body_timeout_s = 0.2

    part = b"x" * MIN_BYTES_PER_S  # five times what 0.2 s need

    async def run(parts: int, of: bytes) -> bytes:
        async with asyncio.timeout(30), serving(StrictProtocol) as port:
            reader, writer = await asyncio.open_connection(LOOPBACK, port)
            length = parts * len(of)
            writer.write(b"POST / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n")
            writer.write(b"Content-Length: %d\r\n\r\n" % length)
            response = asyncio.create_task(reader.readuntil(b"\r\n\r\n"))
            with suppress(ConnectionError):
                for _ in range(parts):
                    writer.write(of)
                    await writer.drain()
                    await asyncio.sleep(StrictProtocol.body_timeout_s / 2)
            writer.close()
            return await response

    assert b" 200 " in asyncio.run(run(10, part))
    assert b" 408 " in asyncio.run(run(10, b"x"))


@pytest.mark.parametrize("sent", [b"", b"\r\n", b"GET / HT", GET, GET + b"\r\n" + GET])
def test_a_connection_without_a_whole_request_is_closed(sent: bytes) -> None:
    async def run() -> None:
        async with asyncio.timeout(30), serving(ImpatientProtocol) as port:
            with suppress(ConnectionError):
                await answer(port, sent)

    asyncio.run(run())


def test_line_ends_after_a_response_do_not_keep_a_connection_open() -> None:
    async def run() -> bytes:
        async with asyncio.timeout(30), serving(ImpatientProtocol) as port:
            reader, writer = await asyncio.open_connection(LOOPBACK, port)
            writer.write(GET + b"\r\n")
            await reader.readuntil(b"\r\n\r\n0")
            writer.write(b"\r\n")
            rest = await reader.read()
            writer.close()
            return rest

    assert asyncio.run(run()) == b""


def test_a_connection_whose_request_was_refused_at_once_stays_open() -> None:
    async def run() -> bytes:
        async with asyncio.timeout(30), serving(RefusingProtocol) as port:
            reader, writer = await asyncio.open_connection(LOOPBACK, port)
            writer.write(GET + b"\r\n")
            await reader.readuntil(b"\r\n\r\n")
            with suppress(TimeoutError):  # it would be closed after the time that a head may take
                await asyncio.wait_for(reader.read(), 5 * RefusingProtocol.head_timeout_s)
            writer.write(GET + b"Connection: close\r\n\r\n")
            return await reader.read()

    assert b" 503 " in asyncio.run(run())


def test_connections_without_a_request_make_room_for_others() -> None:
    async def run() -> bytes:
        async with asyncio.timeout(30), serving(ImpatientProtocol) as port:
            idle = [await asyncio.open_connection(LOOPBACK, port) for _ in range(20)]
            response = await answer(port, GET + b"Connection: close\r\n\r\n")
            for _, writer in idle:
                writer.close()
            return response

    assert b" 200 " in asyncio.run(run())


def test_the_server_of_a_process_without_an_api_has_the_same_limits() -> None:
    settings = Settings(port_offset=free_offset())
    serve_operations(settings, "jobs", ProcessReadiness({}, Stopping()))

    async def run() -> tuple[bytes, bytes, int]:
        port = settings.port("jobs")
        async with asyncio.timeout(30):
            return (
                await answer(port, GET + b"Connection: close\r\n\r\n"),
                await answer(port, GET + b"X: y\r\n" * MAX_HEADERS + b"\r\n"),
                (await flood(port, *ENDLESS["header"]))[0],
            )

    healthy, refused, sent = asyncio.run(run())
    assert healthy.endswith(b'{"status":"ok"}')
    assert b" 431 " in refused
    assert sent < FLOOD_BYTES


def servers_in(file: Path) -> set[str]:
    """Return the names in a module that make an HTTP server without the limits."""
    nodes = list(ast.walk(ast.parse(file.read_text())))
    used = {
        f"{node.value.id}.{node.attr}"
        for node in nodes
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
    }
    imported = {
        f"{node.module}.{name.name}"
        for node in nodes
        if isinstance(node, ast.ImportFrom)
        for name in node.names
    }
    return {
        name
        for name in used | imported
        if name in {"uvicorn.Config", "uvicorn.run", "asyncio.start_server"}
        or name.startswith(("http.server.", "wsgiref.", "socketserver."))
        or name.endswith(".start_http_server")
    }


def test_no_other_module_makes_an_http_server() -> None:
    rooms = ("common", "schemas", "producers", "clickhouse", "jobs", "serving", "local", "audit", "cli")
    files = [file for room in rooms for file in (ROOT / room).rglob("*.py")]
    found = {str(file.relative_to(ROOT)): names for file in files if (names := servers_in(file))}

    assert found == {"common/http_protocol.py": {"uvicorn.Config"}}
