"""A request that gets no response in time is refused, and what it holds is released."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from starlette.responses import Response

from common.metrics import REGISTRY
from common.problems import describe_problem
from common.timeouts import PEER_TIMEOUT_S
from serving.gateway.load_shedding import LoadShedder
from serving.gateway.time_limits import TIME_LIMITS_S, TimeLimitExceeded, TimeLimits

AT_ONCE = TimeLimits(dict.fromkeys(TIME_LIMITS_S, 0.0))


def refused_for_time() -> float:
    return (
        REGISTRY.get_sample_value("souk_requests_refused_total", {"traffic": "read", "reason": "time"}) or 0
    )


async def endless() -> Response:
    await asyncio.Event().wait()
    raise AssertionError("the request was not cancelled")


def exceeded(
    method: str = "GET", has_key: bool = False, respond: Callable[[], Awaitable[Response]] = endless
) -> TimeLimitExceeded:
    with pytest.raises(TimeLimitExceeded) as raised:
        asyncio.run(AT_ONCE.run("read", method, has_key, respond))
    return raised.value


def test_a_request_without_a_response_in_time_is_a_504_that_is_counted() -> None:
    before = refused_for_time()
    assert describe_problem(exceeded()).status == 504
    assert refused_for_time() == before + 1


@pytest.mark.parametrize(
    ("method", "has_key", "advice", "is_repeatable"),
    [
        ("GET", False, "send the request again", True),
        ("POST", True, "with the same Idempotency-Key", True),
        ("POST", False, "check the result before you send it again", False),
    ],
)
def test_the_client_learns_whether_it_may_repeat_the_request(
    method: str, has_key: bool, advice: str, is_repeatable: bool
) -> None:
    described = describe_problem(exceeded(method, has_key))
    assert advice in described.detail
    assert ("Retry-After" in described.headers) == is_repeatable


def test_a_refused_request_no_longer_counts_as_load() -> None:
    shedder = LoadShedder()

    async def admitted() -> Response:
        with shedder.admit("read"):
            return await endless()

    exceeded(respond=admitted)
    assert shedder.in_flight == 0


def test_a_timeout_of_a_part_stays_the_error_of_that_part() -> None:
    async def fails() -> Response:
        raise TimeoutError("the part")

    with pytest.raises(TimeoutError, match="the part"):
        asyncio.run(TimeLimits().run("read", "GET", False, fails))


def test_a_part_times_out_before_the_whole_request() -> None:
    assert {traffic for traffic, limit_s in TIME_LIMITS_S.items() if limit_s <= PEER_TIMEOUT_S} == {
        "recommendation"
    }
