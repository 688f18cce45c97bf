"""An overloaded process refuses the least important requests first, and soon accepts all again."""

import asyncio
import heapq
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack, suppress
from itertools import count
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.access_policy import TrafficClass
from common.problems import describe_problem
from serving.gateway.load_shedding import (
    ALLOWED_LAG_S,
    LAG_INTERVAL_S,
    MAX_LIMIT,
    MIN_LIMIT,
    SHARES,
    WINDOW_SAMPLES,
    GradientLimit,
    LoadShedder,
    Overloaded,
)

CLASSES: list[TrafficClass] = list(SHARES)


def window(limit: GradientLimit, duration_s: float, in_flight: int, traffic: TrafficClass = "read") -> None:
    """Count the responses of one window."""
    for _ in range(WINDOW_SAMPLES):
        limit.add(traffic, duration_s, in_flight)


def test_a_limit_that_is_reached_grows_while_responses_are_as_fast_as_usual() -> None:
    limit = GradientLimit(20)
    for _ in range(50):
        window(limit, 0.01, in_flight=int(limit.limit))
        limit.adjust()
    assert limit.limit == pytest.approx(20 + 50 * 0.8)


def test_a_limit_that_is_not_reached_does_not_grow() -> None:
    limit = GradientLimit(20)
    for _ in range(50):
        window(limit, 0.01, in_flight=9)
        limit.adjust()
    assert limit.limit == 20


def test_slower_responses_lower_the_limit() -> None:
    limit = GradientLimit(100)
    window(limit, 0.01, in_flight=100)
    limit.adjust()
    before = limit.limit
    window(limit, 0.03, in_flight=100)
    limit.adjust()
    assert limit.limit == pytest.approx(before * 0.8 + (before * 0.5 + 4) * 0.2, rel=0.01)


def test_more_requests_of_a_slow_class_are_no_slower_responses() -> None:
    limit = GradientLimit(100)
    for _ in range(10):
        window(limit, 0.001, 100, "read")
        window(limit, 0.1, 100, "checkout")
        limit.adjust()
    before = limit.limit
    window(limit, 0.1, 100, "checkout")
    limit.adjust()
    assert limit.limit > before


def test_a_late_event_loop_lowers_even_a_limit_that_is_not_reached() -> None:
    limit = GradientLimit(100)
    for _ in range(100):
        limit.adjust(lag_s=10 * ALLOWED_LAG_S)
    assert limit.limit == MIN_LIMIT


@given(
    st.lists(
        st.tuples(st.sampled_from(CLASSES), st.floats(0, 100), st.integers(0, 2000), st.floats(0, 10)),
        max_size=300,
    )
)
def test_whatever_is_measured_the_limit_stays_in_its_bounds(
    windows: list[tuple[TrafficClass, float, int, float]],
) -> None:
    limit = GradientLimit()
    for traffic, duration_s, in_flight, lag_s in windows:
        limit.add(traffic, duration_s, in_flight)
        limit.adjust(lag_s)
        assert MIN_LIMIT <= limit.limit <= MAX_LIMIT


@given(st.floats(0.001, 0.1), st.floats(1, 1.5), st.integers(1, 100))
def test_responses_up_to_half_slower_than_usual_never_lower_the_limit(
    usual_s: float, factor: float, windows: int
) -> None:
    limit = GradientLimit(50)
    window(limit, usual_s, 50)
    limit.adjust()
    for _ in range(windows):
        before = limit.limit
        window(limit, usual_s * factor, 50)
        limit.adjust()
        assert limit.limit >= before


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def test_a_process_that_is_full_refuses_by_importance() -> None:
    shedder = LoadShedder(Clock(), Random(1))
    accepted: Counter[TrafficClass] = Counter()
    for traffic in CLASSES:
        with ExitStack() as running, suppress(Overloaded):
            while True:
                running.enter_context(shedder.admit(traffic))
                accepted[traffic] += 1
    assert [traffic for traffic, _ in sorted(accepted.items(), key=lambda item: item[1])] == CLASSES
    assert accepted["recommendation"] == 39
    assert accepted["checkout"] == 128


def test_refused_clients_do_not_all_come_back_at_the_same_second() -> None:
    shedder = LoadShedder(Clock(), Random(1))
    with ExitStack() as running:
        for _ in range(64):
            running.enter_context(shedder.admit("checkout"))
        seconds = set()
        for _ in range(50):
            with pytest.raises(Overloaded) as raised:
                shedder.admit("page")
            assert describe_problem(raised.value).status == 503
            seconds.add(raised.value.retry_after_s)
    assert seconds == {1, 2, 3}


def test_a_stream_counts_until_its_head() -> None:
    shedder = LoadShedder(Clock())
    with shedder.admit("page") as stream:
        assert shedder.in_flight == 1
        stream.release()
        assert shedder.in_flight == 0
    assert shedder.in_flight == 0


def test_a_failed_request_frees_its_place() -> None:
    shedder = LoadShedder(Clock())
    with pytest.raises(ValueError, match="a bug"), shedder.admit("page"):
        raise ValueError("a bug")
    assert shedder.in_flight == 0


def late_ticks(*lags_s: float) -> LoadShedder:
    """Return a shedder whose last ticks came that late."""
    clock = Clock()
    shedder = LoadShedder(clock, Random(1))
    for lag_s in lags_s:
        clock.now_s += LAG_INTERVAL_S + lag_s
        shedder.tick()
    return shedder


def accepted_of(shedder: LoadShedder, traffic: TrafficClass) -> int:
    """Send 100 requests, one after the other, and return how many were accepted."""
    accepted = 0
    for _ in range(100):
        with suppress(Overloaded), shedder.admit(traffic):
            accepted += 1
    return accepted


def test_a_late_event_loop_refuses_by_importance_though_little_is_in_flight() -> None:
    shedder = late_ticks(0.24, 0.24)
    accepted = {traffic: accepted_of(shedder, traffic) for traffic in CLASSES}
    assert accepted["recommendation"] == 0
    assert 0 < accepted["page"] < accepted["read"] < accepted["write"] < 100
    assert accepted["checkout"] == accepted["operations"] == 100


def test_a_single_pause_of_the_event_loop_refuses_nothing() -> None:
    assert accepted_of(late_ticks(0.0, 2.0), "recommendation") == 100
    assert accepted_of(late_ticks(2.0, 0.0), "recommendation") == 100


def test_the_lag_of_the_running_event_loop_is_measured() -> None:
    async def block() -> tuple[float, float]:
        async with LoadShedder() as shedder:
            deadline = time.monotonic() + 60
            while shedder.lag_s < ALLOWED_LAG_S and time.monotonic() < deadline:
                time.sleep(4 * LAG_INTERVAL_S)
                await asyncio.sleep(0)
            late_s = shedder.lag_s
            while shedder.lag_s >= ALLOWED_LAG_S and time.monotonic() < deadline:
                await asyncio.sleep(0.001)
            return late_s, shedder.lag_s

    late_s, then_s = asyncio.run(block())
    assert late_s > ALLOWED_LAG_S > then_s


MIX: dict[TrafficClass, float] = {
    "checkout": 0.05,
    "write": 0.1,
    "read": 0.3,
    "page": 0.35,
    "recommendation": 0.2,
}
SERVE_S, REFUSE_S = 0.005, 0.0005
"""CPU time of an answer and of a refusal."""

WAIT_S = 0.02
"""How long half of the requests wait for another part, without CPU."""

PATIENCE_S = 1.0
"""A response that takes longer counts as failed."""


class Process:
    """A discrete-event simulation of a process: an event loop on one CPU, and requests at random times."""

    def __init__(self, seed: int) -> None:
        self.clock = Clock()
        self.random = Random(seed)
        self.shedder = LoadShedder(self.clock, Random(seed))
        self.succeeded: Counter[TrafficClass] = Counter()
        self.sent: Counter[TrafficClass] = Counter()
        self.slowest_refusal_s = 0.0
        self._events: list[tuple[float, int, Callable[[float], None]]] = []
        self._order = count()
        self._at(LAG_INTERVAL_S, self._tick)

    def run(self, load: float, seconds: float) -> dict[TrafficClass, float]:
        """Send `load` times what the process can answer, and return the share of successes by class."""
        self.succeeded.clear()
        self.sent.clear()
        self.slowest_refusal_s = 0.0
        until = at = self.clock.now_s
        until += seconds
        while at < until:
            at += self.random.expovariate(load / SERVE_S)
            traffic = self.random.choices(list(MIX), list(MIX.values()))[0]
            self.sent[traffic] += 1
            self._at(at, lambda due, traffic=traffic: self._arrive(due, traffic))
        while self._events and self._events[0][0] <= until + PATIENCE_S:
            due, _, work = heapq.heappop(self._events)
            self.clock.now_s = max(self.clock.now_s, due)
            work(due)
        return {traffic: self.succeeded[traffic] / self.sent[traffic] for traffic in MIX}

    def _at(self, due: float, work: Callable[[float], None]) -> None:
        heapq.heappush(self._events, (due, next(self._order), work))

    def _tick(self, _due: float) -> None:
        self.shedder.tick()
        self._at(self.clock.now_s + LAG_INTERVAL_S, self._tick)

    def _arrive(self, due: float, traffic: TrafficClass) -> None:
        try:
            request = self.shedder.admit(traffic)
        except Overloaded:
            self.clock.now_s += REFUSE_S
            self.slowest_refusal_s = max(self.slowest_refusal_s, self.clock.now_s - due)
            return

        def finish(_due: float = 0) -> None:
            self.clock.now_s += SERVE_S / 2
            request.release()
            self.succeeded[traffic] += self.clock.now_s - due < PATIENCE_S

        self.clock.now_s += SERVE_S / 2
        if self.random.random() < 0.5:
            self._at(self.clock.now_s + WAIT_S, finish)
        else:
            finish()


@pytest.mark.parametrize("seed", range(2))
def test_at_five_times_the_load_checkout_succeeds_and_the_others_are_refused_quickly(seed: int) -> None:
    process = Process(seed)
    before = process.run(load=0.5, seconds=20)
    spike = process.run(load=5, seconds=60)
    slowest_refusal_s = process.slowest_refusal_s
    process.run(load=0.5, seconds=10)
    after = process.run(load=0.5, seconds=10)

    assert min(before.values()) == 1
    assert spike["checkout"] >= 0.99
    assert spike["recommendation"] <= spike["page"] <= spike["read"] <= spike["write"]
    assert spike["recommendation"] < 0.1
    assert slowest_refusal_s < PATIENCE_S
    assert min(after.values()) == 1


def test_a_process_at_its_limit_still_answers_nearly_as_much_as_it_can() -> None:
    process = Process(seed=1)
    process.run(load=0.5, seconds=10)
    process.run(load=1.5, seconds=30)
    assert process.succeeded.total() * SERVE_S / 30 > 0.8
