"""What a commerce service gets with a forwarded request: the gateway's word on who sends it, and no other."""

import asyncio
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace

import httpx
import pytest
from fastapi import FastAPI, Request
from starlette.responses import Response
from starlette.types import Message

from common.principal import Principal, guest
from common.principal_token import COMMERCE, PrincipalTokens, Sender
from common.problems import install_error_handlers, problem_response
from common.settings import LOOPBACK, Settings
from common.tracing import trace_span
from serving.commerce.commerce_client import CommerceClient
from serving.gateway.identity import Identity
from serving.kit.problems import CommerceUnavailable
from tests.integration.http_server import answered, serving
from tests.recorded_spans import record_all_spans

OUTSIDE = {
    "Souk-Principal": "forged",
    "Cookie": "souk_session=secret",
    "Authorization": "Bearer secret",
    "Connection": "keep-alive, x-hop",
    "X-Hop": "forged",
    "TE": "trailers",
    "Upgrade": "h2c",
    "Idempotency-Key": "once",
}


def settings_of(url: str) -> Settings:
    return Settings(home=Path("/nowhere"), commerce_url=url)


def client_of(url: str) -> CommerceClient:
    settings = settings_of(url)
    return CommerceClient(settings, PrincipalTokens(settings))


def forwarded(principal: Principal | None) -> dict[str, str]:
    """Send a request with the headers `OUTSIDE` through the client, and return those that the service got."""

    async def send() -> bytes:
        response = answered("200 OK", b"{}", "Connection: close-soon", "Set-Cookie: a=b", "ETag: 1")
        async with serving(response) as server, client_of(server.url) as commerce:
            app = FastAPI()

            @app.post("/v1/orders")
            async def place_order(request: Request) -> Response:
                request.state.identity = Identity(principal)
                return await commerce.forward(request, "orders", await request.body())

            transport = httpx.ASGITransport(app, client=("203.0.113.7", 1))
            async with httpx.AsyncClient(transport=transport, base_url="http://shop.test") as client:
                answer = await client.post("/v1/orders", content=b"{}", headers=OUTSIDE)
            assert answer.headers["etag"] == "1"
            assert not {"connection", "set-cookie"} & set(answer.headers)
            return next(request for request in server.requests if request.startswith(b"POST"))

    lines = asyncio.run(send()).decode().split("\r\n\r\n")[0].split("\r\n")[1:]
    return {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}


def test_the_principal_and_the_address_come_from_the_gateway() -> None:
    got = forwarded(guest("g"))
    tokens = PrincipalTokens(settings_of(""))
    assert tokens.verify_sender(got["souk-principal"], COMMERCE) == Sender(guest("g"), "203.0.113.7")


def test_nothing_of_a_request_from_outside_says_who_sends_it() -> None:
    got = forwarded(None)
    assert set(got) - {"host", "content-length", "accept"} == {
        "idempotency-key",
        "souk-principal",
        "user-agent",
    }
    tokens = PrincipalTokens(settings_of(""))
    assert tokens.verify_sender(got["souk-principal"], COMMERCE) == Sender(None, "203.0.113.7")


def test_a_service_that_failed_too_often_is_said_to_be_away_with_the_time_to_try_again() -> None:
    async def send() -> httpx.Response:
        async with client_of(f"http://{LOOPBACK}:1") as commerce:
            app = FastAPI()
            install_error_handlers(app, problem_response)

            @app.post("/v1/orders")
            async def place_order(request: Request) -> Response:
                request.state.identity = Identity(None)
                return await commerce.forward(request, "orders", await request.body())

            transport = httpx.ASGITransport(app)
            async with httpx.AsyncClient(transport=transport, base_url="http://shop.test") as client:
                for _ in range(20):
                    away = await client.post("/v1/orders", content=b"{}")
                    assert "may or may not have taken effect" in away.json()["detail"]
                return await client.post("/v1/orders", content=b"{}")

    answer = asyncio.run(send())
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    assert answer.json()["type"] == "urn:souk:problem:commerce-unavailable"
    assert "nothing was changed" in answer.json()["detail"]


def request_for(path: str) -> Request:
    """A request of a guest that the gateway let through, whose route has this path."""
    route = SimpleNamespace(path_format=path)
    scope = {"type": "http", "method": "GET", "headers": [], "query_string": b"", "route": route}
    request = Request({**scope, "path": path, "path_params": {}, "client": None})
    request.state.identity = Identity(None)
    return request


def test_a_file_is_passed_on_before_the_service_has_sent_its_end() -> None:
    async def pass_on() -> list[Message]:
        first_was_sent = asyncio.Event()
        sent: list[Message] = []

        async def say(_request: bytes, writer: asyncio.StreamWriter) -> None:
            head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Type: text/csv\r\n\r\n"
            writer.write(head + b"5\r\nfirst\r\n")
            await first_was_sent.wait()
            writer.write(b"6\r\nsecond\r\n0\r\n\r\n")

        async def receive() -> Message:
            await asyncio.Event().wait()
            raise AssertionError

        async def send(message: Message) -> None:
            sent.append(message)
            if message.get("body") == b"first":
                first_was_sent.set()

        async with serving(say) as server, client_of(server.url) as commerce:
            request = request_for("/v1/files")
            response = await commerce.forward(request, "products", b"")
            assert outstanding(commerce) == 1
            await response(request.scope, receive, send)
            assert outstanding(commerce) == 0
        return sent

    start, *parts = asyncio.run(asyncio.wait_for(pass_on(), 30))
    assert (start["status"], dict(start["headers"])[b"content-type"]) == (200, b"text/csv")
    assert [part["body"] for part in parts] == [b"first", b"second", b""]


def outstanding(commerce: CommerceClient) -> int:
    """How many requests to the products service have no whole response yet."""
    return sum(each["outstanding"] for each in commerce.routes.snapshot()["products"]["addresses"])


def test_a_file_that_breaks_before_its_first_byte_is_a_problem() -> None:
    async def say(_request: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        await writer.drain()
        writer.close()

    async def pass_on() -> None:
        async with serving(say) as server, client_of(server.url) as commerce:
            with pytest.raises(CommerceUnavailable):
                await commerce.forward(request_for("/v1/files"), "products", b"")
            assert outstanding(commerce) == 0

    asyncio.run(pass_on())


@pytest.mark.parametrize(
    ("status", "is_error"), [("404 Not Found", False), ("500 Internal Server Error", True)]
)
def test_the_span_of_a_call_has_the_status_and_is_an_error_from_500_on(
    monkeypatch: pytest.MonkeyPatch, status: str, is_error: bool
) -> None:
    recorded = record_all_spans(monkeypatch)

    async def send() -> None:
        async with serving(answered(status, b"{}")) as server, client_of(server.url) as commerce:
            trace_id = "0af7651916cd43dd8448eb211c80319c"
            with trace_span("serving", "page", "server", trace_id), suppress(CommerceUnavailable):
                await commerce.call(guest("g"), "GET", "/v1/orders")

    asyncio.run(send())
    span = recorded()["GET orders"]
    assert span.attributes
    assert span.attributes["http.response.status_code"] == int(status[:3])
    assert (not span.status.is_ok) is is_error
