"""How long a request took: to the end of its answer, or to where a stream of events begins."""

import asyncio
from time import perf_counter

import httpx
import pytest
from starlette.types import Receive, Scope, Send

from common.metrics import REGISTRY
from common.problems import as_json
from serving.guard import Guard


class Answers:
    """An application that answers in this type; after its head it takes as long again as until then."""

    def __init__(self, content_type: str) -> None:
        self._content_type = content_type.encode()
        self.asked_at = perf_counter()
        self.began_at = self.head_was_sent_at = 0.0

    async def __call__(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        self.began_at = perf_counter()
        headers = [(b"content-type", self._content_type)]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        self.head_was_sent_at = perf_counter()
        await asyncio.sleep(self.head_was_sent_at - self.asked_at)
        for more in (True, False):
            await send({"type": "http.response.body", "body": b"more", "more_body": more})


def seconds() -> float:
    """Of all requests of no known route together."""
    return REGISTRY.get_sample_value("souk_http_request_seconds_sum", {"route": "other"}) or 0.0


async def ask(app: Answers) -> None:
    transport = httpx.ASGITransport(Guard(app, ["localhost"], as_json))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        await client.get("/")


@pytest.mark.parametrize("content_type", ["text/event-stream", "text/event-stream; charset=utf-8"])
def test_a_stream_of_events_took_until_its_head_was_sent(content_type: str) -> None:
    app, before = Answers(content_type), seconds()
    asyncio.run(ask(app))
    assert 0 < seconds() - before <= app.head_was_sent_at - app.asked_at


def test_any_other_answer_took_until_its_end() -> None:
    app, before = Answers("application/json"), seconds()
    asyncio.run(ask(app))
    assert seconds() - before >= 2 * app.head_was_sent_at - app.asked_at - app.began_at
