"""Refuses requests that the process can't answer in time, the least important first.

The number of requests that run at the same time is limited by Netflix' Gradient2 algorithm
(github.com/Netflix/concurrency-limits): the limit falls as soon as responses take longer than they usually
do. A second signal is how late the event loop runs. An event loop whose processor is saturated is late for
every request, and the usual response time would slowly follow it.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from random import Random
from time import perf_counter
from types import TracebackType
from typing import Self

from common.access_policy import TrafficClass
from common.metrics import CONCURRENCY_LIMIT, LOOP_LAG_SECONDS, REQUESTS_REFUSED
from common.problems import Problem

SHARES: dict[TrafficClass, float] = {
    "recommendation": 0.6,
    "page": 0.7,
    "read": 0.8,
    "write": 0.9,
    "sign_in": 0.9,
    "checkout": 1.0,
    "operations": 1.0,
}
"""A request is refused if this share of the limit is running already."""

RESERVE: dict[TrafficClass, int] = {"checkout": 64, "operations": 64}
"""Requests beyond the limit for the classes that are refused last."""

LAGS_S: dict[TrafficClass, float] = {
    "recommendation": 0.1,
    "page": 0.125,
    "read": 0.15,
    "write": 0.2,
    "sign_in": 0.2,
}
"""If the event loop is later than this, some requests are refused; at twice the lag, all. This refuses
requests that never wait for anything: they run one after the other, so that few are in flight."""

INITIAL_LIMIT, MIN_LIMIT, MAX_LIMIT = 64, 12, 512
TOLERANCE = 1.5
QUEUE = 4
SMOOTHING = 0.2
LONG_WEIGHT = 1 / 400
"""The weight of one window in the usual response time, which is then that of the last two minutes."""

WINDOW_S, WINDOW_SAMPLES = 0.25, 20
"""The limit is adjusted after this time, once there are this many responses."""

ALLOWED_LAG_S = 0.05
"""How late the event loop may be before the limit falls."""

LAG_INTERVAL_S = 0.05
RETRY_AFTER_S = (1, 3)


class Overloaded(Problem):
    """The process has more requests than it can answer in time."""

    status, kind, title = 503, "temporary-reduced-capacity", "Too busy right now"

    def __init__(self, retry_after_s: int) -> None:
        self.retry_after_s = retry_after_s
        super().__init__(
            f"The shop has more visitors than it can serve. Try again in {retry_after_s} s; nothing is lost."
        )


class GradientLimit:
    """The concurrency limit, from response times and the lag of the event loop. It reads no clock.

    Response times are compared within a traffic class. Otherwise more requests of a slow class would look
    like slower responses.
    """

    def __init__(self, initial: float = INITIAL_LIMIT) -> None:
        self.limit = float(initial)
        self._usual_s: dict[TrafficClass, float] = {}
        self._sums: dict[TrafficClass, list[float]] = {}
        self._samples = 0
        self._most_in_flight = 0

    @property
    def samples(self) -> int:
        """The number of responses since the last adjustment."""
        return self._samples

    def add(self, traffic: TrafficClass, duration_s: float, in_flight: int) -> None:
        """Count a response. `in_flight`: the requests that were running, this one among them."""
        sums = self._sums.setdefault(traffic, [0.0, 0.0])
        sums[0] += 1
        sums[1] += duration_s
        self._samples += 1
        self._most_in_flight = max(self._most_in_flight, in_flight)

    def adjust(self, lag_s: float = 0.0) -> None:
        """Adjust the limit to the responses since the last call. `lag_s`: how late the event loop is."""
        # As in Gradient2, a limit that is not reached says nothing about what the process can do.
        is_used = self._most_in_flight >= self.limit / 2
        gradient = self._gradient() if is_used else 1.0
        if lag_s > ALLOWED_LAG_S:
            gradient = min(gradient, max(0.5, ALLOWED_LAG_S / lag_s))
        smoothed = self.limit * (1 - SMOOTHING) + (self.limit * gradient + QUEUE) * SMOOTHING
        highest = MAX_LIMIT if is_used else self.limit
        self.limit = max(min(smoothed, highest), MIN_LIMIT)
        self._sums.clear()
        self._samples = self._most_in_flight = 0

    def _gradient(self) -> float:
        """Return the mean over the responses, and add their times to the usual ones."""
        weighted = 0.0
        for traffic, (count, total_s) in self._sums.items():
            short_s = max(total_s / count, 1e-6)
            usual_s = self._usual_s.get(traffic, short_s)
            weighted += count * max(0.5, min(1.0, TOLERANCE * usual_s / short_s))
            usual_s += (short_s - usual_s) * LONG_WEIGHT
            # As in Gradient2: after an overload, a usual time that is far too long falls quickly.
            self._usual_s[traffic] = usual_s * 0.95 if usual_s > 2 * short_s else usual_s
        return weighted / self._samples if self._samples else 1.0


class LoadShedder:
    """Decides for one process which requests it accepts. It belongs to one event loop."""

    def __init__(self, now: Callable[[], float] = perf_counter, random: Random | None = None) -> None:
        self._now = now
        self._random = random or Random()
        self._limit = GradientLimit()
        self._in_flight = 0
        self._lags_s = (0.0, 0.0)
        """Of the tick before the last one, and of the last one."""
        self._tick_due = now() + LAG_INTERVAL_S
        self._adjusted_at = now()
        self._measuring: asyncio.Task[None] | None = None

    @property
    def limit(self) -> float:
        """The number of requests that may run at the same time."""
        return self._limit.limit

    @property
    def in_flight(self) -> int:
        """The number of requests that run."""
        return self._in_flight

    @property
    def lag_s(self) -> float:
        """How late the event loop is. Two ticks in a row must be late: a single pause is no overload."""
        return self._lag_at(self._now())

    async def __aenter__(self) -> Self:
        """Measure the lag of the running event loop until `__aexit__`."""
        self._tick_due = self._now() + LAG_INTERVAL_S
        self._measuring = asyncio.create_task(self._measure())
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._measuring:
            self._measuring.cancel()
            with suppress(asyncio.CancelledError):
                await self._measuring

    def admit(self, traffic: TrafficClass) -> "RunningRequest":
        """Accept a request, and return the context manager in which to answer it.

        Raises:
            Overloaded: the request is refused.
        """
        started = self._now()
        if self._in_flight >= self._most(traffic) or self._is_late(traffic, started):
            REQUESTS_REFUSED.labels(traffic, "load").inc()
            raise Overloaded(self._random.randint(*RETRY_AFTER_S))
        self._in_flight += 1
        return RunningRequest(self, traffic, started, self._in_flight)

    def release(self, traffic: TrafficClass, started: float, in_flight: int) -> None:
        """Count the response to a request. `RunningRequest` calls this."""
        self._in_flight -= 1
        self._limit.add(traffic, self._now() - started, in_flight)

    def tick(self) -> None:
        """Measure how late this call is, `LAG_INTERVAL_S` after the last one, and adjust the limit."""
        now = self._now()
        self._lags_s = self._lags_s[1], max(0.0, now - self._tick_due)
        self._tick_due = now + LAG_INTERVAL_S
        if now - self._adjusted_at < WINDOW_S:
            return
        lag_s = min(self._lags_s)
        if self._limit.samples >= WINDOW_SAMPLES or lag_s > ALLOWED_LAG_S:
            self._adjusted_at = now
            self._limit.adjust(lag_s)
        CONCURRENCY_LIMIT.labels("serving").set(self._limit.limit)
        LOOP_LAG_SECONDS.labels("serving").set(self._lags_s[1])

    def _lag_at(self, now: float) -> float:
        before, last = self._lags_s
        overdue = now - self._tick_due
        return max(min(before, last), min(last, overdue))

    def _most(self, traffic: TrafficClass) -> float:
        return self._limit.limit * SHARES[traffic] + RESERVE.get(traffic, 0)

    def _is_late(self, traffic: TrafficClass, now: float) -> bool:
        allowed_s, lag_s = LAGS_S.get(traffic), self._lag_at(now)
        return (
            allowed_s is not None
            and lag_s > allowed_s
            and self._random.random() < (lag_s - allowed_s) / allowed_s
        )

    async def _measure(self) -> None:
        while True:
            await asyncio.sleep(max(0.0, self._tick_due - self._now()))
            self.tick()


class RunningRequest:
    """A request that was accepted, until the end of the block, or until `release`."""

    __slots__ = ("_in_flight", "_shedder", "_started", "_traffic")

    def __init__(self, shedder: LoadShedder, traffic: TrafficClass, started: float, in_flight: int) -> None:
        self._shedder: LoadShedder | None = shedder
        self._traffic = traffic
        self._started = started
        self._in_flight = in_flight

    def release(self) -> None:
        """Count the request as answered. Call it at the head of a stream, which may last for hours."""
        if self._shedder is not None:
            self._shedder.release(self._traffic, self._started, self._in_flight)
            self._shedder = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()
