"""How the simulator asks the API: what it counts, when it gives up, how much it lets wait."""

import asyncio

import orjson
import pytest

from common.clock import system_clock
from common.settings import LOOPBACK
from producers.simulator.live.api import AT_ONCE, MOST_WAITING, Api, Away, Refused
from producers.simulator.live.intake import Intake
from producers.simulator.status import Status
from tests.integration.http_server import Say, answered, serving

PROBLEM = b'{"type": "urn:souk:problem:price-moved"}'


def ask(say: Say) -> tuple[object, Status]:
    """The answer, or what was raised, and what was counted."""

    async def once() -> object:
        async with serving(say) as heard, Api(heard.url, status) as api:
            return await api.ask("orders", "POST", "/v1/orders", {"lines": []}, {"idempotency-key": "once"})

    status = Status()
    try:
        return asyncio.run(once()), status
    except (Away, Refused) as error:
        return error, status


def test_a_good_answer_is_read_and_timed() -> None:
    answer, status = ask(answered("202 Accepted", b'{"order_id": "one"}'))
    assert answer == {"order_id": "one"}
    assert status.snapshot()["endpoints"]["orders"]["count"] == 1


@pytest.mark.parametrize(
    ("status_line", "raised"),
    [("503 Away", Away), ("429 Too many", Away), ("409 Conflict", Refused), ("422 Bad", Refused)],
)
def test_a_bad_answer_says_whether_asking_again_helps(status_line: str, raised: type[Exception]) -> None:
    error, status = ask(answered(status_line, PROBLEM))
    assert type(error) is raised
    assert dict(status.errors) == {f"orders: HTTP {status_line[:3]} price-moved": 1}


def test_no_answer_is_counted_by_its_kind() -> None:
    async def once() -> None:
        async with Api(f"http://{LOOPBACK}:1", status) as api:
            await api.ask("order", "GET", "/v1/orders/one")

    status = Status()
    with pytest.raises(Away):
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
        async with serving(hang_up) as heard, Api(heard.url, status) as api:
            with pytest.raises(Away):
                await api.ask("order", method, "/v1/orders", headers=headers)
            asked = len(heard.requests)
            with pytest.raises(Away):
                await api.ask("order", method, "/v1/orders", headers=headers, repeatable=True)
            assert len(heard.requests) == asked + 2
            return asked

    status = Status()
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
        async with serving(answered(status_line, body)) as heard, Api(heard.url, status) as api:
            intake = Intake(api, status, system_clock)
            intake.put([{"event": "product_viewed"}, {"event": "product_viewed"}])
            await intake.run(stopping)
            return len(heard.requests)

    status = Status()
    assert asyncio.run(once()) == 1
    assert status.events["product_viewed"] == sent
    assert dict(status.errors) == {f"events: {error}": 1}


def test_a_slow_endpoint_takes_so_many_requests_and_holds_up_no_other() -> None:
    async def slow_orders(request: bytes, writer: asyncio.StreamWriter) -> None:
        if request.startswith(b"GET /v1/orders"):
            await released.wait()
        await answered("200 OK", b"{}")(request, writer)

    async def crowd() -> None:
        async with serving(slow_orders) as heard, Api(heard.url, status) as api:
            asked = [
                asyncio.create_task(api.ask("order", "GET", "/v1/orders/one"))
                for _ in range(AT_ONCE + MOST_WAITING)
            ]
            while len(heard.requests) < AT_ONCE:
                await asyncio.sleep(0)
            with pytest.raises(Away, match="too many"):
                await api.ask("order", "GET", "/v1/orders/one")
            assert await api.ask("stock", "GET", "/v1/stock") == {}
            assert len(heard.requests) == AT_ONCE + 1
            assert (api.waiting, api.unanswered) == (MOST_WAITING, 1)
            released.set()
            await asyncio.gather(*asked)
            assert api.waiting == 0

    status, released = Status(), asyncio.Event()
    asyncio.run(crowd())
    assert dict(status.errors) == {"order: too many requests under way": 1}
