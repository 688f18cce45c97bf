"""The HTTP client against servers that answer, close the connection, are slow, or are down."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from common.http_client import (
    ConnectionLost,
    HttpClient,
    HttpStream,
    NotConnected,
    RequestFailed,
    RequestTimedOut,
)
from common.settings import LOOPBACK
from tests.integration.http_server import Say, answered, serving

SHORT_S = 0.2


@asynccontextmanager
async def client(url: str, connections: int = 0, read_timeout_s: float = 60.0) -> AsyncIterator[HttpClient]:
    http = HttpClient(
        url, connections, keepalive_s=60.0, connect_timeout_s=SHORT_S, read_timeout_s=read_timeout_s
    )
    try:
        yield http
    finally:
        await http.aclose()


async def close_at_once(_request: bytes, writer: asyncio.StreamWriter) -> None:
    writer.close()


async def close_in_the_body(_request: bytes, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
    writer.close()


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


def chunk(content: bytes) -> bytes:
    return f"{len(content):x}\r\n".encode() + content + b"\r\n"


async def never_answer(_request: bytes, _writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(3600)


async def answer_in_no_http(_request: bytes, writer: asyncio.StreamWriter) -> None:
    writer.write(b"good morning\r\n\r\n")


def test_a_request_is_sent_unchanged_with_only_the_headers_that_http_requires() -> None:
    async def send() -> tuple[bytes, str]:
        async with serving(answered("200 OK", b"")) as server, client(server.url) as http:
            await http.request("POST", "/a%2E%2E/%C3%A9?b=%2F&b=+", [("x-key", "é")], b"body")
            return server.requests[0], server.url.removeprefix("http://")

    request, host = asyncio.run(send())
    first, *headers = request.decode().removesuffix("\r\n\r\nbody").split("\r\n")
    assert first == "POST /a%2E%2E/%C3%A9?b=%2F&b=+ HTTP/1.1"
    assert sorted(line.lower() for line in headers) == ["content-length: 4", f"host: {host}", "x-key: é"]


def test_a_response_is_returned_unchanged() -> None:
    async def send() -> tuple[int, dict[bytes, bytes], bytes]:
        say = answered("302 Found", b"\x1f\x8b", "Location: /there", "Content-Encoding: gzip")
        async with serving(say) as server, client(server.url) as http:
            status, headers, content = await http.request("GET", "/")
            return status, dict(headers), content

    status, headers, content = asyncio.run(send())
    assert (status, content) == (302, b"\x1f\x8b")
    assert headers[b"Location"] == b"/there"


def test_a_connection_is_reused() -> None:
    async def send() -> int:
        async with serving(answered("200 OK", b"{}")) as server, client(server.url) as http:
            for _ in range(10):
                await http.request("GET", "/")
            return server.connections

    assert asyncio.run(send()) == 1


@pytest.mark.parametrize("say", [close_at_once, close_in_the_body])
@pytest.mark.parametrize("method", ["GET", "PUT", "POST"])
def test_a_request_is_not_repeated_when_the_server_closes_the_connection(say: Say, method: str) -> None:
    async def send() -> list[bytes]:
        async with serving(say) as server, client(server.url) as http:
            with pytest.raises(ConnectionLost):
                await http.request(method, "/", body=b"{}")
            return server.requests

    assert len(asyncio.run(send())) == 1


def test_waiting_for_a_response_times_out() -> None:
    async def send() -> None:
        async with serving(never_answer) as server, client(server.url, read_timeout_s=SHORT_S) as http:
            await http.request("GET", "/")

    with pytest.raises(RequestTimedOut):
        asyncio.run(send())


def test_waiting_for_a_free_connection_times_out() -> None:
    async def send() -> None:
        async with serving(never_answer) as server, client(server.url, connections=1) as http:
            first = asyncio.create_task(http.request("GET", "/first"))
            try:
                while not server.requests:
                    await asyncio.sleep(0)
                await http.request("GET", "/second")
            finally:
                first.cancel()

    with pytest.raises(RequestTimedOut):
        asyncio.run(send())


def test_a_refused_connection_is_not_a_lost_connection() -> None:
    async def send() -> None:
        async with client(f"http://{LOOPBACK}:1") as http:
            await http.request("GET", "/")

    with pytest.raises(NotConnected):
        asyncio.run(send())


def test_a_client_of_one_address_connects_to_it_under_the_name_in_its_url() -> None:
    async def send() -> tuple[bytes, str]:
        async with serving(answered("200 OK", b"")) as server:
            port = server.url.rpartition(":")[2]
            http = HttpClient(f"http://orders.test:{port}", 0, 60.0, 60.0, 60.0, address=LOOPBACK)
            await http.request("GET", "/")
            await http.aclose()
            return server.requests[0], f"orders.test:{port}"

    request, host = asyncio.run(send())
    assert f"host: {host}" in request.decode().lower()


def test_a_response_that_is_not_http_is_an_error() -> None:
    async def send() -> None:
        async with serving(answer_in_no_http) as server, client(server.url) as http:
            await http.request("GET", "/")

    with pytest.raises(RequestFailed):
        asyncio.run(send())


def test_a_response_without_a_length_is_passed_on_before_its_end() -> None:
    async def run() -> None:
        first_was_read = asyncio.Event()

        async def say(_request: bytes, writer: asyncio.StreamWriter) -> None:
            writer.write(CHUNKED + chunk(b"first"))
            await first_was_read.wait()
            writer.write(chunk(b"second") + chunk(b""))

        async with serving(say) as server, client(server.url, 1) as http:
            stream = await http.open("GET", "/")
            assert isinstance(stream, HttpStream)
            found = []
            async for part in stream.parts():
                found.append(part)
                first_was_read.set()
            await stream.aclose()
            assert (stream.status, b"".join(found)) == (200, b"firstsecond")
            again = await http.request("GET", "/")  # over the connection that was released
            assert (again.content, server.connections) == (b"firstsecond", 1)

    asyncio.run(run())


def test_a_stream_has_little_in_memory_whatever_its_size() -> None:
    size = 16 * 1024 * 1024

    async def say(_request: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(CHUNKED)
        for _ in range(size // 65_536):
            writer.write(chunk(bytes(65_536)))
            await writer.drain()
        writer.write(chunk(b""))

    async def run() -> list[int]:
        async with serving(say) as server, client(server.url) as http:
            stream = await http.open("GET", "/")
            assert isinstance(stream, HttpStream)
            sizes = []
            async for part in stream.parts():
                sizes.append(len(part))
                await asyncio.sleep(0.001)  # the server is faster
            await stream.aclose()
            return sizes

    sizes = asyncio.run(run())
    assert sum(sizes) == size
    assert max(sizes) < 1_000_000


def test_a_stream_that_breaks_says_so_and_one_that_never_begins_is_no_stream() -> None:
    async def break_off(_request: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(CHUNKED + chunk(b"first"))
        await writer.drain()
        writer.close()

    async def break_before(_request: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(CHUNKED)
        await writer.drain()
        writer.close()

    async def run() -> None:
        async with serving(break_off) as server, client(server.url) as http:
            stream = await http.open("GET", "/")
            assert isinstance(stream, HttpStream)
            with pytest.raises(ConnectionLost):
                [part async for part in stream.parts()]
            await stream.aclose()
        async with serving(break_before) as server, client(server.url) as http:
            with pytest.raises(ConnectionLost):
                await http.open("GET", "/", idempotent=True)
            assert len(server.requests) == 2

    asyncio.run(run())


def test_a_stream_that_is_closed_early_closes_its_connection() -> None:
    async def say(_request: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(CHUNKED + chunk(b"first"))

    async def run() -> int:
        async with serving(say) as server, client(server.url, 1) as http:
            for _ in range(2):
                stream = await http.open("GET", "/")
                assert isinstance(stream, HttpStream)
                await stream.aclose()
            return server.connections

    assert asyncio.run(run()) == 2
