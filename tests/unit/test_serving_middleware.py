"""The middleware applies to every response, also after an unexpected error and to HEAD of a stream."""

import asyncio

import httpx
import pytest
from starlette.types import Receive, Scope, Send

from common.problems import problem_response
from common.stopping import Stopping
from serving.middleware import HttpMiddleware


async def broken(_scope: Scope, _receive: Receive, _send: Send) -> None:
    raise RuntimeError("nobody foresaw this")


async def endless(_scope: Scope, _receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    for _ in range(3):
        await send({"type": "http.response.body", "body": b"more", "more_body": True})


async def ask(guard: HttpMiddleware, method: str, host: str = "localhost:8000") -> httpx.Response:
    transport = httpx.ASGITransport(guard)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        return await client.request(method, "/", headers={"Host": host})


def test_a_bug_is_a_problem_with_every_header() -> None:
    answer = asyncio.run(ask(HttpMiddleware(broken, ["localhost"], problem_response, Stopping()), "GET"))
    assert (answer.status_code, answer.headers["content-type"]) == (500, "application/problem+json")
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert "nobody foresaw" not in answer.text


def test_the_head_of_a_stream_ends_at_once() -> None:
    answer = asyncio.run(ask(HttpMiddleware(endless, ["localhost"], problem_response, Stopping()), "HEAD"))
    assert (answer.status_code, answer.content) == (200, b"")


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost", 500),
        ("LOCALHOST:80", 500),
        ("evil.example", 400),
        ("localhost.evil.example", 400),
        ("127.0.0.1:8000@evil.com", 400),
        ("localhost:8000@evil.com", 400),
        ("evil.com@localhost:8000", 400),
        ("localhost:", 400),
        ("localhost:80:80", 400),
        ("localhost:80x", 400),
        ("localhost /", 400),
        ("[::1]:8000", 400),
        ("", 400),
    ],
)
def test_only_known_hosts_are_answered(host: str, status: int) -> None:
    assert (
        asyncio.run(
            ask(HttpMiddleware(broken, ["localhost"], problem_response, Stopping()), "GET", host)
        ).status_code
        == status
    )
