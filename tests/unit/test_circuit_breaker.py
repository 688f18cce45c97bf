"""A circuit breaker opens, half-opens and closes by the outcomes of its calls and by the clock."""

import asyncio
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.metrics import REGISTRY
from common.problems import describe_problem
from serving.kit.circuit_breaker import (
    LONG_CALL_S,
    BreakerOpen,
    BreakerSettings,
    BreakerState,
    CircuitBreaker,
)


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


class Breaker(CircuitBreaker):
    """A breaker with a clock of its own, and with methods for the calls of a test."""

    def __init__(self, settings: BreakerSettings | None = None) -> None:
        self.clock = Clock()
        super().__init__("test", (TimeoutError,), settings, self.clock)

    def succeed(self, times: int = 1) -> None:
        for _ in range(times):
            with self.attempt():
                pass

    def fail(self, times: int = 1) -> None:
        for _ in range(times):
            with pytest.raises(TimeoutError), self.attempt():
                raise TimeoutError

    def wait(self, seconds: float) -> None:
        self.clock.now_s += seconds


@pytest.fixture
def breaker() -> Breaker:
    return Breaker()


@pytest.fixture
def half_open(breaker: Breaker) -> Breaker:
    breaker.fail(20)
    breaker.wait(1)
    return breaker


def test_one_failure_after_the_start_opens_nothing(breaker: Breaker) -> None:
    breaker.fail(19)
    assert breaker.state is BreakerState.CLOSED


def test_half_of_the_calls_failing_opens_it(breaker: Breaker) -> None:
    breaker.succeed(10)
    breaker.fail(9)
    assert breaker.state is BreakerState.CLOSED
    breaker.fail()
    assert breaker.state is BreakerState.OPEN


def test_only_the_last_hundred_calls_count(breaker: Breaker) -> None:
    breaker.succeed(1000)
    breaker.fail(49)
    assert breaker.state is BreakerState.CLOSED
    breaker.fail()
    assert breaker.state is BreakerState.OPEN


def test_old_failures_are_forgotten(breaker: Breaker) -> None:
    breaker.succeed(60)
    breaker.fail(40)
    breaker.succeed(100)
    breaker.fail(49)
    assert breaker.state is BreakerState.CLOSED


def test_while_it_is_open_calls_are_refused_with_the_remaining_seconds(breaker: Breaker) -> None:
    breaker.fail(20)
    with pytest.raises(BreakerOpen) as raised:
        breaker.attempt()
    described = describe_problem(raised.value)
    assert (described.status, described.headers) == (503, {"Retry-After": "1"})
    assert "Try again in 1 s" in described.detail


def test_ten_successful_trials_close_it(half_open: Breaker) -> None:
    half_open.succeed(9)
    assert half_open.state is BreakerState.HALF_OPEN
    half_open.succeed()
    assert half_open.state is BreakerState.CLOSED
    half_open.fail(19)
    assert half_open.state is BreakerState.CLOSED


def test_one_failed_trial_opens_it_again(half_open: Breaker) -> None:
    half_open.succeed(9)
    half_open.fail()
    assert half_open.state is BreakerState.OPEN
    half_open.wait(1.9)
    assert half_open.state is BreakerState.OPEN
    half_open.wait(0.1)
    assert half_open.state is BreakerState.HALF_OPEN


def test_open_periods_double_up_to_a_minute(half_open: Breaker) -> None:
    periods = []
    for _ in range(8):
        half_open.fail()
        periods.append(round(half_open.remaining_s))
        half_open.wait(half_open.remaining_s)
    assert periods == [2, 4, 8, 16, 32, 60, 60, 60]


def test_after_it_has_closed_the_first_open_period_is_short_again(half_open: Breaker) -> None:
    half_open.fail()
    half_open.wait(2)
    half_open.succeed(10)
    half_open.fail(20)
    assert half_open.remaining_s == 1


def test_at_most_ten_trials_run_at_the_same_time(half_open: Breaker) -> None:
    running = [half_open.attempt() for _ in range(10)]
    with pytest.raises(BreakerOpen):
        half_open.attempt()
    with running[0]:
        pass
    half_open.attempt()


def test_a_cancelled_trial_frees_its_place_and_decides_nothing(half_open: Breaker) -> None:
    for _ in range(30):
        with pytest.raises(asyncio.CancelledError), half_open.attempt():
            raise asyncio.CancelledError
    assert half_open.state is BreakerState.HALF_OPEN
    half_open.succeed(10)
    assert half_open.state is BreakerState.CLOSED


def test_calls_that_a_time_limit_ends_open_the_breaker(breaker: Breaker) -> None:
    def end_late() -> None:
        with breaker.attempt():
            breaker.wait(LONG_CALL_S)
            raise asyncio.CancelledError

    for _ in range(20):
        with pytest.raises(asyncio.CancelledError):
            end_late()
    assert breaker.state is BreakerState.OPEN


def test_an_answer_that_refuses_a_request_is_no_failure(breaker: Breaker) -> None:
    for _ in range(200):
        with pytest.raises(ValueError, match="not found"), breaker.attempt():
            raise ValueError("not found")
    assert breaker.state is BreakerState.CLOSED


def test_a_response_that_says_that_the_part_is_down_can_be_counted_as_failure(breaker: Breaker) -> None:
    for _ in range(20):
        with breaker.attempt() as attempt:
            attempt.failed()
    assert breaker.state is BreakerState.OPEN


def test_a_call_from_before_the_opening_does_not_end_the_half_open_period(breaker: Breaker) -> None:
    early = breaker.attempt()
    breaker.fail(20)
    breaker.wait(1)
    breaker.succeed()
    with pytest.raises(TimeoutError), early:
        raise TimeoutError
    assert breaker.state is BreakerState.HALF_OPEN


def test_a_part_that_was_seen_to_answer_gets_a_trial_at_once(half_open: Breaker) -> None:
    for _ in range(6):
        half_open.fail()
        half_open.wait(half_open.remaining_s)
    half_open.fail()
    half_open.end_open_period()
    half_open.succeed(10)
    assert half_open.state is BreakerState.CLOSED


def test_a_part_that_was_seen_not_to_answer_is_not_called_whatever_it_did_before(
    breaker: Breaker,
) -> None:
    breaker.succeed(100)
    breaker.open()
    assert (breaker.state, breaker.remaining_s) == (BreakerState.OPEN, 1)
    breaker.open()
    assert breaker.remaining_s == 1
    breaker.wait(1)
    breaker.succeed(10)
    assert breaker.state is BreakerState.CLOSED


def test_the_metric_has_the_state(breaker: Breaker) -> None:
    def value() -> float | None:
        return REGISTRY.get_sample_value("souk_circuit_breaker_state", {"breaker": "test"})

    assert value() == 0
    breaker.fail(20)
    assert value() == 2
    breaker.end_open_period()
    assert value() == 1  # before the next call, which may be hours away
    breaker.succeed()
    assert value() == 1
    breaker.succeed(9)
    assert value() == 0


ACTIONS: dict[str, Callable[[Breaker], None]] = {
    "succeed": lambda breaker: breaker.succeed(),
    "fail": lambda breaker: breaker.fail(),
    "second": lambda breaker: breaker.wait(1),
    "minute": lambda breaker: breaker.wait(60),
}


@given(st.lists(st.sampled_from(sorted(ACTIONS)), max_size=200))
def test_whatever_happened_a_part_that_works_again_is_used_within_a_minute(actions: list[str]) -> None:
    breaker = Breaker(BreakerSettings(window=10, minimum_calls=3))
    for action in actions:
        try:
            ACTIONS[action](breaker)
        except BreakerOpen:
            assert breaker.remaining_s > 0
    assert breaker.remaining_s <= 60
    breaker.wait(breaker.remaining_s)
    breaker.succeed(10)
    assert breaker.state is BreakerState.CLOSED
