"""The gateway passes pictures on as they are, for shared caches, and takes a few large bodies at a time."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import uvicorn

from common.http_protocol import server_config
from common.principal import Principal
from common.settings import LOOPBACK, Settings
from producers.kit.http.routes import LIST_LIMIT
from producers.services.products.picture_rules import MAX_BYTES
from serving.app import create_app
from serving.commerce.routes import UPLOADS_OF_SELLER
from tests.integration.http_server import Say, answered, serving
from tests.integration.servers import TEST_TIMEOUT_S
from tests.pictures import drawn, written
from tests.ports import free_offset
from tests.principals import bearer

PICTURE = written(drawn(), "WEBP")
FOR_EVER = "public, max-age=31536000, immutable"
MANAGER = Principal(
    "person-1", frozenset({"shopper", "seller"}), ("shopper-1",), {"seller-1": "manager"}, session_id="s"
)
SENT = "/v1/sellers/seller-1/pictures"
PNG = {"Content-Type": "image/png"}


@asynccontextmanager
async def api(home: Path, service: Say) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the API in this event loop, with a stand-in for the commerce services."""
    async with serving(service) as commerce:
        settings = Settings(home=home, port_offset=free_offset(), commerce_url=commerce.url)
        app = create_app(settings)
        server = uvicorn.Server(server_config(app, host=LOOPBACK, port=settings.port("serving")))
        running = asyncio.create_task(server.serve())
        try:
            async with asyncio.timeout(TEST_TIMEOUT_S):
                while not server.started:
                    await asyncio.sleep(0.01)
            async with httpx.AsyncClient(
                base_url=settings.serving,
                trust_env=False,
                timeout=TEST_TIMEOUT_S,
                headers=bearer(settings, MANAGER),
            ) as client:
                yield client
        finally:
            server.should_exit = True
            await running


def test_a_picture_passes_as_it_is_and_may_be_stored_by_everybody(tmp_path: Path) -> None:
    service = answered("200 OK", PICTURE, "Content-Type: image/webp", f"Cache-Control: {FOR_EVER}")

    async def read() -> httpx.Response:
        async with api(tmp_path, service) as client:
            request = client.build_request("GET", f"/v1/pictures/{'ab' * 32}/480")
            del request.headers["Authorization"]
            return await client.send(request)

    answer = asyncio.run(read())
    assert (answer.status_code, answer.content) == (200, PICTURE)
    assert answer.headers["content-type"] == "image/webp"
    assert answer.headers["cache-control"] == FOR_EVER
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert not {"set-cookie", "ratelimit"} & set(answer.headers)


def test_a_seller_sends_a_few_large_pictures_at_a_time(tmp_path: Path) -> None:
    received: list[bytes] = []

    async def sent() -> list[httpx.Response]:
        go_on = asyncio.Event()

        async def service(request: bytes, writer: asyncio.StreamWriter) -> None:
            if SENT.encode() in request.split(b"\r\n", 1)[0]:
                received.append(request)
                await go_on.wait()
            await answered("202 Accepted", b"{}", "Content-Type: application/json")(request, writer)

        async with api(tmp_path, service) as client:
            large = [
                asyncio.create_task(client.post(SENT, content=bytes(MAX_BYTES), headers=PNG))
                for _ in range(UPLOADS_OF_SELLER)
            ]
            async with asyncio.timeout(TEST_TIMEOUT_S):
                while len(received) < UPLOADS_OF_SELLER:
                    await asyncio.sleep(0.01)
            one_more = await client.post(SENT, content=bytes(LIST_LIMIT + 1), headers=PNG)
            small = asyncio.create_task(client.post(SENT, content=bytes(LIST_LIMIT), headers=PNG))
            async with asyncio.timeout(TEST_TIMEOUT_S):
                while len(received) < UPLOADS_OF_SELLER + 1:
                    await asyncio.sleep(0.01)
            go_on.set()
            first = await asyncio.gather(*large)
            later = await client.post(SENT, content=bytes(MAX_BYTES), headers=PNG)
            too_large = await client.post(SENT, content=bytes(MAX_BYTES + 1), headers=PNG)
            return [too_large, one_more, *first, await small, later]

    too_large, one_more, *others = asyncio.run(sent())
    assert too_large.status_code == 413
    assert (one_more.status_code, one_more.headers["retry-after"]) == (429, "5")
    assert [answer.status_code for answer in others] == [202] * (UPLOADS_OF_SELLER + 2)
    assert all(request.endswith(bytes(MAX_BYTES)) for request in received[:UPLOADS_OF_SELLER])
