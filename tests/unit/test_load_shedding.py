"""An overloaded process refuses the least important requests first, and soon accepts all again."""

import asyncio
import heapq
import time
from collections import Counter, deque
from collections.abc import Callable
from itertools import count
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from common.access_policy import TrafficClass
from serving.gateway.load_shedding import (
    ALLOWED_LAG_S,
    BURST,
    LAG_INTERVAL_S,
    MAX_LIMIT,
    MIN_LIMIT,
    REPORT_S,
    SHARES,
    SUSTAINED_S,
    WINDOW_SAMPLES,
    GradientLimit,
    LoadShedder,
    RunningRequest,
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


def test_a_late_event_loop_lowers_a_limit_that_is_used() -> None:
    limit = GradientLimit(100)
    for _ in range(100):
        window(limit, 0.01, in_flight=int(limit.limit))
        limit.adjust(lag_s=10 * ALLOWED_LAG_S)
    assert limit.limit == MIN_LIMIT


def test_a_late_event_loop_of_a_process_with_little_to_do_lowers_no_limit() -> None:
    limit = GradientLimit(100)
    for _ in range(100):
        window(limit, 0.01, in_flight=3)
        limit.adjust(lag_s=10 * ALLOWED_LAG_S)
    assert limit.limit == 100


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


def filled(shedder: LoadShedder, traffic: TrafficClass) -> list[RunningRequest]:
    """Send requests of a class until one is refused, and return those that were accepted."""
    running = []
    while request := shedder.admit(traffic):
        running.append(request)
    return running


def overloaded() -> tuple[LoadShedder, Clock]:
    """Return a shedder whose queue of recommendations has lasted."""
    clock = Clock()
    shedder = LoadShedder(clock, Random(1))
    filled(shedder, "recommendation")
    clock.now_s += 2 * SUSTAINED_S
    return shedder, clock


def released_until(shedder: LoadShedder, requests: list[RunningRequest], in_flight: int) -> None:
    """Answer these requests until so many run."""
    while shedder.in_flight > in_flight:
        requests.pop().release()


def test_a_process_that_is_full_for_long_refuses_by_importance() -> None:
    accepted: Counter[TrafficClass] = Counter()
    for traffic in CLASSES:
        clock = Clock()
        shedder = LoadShedder(clock, Random(1))
        running = [request for _ in range(33) if (request := shedder.admit("recommendation"))]
        clock.now_s += 2 * SUSTAINED_S
        accepted[traffic] = len(running) + len(filled(shedder, traffic))
    assert [traffic for traffic, _ in sorted(accepted.items(), key=lambda item: item[1])] == CLASSES
    assert accepted["recommendation"] == 39
    assert accepted["sign_in"] == 58
    assert accepted["checkout"] == 33 + 128


def test_a_burst_after_a_pause_of_the_process_is_answered() -> None:
    clock = Clock()
    shedder = LoadShedder(clock, Random(1))
    clock.now_s += 2.0  # another program had the processor
    running = filled(shedder, "page")
    assert len(running) == pytest.approx(BURST * 0.7 * shedder.limit, abs=1)
    released_until(shedder, running, 20)
    clock.now_s += 2.0
    assert shedder.admit("recommendation")


def test_checkouts_keep_their_place_and_take_none_from_visitors() -> None:
    shedder, _ = overloaded()
    assert shedder.admit("page") is None
    checkouts = [request for _ in range(64) if (request := shedder.admit("checkout"))]
    assert len(checkouts) == 64
    running = LoadShedder(Clock())
    assert all(running.admit("checkout") for _ in range(64))
    assert len(filled(running, "page")) == len(filled(LoadShedder(Clock()), "page"))


def test_a_flood_of_checkouts_takes_the_places_of_others_and_has_an_end() -> None:
    shedder = LoadShedder(Clock())
    assert len(filled(shedder, "checkout")) == 128
    assert len(filled(shedder, "page")) == len(filled(LoadShedder(Clock()), "page")) - 64


def test_refused_clients_do_not_all_come_back_at_the_same_second() -> None:
    shedder, _ = overloaded()
    assert {shedder.refuse("page") for _ in range(50)} == {1, 2, 3}


def test_refusals_are_logged_together() -> None:
    shedder, clock = overloaded()
    with capture_logs() as lines:
        for _ in range(int(2.5 * REPORT_S / LAG_INTERVAL_S)):
            shedder.refuse("page")
            clock.now_s += LAG_INTERVAL_S
            shedder.tick()
    assert len(lines) == 2
    assert sum(line["refused"]["page"] for line in lines) == pytest.approx(
        2 * REPORT_S / LAG_INTERVAL_S, abs=12
    )


def test_a_stream_counts_until_its_head() -> None:
    shedder = LoadShedder(Clock())
    stream = shedder.admit("page")
    assert stream
    with stream:
        assert shedder.in_flight == 1
        stream.release()
        assert shedder.in_flight == 0
    assert shedder.in_flight == 0


def test_a_failed_request_frees_its_place() -> None:
    shedder = LoadShedder(Clock())
    request = shedder.admit("page")
    assert request
    with pytest.raises(ValueError, match="a bug"), request:
        raise ValueError("a bug")
    assert shedder.in_flight == 0


def test_a_late_event_loop_refuses_nobody_while_little_waits() -> None:
    clock = Clock()
    shedder = LoadShedder(clock, Random(1))
    for _ in range(200):
        clock.now_s += LAG_INTERVAL_S + 0.5  # another program has the processor
        shedder.tick()
        visitors = [shedder.admit("recommendation") for _ in range(4)]
        for visitor in visitors:
            assert visitor
            visitor.release()


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
SERVE_S, REFUSE_S = 0.005, 0.0001
"""CPU time of an answer and of a refusal."""

WAIT_S = 0.02
"""How long half of the requests wait for another part, without CPU."""

PATIENCE_S = 1.0
"""A response that takes longer counts as failed."""


class Process:
    """A discrete-event simulation of a process: an event loop on one CPU, and requests at random times.

    As asyncio does, an iteration of the event loop first reads all requests that have arrived, which accepts
    or refuses them, and then runs everything that is due.
    """

    def __init__(self, seed: int) -> None:
        self.clock = Clock()
        self.random = Random(seed)
        self.shedder = LoadShedder(self.clock, Random(seed))
        self.succeeded: Counter[TrafficClass] = Counter()
        self.sent: Counter[TrafficClass] = Counter()
        self.slowest_refusal_s = 0.0
        self._arrivals: deque[tuple[float, TrafficClass]] = deque()
        self._timers: list[tuple[float, int, Callable[[], None]]] = []
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
            self._arrivals.append((at, traffic))
        while self.clock.now_s <= until + PATIENCE_S:
            self._iterate()
        return {traffic: self.succeeded[traffic] / self.sent[traffic] for traffic in MIX}

    def _iterate(self) -> None:
        next_at = min(self._timers[0][0], self._arrivals[0][0] if self._arrivals else float("inf"))
        self.clock.now_s = max(self.clock.now_s, next_at)
        ready: list[Callable[[], None]] = []
        while self._timers and self._timers[0][0] <= self.clock.now_s:
            ready.append(heapq.heappop(self._timers)[2])
        while self._arrivals and self._arrivals[0][0] <= self.clock.now_s:
            ready += self._read(*self._arrivals.popleft())
        for work in ready:
            work()

    def _at(self, due: float, work: Callable[[], None]) -> None:
        heapq.heappush(self._timers, (due, next(self._order), work))

    def _tick(self) -> None:
        self.shedder.tick()
        self._at(self.clock.now_s + LAG_INTERVAL_S, self._tick)

    def _read(self, arrived_s: float, traffic: TrafficClass) -> list[Callable[[], None]]:
        request = self.shedder.admit(traffic)
        if request is None:
            self.clock.now_s += REFUSE_S
            self.slowest_refusal_s = max(self.slowest_refusal_s, self.clock.now_s - arrived_s)
            return []

        def finish() -> None:
            self.clock.now_s += SERVE_S / 2
            request.release()
            self.succeeded[traffic] += self.clock.now_s - arrived_s < PATIENCE_S

        def begin() -> None:
            self.clock.now_s += SERVE_S / 2
            if self.random.random() < 0.5:
                self._at(self.clock.now_s + WAIT_S, finish)
            else:
                finish()

        return [begin]


@pytest.mark.parametrize("seed", range(2))
def test_at_five_times_the_load_checkout_succeeds_and_the_others_are_refused_quickly(seed: int) -> None:
    process = Process(seed)
    before = process.run(load=0.5, seconds=20)
    spike = process.run(load=5, seconds=60)
    answered = process.succeeded.total()
    slowest_refusal_s = process.slowest_refusal_s
    process.run(load=0.5, seconds=10)
    after = process.run(load=0.5, seconds=10)

    assert min(before.values()) == 1
    assert spike["checkout"] >= 0.99
    assert spike["recommendation"] <= spike["page"] <= spike["read"] <= spike["write"]
    assert spike["recommendation"] < 0.1
    assert answered * SERVE_S / 60 >= 0.9
    assert slowest_refusal_s < PATIENCE_S
    assert min(after.values()) == 1


def test_a_process_at_its_limit_still_answers_nearly_as_much_as_it_can() -> None:
    process = Process(seed=1)
    process.run(load=0.5, seconds=10)
    process.run(load=1.5, seconds=30)
    assert process.succeeded.total() * SERVE_S / 30 > 0.9
