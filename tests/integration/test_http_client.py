"""The HTTP client before servers that answer, hang up, take their time, or are not there."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from common.http_client import HttpClient, HungUp, NoAnswer, TooSlow
from common.settings import LOOPBACK
from tests.integration.http_server import Say, answered, serving

SHORT_S = 0.2


@asynccontextmanager
async def client(url: str, connections: int = 0, answer_s: float = 60.0) -> AsyncIterator[HttpClient]:
    http = HttpClient(url, connections, kept_for_s=60.0, connect_s=SHORT_S, answer_s=answer_s)
    try:
        yield http
    finally:
        await http.aclose()


async def hang_up(_request: bytes, writer: asyncio.StreamWriter) -> None:
    writer.close()


async def break_off(_request: bytes, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
    writer.close()


async def wait(_request: bytes, _writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(3600)


async def babble(_request: bytes, writer: asyncio.StreamWriter) -> None:
    writer.write(b"good morning\r\n\r\n")


def test_a_request_is_sent_as_it_is_given_and_nothing_is_added_but_what_http_needs() -> None:
    async def ask() -> tuple[bytes, str]:
        async with serving(answered("200 OK", b"")) as heard, client(heard.url) as http:
            await http.ask("POST", "/a%2E%2E/%C3%A9?b=%2F&b=+", [("x-key", "é")], b"body")
            return heard.requests[0], heard.url.removeprefix("http://")

    request, host = asyncio.run(ask())
    first, *headers = request.decode().removesuffix("\r\n\r\nbody").split("\r\n")
    assert first == "POST /a%2E%2E/%C3%A9?b=%2F&b=+ HTTP/1.1"
    assert sorted(line.lower() for line in headers) == ["content-length: 4", f"host: {host}", "x-key: é"]


def test_an_answer_comes_as_it_was_given() -> None:
    async def ask() -> tuple[int, dict[bytes, bytes], bytes]:
        say = answered("302 Found", b"\x1f\x8b", "Location: /there", "Content-Encoding: gzip")
        async with serving(say) as heard, client(heard.url) as http:
            status, headers, content = await http.ask("GET", "/")
            return status, dict(headers), content

    status, headers, content = asyncio.run(ask())
    assert (status, content) == (302, b"\x1f\x8b")
    assert headers[b"Location"] == b"/there"


def test_a_connection_is_kept() -> None:
    async def ask() -> int:
        async with serving(answered("200 OK", b"{}")) as heard, client(heard.url) as http:
            for _ in range(10):
                await http.ask("GET", "/")
            return heard.connections

    assert asyncio.run(ask()) == 1


@pytest.mark.parametrize("say", [hang_up, break_off])
@pytest.mark.parametrize("method", ["GET", "PUT", "POST"])
def test_a_server_that_hangs_up_is_asked_once(say: Say, method: str) -> None:
    async def ask() -> list[bytes]:
        async with serving(say) as heard, client(heard.url) as http:
            with pytest.raises(HungUp):
                await http.ask(method, "/", body=b"{}")
            return heard.requests

    assert len(asyncio.run(ask())) == 1


def test_an_answer_that_does_not_come_is_not_waited_for_for_ever() -> None:
    async def ask() -> None:
        async with serving(wait) as heard, client(heard.url, answer_s=SHORT_S) as http:
            await http.ask("GET", "/")

    with pytest.raises(TooSlow):
        asyncio.run(ask())


def test_nor_is_a_free_connection() -> None:
    async def ask() -> None:
        async with serving(wait) as heard, client(heard.url, connections=1) as http:
            first = asyncio.create_task(http.ask("GET", "/first"))
            try:
                while not heard.requests:
                    await asyncio.sleep(0)
                await http.ask("GET", "/second")
            finally:
                first.cancel()

    with pytest.raises(TooSlow):
        asyncio.run(ask())


def test_where_nobody_listens_nobody_hangs_up() -> None:
    async def ask() -> None:
        async with client(f"http://{LOOPBACK}:1") as http:
            await http.ask("GET", "/")

    with pytest.raises(NoAnswer) as raised:
        asyncio.run(ask())
    assert type(raised.value) is NoAnswer


def test_what_is_no_http_is_no_answer() -> None:
    async def ask() -> None:
        async with serving(babble) as heard, client(heard.url) as http:
            await http.ask("GET", "/")

    with pytest.raises(NoAnswer):
        asyncio.run(ask())
