"""Slows visits down while the platform can't keep up with the requested rate, and speeds them up again. Pure.

An overloaded platform responds late, then rejects requests, and its figures fall behind. Slower visits show
which rate the platform sustains, instead of producing errors. All steps of all visits are delayed equally.
"""

from collections import deque
from typing import NamedTuple

MAX_QUEUED_REQUESTS = 100
"""Queued requests of one endpoint above which visits pause. Requests fail at ten times as many."""

MAX_QUEUED_EVENTS_S = 3.0
"""Queued browsing events, in seconds of the requested rate, above which visits pause."""

MAX_PAUSE_S, PAUSE_DECAY = 1.0, 0.1
"""Total seconds of pauses after which visits slow down, and the decay of that total per second of running."""

MAX_FAILED_REQUESTS = 5
"""Failed requests between two updates at which visits slow down."""

COOLDOWN_S = 3.0
"""Shortest time between two slowdowns, in which queued requests complete."""

LATE_S, CURRENT_S = 20.0, 10.0
"""Lag above which figures are late, and lag below which they are current. Usually the lag is 1 to 6 s."""

PROGRESS_WINDOW_S = (5.0, 20.0)
"""Shortest and longest time over which the progress of figures is measured."""

CATCHING_UP = 1.1
"""Progress of late figures, in seconds per second, at which they catch up: visits need not slow down."""

MAX_FACTOR, OVERLOAD_FACTOR, MIN_FACTOR = 0.8, 0.7, 0.3
"""Factors on the pace at a slowdown.

The factor is OVERLOAD_FACTOR if requests are queued or fail. If figures are late, it depends on their
progress, between MIN_FACTOR and MAX_FACTOR.
"""

SPEED_UP_PER_S, CAUTIOUS_SPEED_UP_PER_S, MIN_PACE = 0.005, 0.001, 0.1
"""Increase of the pace per second: usually, and near the pace that was too high. Then the lowest pace."""

NEAR_LIMIT = 0.9
"""The pace is near the last sustained pace if their ratio is between this share and its inverse."""

STALLED = 0.2
"""Progress of figures, in seconds per second, below which a part is down rather than overloaded."""

CALM_S = 60.0
"""Time without trouble after which the pace increases although figures are not current."""


class FreshnessReading(NamedTuple):
    """The freshness of figures at the time `at_s`. Figures are complete up to `as_of_s`.

    `behind_s` is the age of the oldest order that the figures lack, 0 if they lack none. All three times are
    of the same clock.
    """

    at_s: float
    as_of_s: float
    behind_s: float


class LoadSignals(NamedTuple):
    """The load: queued requests, queued events in seconds of the requested rate, and failed requests.

    Failed requests are those since the last update.
    """

    queued_requests: int
    queued_events_s: float
    failed_requests: int


class LoadController:
    """The clock of visits, which run at `pace` times the requested speed.

    `reason` says why `pace` is below 1. The clock is paused while queues are too long.
    """

    def __init__(self, begun_s: float) -> None:
        self.pace = 1.0
        self.reason = ""
        self.paused = False
        self.delay_s = 0.0
        """Delay of the clock of visits."""
        self._ticked_s = self._updated_s = begun_s
        self._slowed_s = self._trouble_s = float("-inf")
        self._behind_s = 0.0
        self._last_sustained = 1.0
        self._paused_s = 0.0
        self._readings: deque[FreshnessReading] = deque()

    def tick(self, now_s: float) -> None:
        """Advance the clock; call it often."""
        self.delay_s += max(0.0, now_s - self._ticked_s) * (1.0 - self.speed)
        self._ticked_s = now_s

    @property
    def speed(self) -> float:
        """The current speed of the clock: `pace`, or 0 while it is paused."""
        return 0.0 if self.paused else self.pace

    def update_load(self, signals: LoadSignals, now_s: float) -> None:
        """Adapt the pace to the load, and start or end a pause. Call it several times a second."""
        passed_s, self._updated_s = max(0.0, now_s - self._updated_s), now_s
        self._slowed_s = min(self._slowed_s, now_s)  # the clock may have been set back
        was_paused, overload = self.paused, _overload_reason(signals)
        self.paused = bool(overload)
        self._paused_s = max(0.0, self._paused_s + (passed_s if was_paused else -PAUSE_DECAY * passed_s))
        failed = signals.failed_requests >= MAX_FAILED_REQUESTS
        if overload or failed:
            self._trouble_s = now_s
            if now_s - self._slowed_s >= COOLDOWN_S and (failed or self._paused_s >= MAX_PAUSE_S):
                self._last_sustained, self._paused_s = self.pace, 0.0
                self._slow_down(
                    OVERLOAD_FACTOR,
                    overload or f"{signals.failed_requests:,} requests at once got no answer",
                    now_s,
                )
        elif self._behind_s <= CURRENT_S or now_s - self._trouble_s > CALM_S:
            near = NEAR_LIMIT * self._last_sustained <= self.pace <= self._last_sustained / NEAR_LIMIT
            self.pace = min(1.0, self.pace + (CAUTIOUS_SPEED_UP_PER_S if near else SPEED_UP_PER_S) * passed_s)
            if self.pace == 1.0:
                self.reason, self._last_sustained = "", 1.0

    def update_freshness(self, reading: FreshnessReading) -> None:
        """Adapt the pace to the freshness of figures.

        A slowdown has an effect on figures when all events before it are counted. Until then, readings cause
        no further slowdown.
        """
        self._behind_s = reading.behind_s
        self._readings.append(reading)
        while reading.at_s - self._readings[0].at_s > PROGRESS_WINDOW_S[1]:
            self._readings.popleft()
        first = self._readings[0]
        if reading.behind_s <= LATE_S:
            return
        self._trouble_s = reading.at_s
        if reading.as_of_s < self._slowed_s or reading.at_s - first.at_s < PROGRESS_WINDOW_S[0]:
            return
        speed = (reading.as_of_s - first.as_of_s) / (reading.at_s - first.at_s)
        if speed < CATCHING_UP:
            if speed > STALLED:
                self._last_sustained = min(1.0, self.pace * speed)
            factor = min(MAX_FACTOR, max(MIN_FACTOR, speed * MAX_FACTOR))
            self._slow_down(factor, f"figures were {reading.behind_s:,.0f} s behind", reading.at_s)

    def _slow_down(self, factor: float, reason: str, now_s: float) -> None:
        self.pace, self.reason, self._slowed_s = max(MIN_PACE, self.pace * factor), reason, now_s


def _overload_reason(signals: LoadSignals) -> str:
    """Return a text about the queue that is too long; empty if no queue is."""
    if signals.queued_requests > MAX_QUEUED_REQUESTS:
        return f"{signals.queued_requests:,} requests waited"
    if signals.queued_events_s > MAX_QUEUED_EVENTS_S:
        return f"events of {signals.queued_events_s:,.0f} s waited to be sent"
    return ""
