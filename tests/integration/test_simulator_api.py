"""The simulator's API client: what it counts, its timeouts and its queues."""

import asyncio
from random import Random

import orjson
import pytest

from common.clock import system_clock
from common.settings import LOOPBACK
from producers.simulator.live.api import MAX_CONCURRENT, MAX_QUEUED, ApiUnavailable, RequestRejected, ShopApi
from producers.simulator.live.event_sender import EventSender
from producers.simulator.status import SimulatorStatus
from tests.integration.http_server import Say, answered, serving

PROBLEM = b'{"type": "urn:souk:problem:price-moved"}'


def ask(say: Say) -> tuple[object, SimulatorStatus]:
    """Send a request; return the response or the exception, and the counters."""

    async def once() -> object:
        async with serving(say) as heard, ShopApi(heard.url, status) as api:
            return await api.request(
                "orders", "POST", "/v1/orders", {"lines": []}, {"idempotency-key": "once"}
            )

    status = SimulatorStatus()
    try:
        return asyncio.run(once()), status
    except (ApiUnavailable, RequestRejected) as error:
        return error, status


def test_a_good_answer_is_read_and_timed() -> None:
    answer, status = ask(answered("202 Accepted", b'{"order_id": "one"}'))
    assert answer == {"order_id": "one"}
    assert status.snapshot()["endpoints"]["orders"]["count"] == 1


@pytest.mark.parametrize(
    ("status_line", "raised"),
    [
        ("503 Away", ApiUnavailable),
        ("429 Too many", ApiUnavailable),
        ("409 Conflict", RequestRejected),
        ("422 Bad", RequestRejected),
    ],
)
def test_a_bad_answer_says_whether_asking_again_helps(status_line: str, raised: type[Exception]) -> None:
    error, status = ask(answered(status_line, PROBLEM))
    assert type(error) is raised
    assert dict(status.errors) == {f"orders: HTTP {status_line[:3]} price-moved": 1}


def test_no_answer_is_counted_by_its_kind() -> None:
    async def once() -> None:
        async with ShopApi(f"http://{LOOPBACK}:1", status) as api:
            await api.request("order", "GET", "/v1/orders/one")

    status = SimulatorStatus()
    with pytest.raises(ApiUnavailable):
        asyncio.run(once())
    assert dict(status.errors) == {"order: no answer (ClientConnectorError)": 1}


@pytest.mark.parametrize(
    ("method", "headers", "tries"),
    [("GET", {}, 2), ("POST", {"idempotency-key": "once"}, 2), ("POST", {}, 1), ("PUT", {}, 1)],
)
def test_what_may_be_asked_twice_is_when_its_connection_broke(
    method: str, headers: dict[str, str], tries: int
) -> None:
    async def hang_up(_: bytes, writer: asyncio.StreamWriter) -> None:
        writer.close()

    async def once() -> int:
        async with serving(hang_up) as heard, ShopApi(heard.url, status) as api:
            with pytest.raises(ApiUnavailable):
                await api.request("order", method, "/v1/orders", headers=headers)
            asked = len(heard.requests)
            with pytest.raises(ApiUnavailable):
                await api.request("order", method, "/v1/orders", headers=headers, repeatable=True)
            assert len(heard.requests) == asked + 2
            return asked

    status = SimulatorStatus()
    assert asyncio.run(once()) == tries
    assert status.errors.total() == 2


PROBLEM_OF_ONE = {"type": "urn:souk:problem:bad-event-time", "detail": "occurred_at: it is in the future"}
REJECTED = [{"index": 0, "problem": PROBLEM_OF_ONE}]


@pytest.mark.parametrize(
    ("status_line", "answer", "sent", "error"),
    [
        ("202 Accepted", {"accepted": 1}, 1, "rejected: occurred_at: it is in the future"),
        ("422 Bad", {"type": "urn:souk:problem:no-event-taken"}, 0, "HTTP 422 no-event-taken"),
    ],
)
def test_events_that_are_refused_are_counted_and_not_sent_again(
    status_line: str, answer: dict[str, object], sent: int, error: str
) -> None:
    async def once() -> int:
        body = orjson.dumps({**answer, "rejected": REJECTED})
        stopping = asyncio.Event()
        stopping.set()
        async with serving(answered(status_line, body)) as heard, ShopApi(heard.url, status) as api:
            intake = EventSender(api, status, system_clock, Random(1))
            intake.enqueue([{"event": "product_viewed"}, {"event": "product_viewed"}])
            await intake.run(stopping)
            return len(heard.requests)

    status = SimulatorStatus()
    assert asyncio.run(once()) == 1
    assert status.events["product_viewed"] == sent
    assert dict(status.errors) == {f"events: {error}": 1}


class Unreliable(Random):
    """A stream of random numbers with which every event is late and is sent twice."""

    def random(self) -> float:
        return 0.0


def test_an_event_that_is_late_and_sent_twice_keeps_its_id_and_time() -> None:
    async def once() -> list[dict[str, object]]:
        stopping = asyncio.Event()
        stopping.set()
        body = orjson.dumps({"accepted": 2, "rejected": []})
        async with serving(answered("202 Accepted", body)) as heard, ShopApi(heard.url, status) as api:
            intake = EventSender(api, status, system_clock, Unreliable())
            intake.enqueue([{"event": "product_viewed"}])
            assert intake.queued == 0
            await intake.run(stopping)
            return [
                event
                for request in heard.requests
                for event in orjson.loads(request.partition(b"\r\n\r\n")[2])["events"]
            ]

    status = SimulatorStatus()
    first, second = asyncio.run(once())
    assert first == second
    assert status.events["product_viewed"] == 2


def test_a_slow_endpoint_takes_so_many_requests_and_holds_up_no_other() -> None:
    async def slow_orders(request: bytes, writer: asyncio.StreamWriter) -> None:
        if request.startswith(b"GET /v1/orders"):
            await released.wait()
        await answered("200 OK", b"{}")(request, writer)

    async def crowd() -> None:
        async with serving(slow_orders) as heard, ShopApi(heard.url, status) as api:
            asked = [
                asyncio.create_task(api.request("order", "GET", "/v1/orders/one"))
                for _ in range(MAX_CONCURRENT + MAX_QUEUED)
            ]
            while len(heard.requests) < MAX_CONCURRENT:
                await asyncio.sleep(0)
            with pytest.raises(ApiUnavailable, match="too many"):
                await api.request("order", "GET", "/v1/orders/one")
            assert await api.request("stock", "GET", "/v1/stock") == {}
            assert len(heard.requests) == MAX_CONCURRENT + 1
            assert (api.queued, api.unanswered) == (MAX_QUEUED, 1)
            released.set()
            await asyncio.gather(*asked)
            assert api.queued == 0

    status, released = SimulatorStatus(), asyncio.Event()
    asyncio.run(crowd())
    assert dict(status.errors) == {"order: too many requests under way": 1}
