"""The measured duration of a request: to the end of its response, or to the head of an event stream."""

import asyncio
from time import perf_counter

import httpx
import pytest
from starlette.types import Receive, Scope, Send

from common.metrics import REGISTRY
from common.principal_token import PrincipalTokens
from common.problems import problem_response
from common.settings import Settings
from common.stopping import Stopping
from serving.gateway.middleware import HttpMiddleware


class SlowApp:
    """An application that responds with this content type. Its body takes as long as its head did."""

    def __init__(self, content_type: str) -> None:
        self._content_type = content_type.encode()
        self.requested_at = perf_counter()
        self.began_at = self.head_was_sent_at = 0.0

    async def __call__(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        self.began_at = perf_counter()
        headers = [(b"content-type", self._content_type)]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        self.head_was_sent_at = perf_counter()
        await asyncio.sleep(self.head_was_sent_at - self.requested_at)
        for more in (True, False):
            await send({"type": "http.response.body", "body": b"more", "more_body": more})


def seconds() -> float:
    """Return the sum over all requests without a known route."""
    return (
        REGISTRY.get_sample_value("souk_http_request_seconds_sum", {"service": "", "route": "other"}) or 0.0
    )


async def send_request(app: SlowApp) -> None:
    transport = httpx.ASGITransport(
        HttpMiddleware(app, ["localhost"], problem_response, Stopping(), PrincipalTokens(Settings()))
    )
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        await client.get("/")


@pytest.mark.parametrize("content_type", ["text/event-stream", "text/event-stream; charset=utf-8"])
def test_the_duration_of_an_event_stream_ends_with_its_head(content_type: str) -> None:
    app, before = SlowApp(content_type), seconds()
    asyncio.run(send_request(app))
    assert 0 < seconds() - before <= app.head_was_sent_at - app.requested_at


def test_the_duration_of_another_response_ends_with_its_body() -> None:
    app, before = SlowApp("application/json"), seconds()
    asyncio.run(send_request(app))
    assert seconds() - before >= 2 * app.head_was_sent_at - app.requested_at - app.began_at
