"""Refuses requests that the process can't answer in time, the least important first.

A request counts from the moment its head was read, so the requests that wait for the event loop count, too.
Their number is limited by Netflix' Gradient2 algorithm (github.com/Netflix/concurrency-limits): the limit
falls as soon as responses take longer than they usually do, or the event loop of a process in use is late.
The limit never falls below `MIN_LIMIT`: a late event loop alone, as when another program takes the
processor, refuses nobody. As in CoDel (RFC 8289), a queue is an overload only once it has lasted.
"""

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from time import perf_counter
from typing import Self

import structlog

from common.access_policy import TrafficClass
from common.metrics import CONCURRENCY_LIMIT, LOOP_LAG_SECONDS, REQUESTS_REFUSED
from common.problems import Problem
from serving.kit.domain import stop_task

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
"""Requests beyond the limit for the classes that are refused last. These classes have places of their own:
up to the limit, they take none from the others."""

SUSTAINED_S = 0.25
"""A queue that has lasted this long is an overload. Until then, it may be `BURST` times as long."""

BURST = 1.5

SHORT = 0.5
"""A queue that is shorter than this share of the limit is none."""

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
RETRY_AFTER_S = (1, 2, 3)
"""Refused clients do not all come back in the same second."""

REPORT_S = 10.0
"""How often refusals are logged, all of this time in one line."""

RUNNING = "souk.running"
"""Key of a request's `RunningRequest` in its ASGI scope."""

log = structlog.get_logger()


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
        self.samples = 0
        """The number of responses since the last adjustment."""
        self._most_in_flight = 0

    def add(self, traffic: TrafficClass, duration_s: float, in_flight: int) -> None:
        """Count a response. `in_flight`: the requests that were running, this one among them."""
        sums = self._sums.setdefault(traffic, [0.0, 0.0])
        sums[0] += 1
        sums[1] += duration_s
        self.samples += 1
        self._most_in_flight = max(self._most_in_flight, in_flight)

    def adjust(self, lag_s: float = 0.0) -> None:
        """Adjust the limit to the responses since the last call. `lag_s`: how late the event loop is."""
        # As in Gradient2, a limit that is not reached says nothing about what the process can do.
        is_used = self._most_in_flight >= self.limit / 2
        gradient = self._gradient() if is_used else 1.0
        if is_used and lag_s > ALLOWED_LAG_S:
            gradient = min(gradient, max(0.5, ALLOWED_LAG_S / lag_s))
        smoothed = self.limit * (1 - SMOOTHING) + (self.limit * gradient + QUEUE) * SMOOTHING
        self.limit = max(min(smoothed, MAX_LIMIT if is_used else self.limit), MIN_LIMIT)
        self._sums.clear()
        self.samples = self._most_in_flight = 0

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
        return weighted / self.samples if self.samples else 1.0


class LoadShedder:
    """Decides for one process which requests it accepts. It belongs to one event loop."""

    def __init__(self, now: Callable[[], float] = perf_counter, random: Random | None = None) -> None:
        self._now = now
        self._random = random or Random()
        self._limit = GradientLimit()
        self._in_flight = self._reserved_in_flight = 0
        self._short_at = now()
        self._lags_s = (0.0, 0.0)
        """Of the tick before the last one, and of the last one."""
        self._tick_due = now() + LAG_INTERVAL_S
        self._adjusted_at = self._reported_at = now()
        self._refused: Counter[TrafficClass] = Counter()
        self._measuring: asyncio.Task[None] | None = None

    @property
    def limit(self) -> float:
        """The number of requests that may run at the same time."""
        return self._limit.limit

    @property
    def in_flight(self) -> int:
        """The number of requests that run or wait for the event loop."""
        return self._in_flight + self._reserved_in_flight

    @property
    def lag_s(self) -> float:
        """How late the event loop is. Two ticks in a row must be late: a single pause is no overload."""
        before, last = self._lags_s
        overdue = self._now() - self._tick_due
        return max(min(before, last), min(last, overdue))

    async def __aenter__(self) -> Self:
        """Measure the lag of the running event loop until `__aexit__`."""
        self._tick_due = self._now() + LAG_INTERVAL_S
        self._measuring = asyncio.create_task(self._measure())
        return self

    async def __aexit__(self, *_: object) -> None:
        await stop_task(self._measuring)

    def admit(self, traffic: TrafficClass) -> "RunningRequest | None":
        """Accept a request, and return the context manager in which to answer it; None: it is refused.

        Call `refuse` for one that is refused in the end.
        """
        now = self._now()
        if traffic in RESERVE:
            if self._reserved_in_flight >= self._limit.limit * SHARES[traffic] + RESERVE[traffic]:
                return None
            self._reserved_in_flight += 1
            return RunningRequest(self, traffic, now, self.in_flight)
        limit = self._limit.limit
        queue = self._in_flight + max(0.0, self._reserved_in_flight - limit)
        if queue < SHORT * limit:
            self._short_at = now
        most = limit * SHARES[traffic]
        if queue >= (most if now - self._short_at > SUSTAINED_S else most * BURST):
            return None
        self._in_flight += 1
        return RunningRequest(self, traffic, now, self._in_flight)

    def refuse(self, traffic: TrafficClass) -> int:
        """Count a refusal, and return the seconds after which the client may try again."""
        REQUESTS_REFUSED.labels(traffic, "load").inc()
        self._refused[traffic] += 1
        return self._random.choice(RETRY_AFTER_S)

    def release(self, traffic: TrafficClass, started: float, in_flight: int) -> None:
        """Count the response to a request. `RunningRequest` calls this."""
        if traffic in RESERVE:
            self._reserved_in_flight -= 1
        else:
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
        if self._refused and now - self._reported_at >= REPORT_S:
            self._report(now)

    def _report(self, now: float) -> None:
        log.warning(
            "requests were refused",
            reason="load",
            refused=dict(self._refused),
            limit=round(self._limit.limit),
            in_flight=self.in_flight,
        )
        self._refused.clear()
        self._reported_at = now

    async def _measure(self) -> None:
        while True:
            await asyncio.sleep(max(0.0, self._tick_due - self._now()))
            self.tick()


@dataclass(slots=True)
class RunningRequest:
    """A request that was accepted, until the end of the block, or until `release`."""

    _shedder: LoadShedder | None
    _traffic: TrafficClass
    _started: float
    _in_flight: int

    def release(self) -> None:
        """Count the request as answered. Call it at the head of a stream, which may last for hours."""
        if self._shedder is not None:
            self._shedder.release(self._traffic, self._started, self._in_flight)
            self._shedder = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()
