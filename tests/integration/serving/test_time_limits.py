"""The API under clients that send slowly and services that respond slowly."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import orjson
import pytest
import uvicorn

from common.body_deadline import BodyDeadlineProtocol
from common.principal import guest
from common.settings import LOOPBACK, Settings
from serving.app import create_app
from serving.gateway.time_limits import TIME_LIMITS_S
from tests.integration.http_server import answered, serving
from tests.integration.servers import TEST_TIMEOUT_S
from tests.ports import free_offset
from tests.principals import bearer

ORDER = "0193b0c4-7a51-7cc2-9d0e-5f2b7f0a1c11"
SHOPPER = guest("a" * 32)

at_once = answered("200 OK", b"{}")


class ImpatientProtocol(BodyDeadlineProtocol):
    """Gives a body half a second."""

    body_timeout_s = 0.5


class SlowService:
    """A commerce service that handles a request about orders for as long as a test wants."""

    def __init__(self) -> None:
        self.go_on = asyncio.Event()
        self.handled = asyncio.Event()

    async def say(self, request: bytes, writer: asyncio.StreamWriter) -> None:
        if b"/v1/orders" in request.split(b"\r\n", 1)[0]:
            await self.go_on.wait()
            self.handled.set()
        await at_once(request, writer)


@asynccontextmanager
async def api(home: Path, commerce: str) -> AsyncIterator[Settings]:
    """The API in this event loop, without stores."""
    settings = Settings(home=home, port_offset=free_offset(), commerce_url=commerce)
    config = uvicorn.Config(
        create_app(settings),
        host=LOOPBACK,
        port=settings.port("serving"),
        http=ImpatientProtocol,
        log_config=None,
        timeout_graceful_shutdown=1,
    )
    server = uvicorn.Server(config)
    running = asyncio.create_task(server.serve())
    try:
        async with asyncio.timeout(TEST_TIMEOUT_S):
            while not server.started:
                await asyncio.sleep(0.01)
        yield settings
    finally:
        server.should_exit = True
        await running


@asynccontextmanager
async def client_of(settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(
        base_url=settings.serving,
        trust_env=False,
        timeout=TEST_TIMEOUT_S,
        headers=bearer(settings, SHOPPER),
    ) as client:
        yield client


def test_a_slow_service_is_waited_for_only_as_long_as_the_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for traffic in ("checkout", "read", "page"):
        monkeypatch.setitem(TIME_LIMITS_S, traffic, 0.5)

    async def answers() -> list[httpx.Response]:
        service = SlowService()
        async with (
            serving(service.say) as commerce,
            api(tmp_path, commerce.url) as settings,
            client_of(settings) as client,
        ):
            checkout = await client.post("/v1/orders", content=b"{}", headers={"Idempotency-Key": "once"})
            read = await client.get(f"/v1/orders/{ORDER}")
            page = await client.get(f"/shop/orders/{ORDER}", headers={"Accept": "text/html"})
            service.go_on.set()
            async with asyncio.timeout(TEST_TIMEOUT_S):
                await service.handled.wait()  # the service ends what it has begun
            again = await client.post("/v1/orders", content=b"{}", headers={"Idempotency-Key": "once"})
            return [checkout, read, page, again]

    checkout, read, page, again = asyncio.run(answers())
    assert (checkout.status_code, checkout.headers["content-type"]) == (504, "application/problem+json")
    assert checkout.json()["type"] == "urn:souk:problem:time-limit-exceeded"
    assert "with the same Idempotency-Key" in checkout.json()["detail"]
    assert read.status_code == 504
    assert (page.status_code, page.headers["content-type"]) == (504, "text/html; charset=utf-8")
    assert "This took too long" in page.text
    assert again.status_code == 200


def test_a_body_that_comes_too_slowly_is_refused_and_the_connection_ends(tmp_path: Path) -> None:
    async def sent() -> tuple[bytes, str]:
        async with serving(at_once) as commerce, api(tmp_path, commerce.url) as settings:
            reader, writer = await asyncio.open_connection(LOOPBACK, settings.port("serving"))
            authorization = bearer(settings, SHOPPER)["Authorization"]
            writer.write(
                b"POST /v1/orders HTTP/1.1\r\nHost: localhost\r\nIdempotency-Key: once\r\n"
                b"Content-Length: 1000\r\nAuthorization: %b\r\n\r\n" % authorization.encode()
            )
            dripping = asyncio.create_task(drip(writer))
            async with asyncio.timeout(TEST_TIMEOUT_S):
                received = await reader.read()  # until the server closes the connection
            dripping.cancel()
            await asyncio.gather(dripping, return_exceptions=True)
            writer.close()
            async with client_of(settings) as client:
                metrics = (await client.get("/metrics")).text
            assert not [each for each in commerce.requests if b"/v1/orders" in each]
            return received, metrics

    received, metrics = asyncio.run(sent())
    head, _, body = received.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 408 ")
    assert orjson.loads(body)["type"] == "urn:souk:problem:body-too-slow"
    assert 'souk_http_requests_total{method="POST",route="/v1/orders",service="",status="408"} 1.0' in metrics


def test_a_connection_is_not_kept_for_the_rest_of_a_body_after_the_response(tmp_path: Path) -> None:
    async def sent() -> bytes:
        async with serving(at_once) as commerce, api(tmp_path, commerce.url) as settings:
            reader, writer = await asyncio.open_connection(LOOPBACK, settings.port("serving"))
            writer.write(b"POST /v1/orders HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n")
            dripping = asyncio.create_task(drip(writer))
            received = b""
            try:
                async with asyncio.timeout(TEST_TIMEOUT_S):
                    while chunk := await reader.read(10_000):
                        received += chunk
            except ConnectionResetError:
                pass
            dripping.cancel()
            await asyncio.gather(dripping, return_exceptions=True)
            writer.close()
            return received

    assert asyncio.run(sent()).startswith(b"HTTP/1.1 401 ")


async def drip(writer: asyncio.StreamWriter) -> None:
    """Send one byte of a body after the other."""
    while True:
        writer.write(b" ")
        await writer.drain()
        await asyncio.sleep(0.05)
