"""Refuses calls to a part that does not answer, so that no request spends its time on waiting for it.

Each process has its own breakers. The library `purgatory` is not used: while half-open it admits every
caller, and it has neither a minimum number of calls nor open periods that grow.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from math import ceil
from time import monotonic
from types import TracebackType
from typing import Self
from weakref import WeakSet

import structlog

from common.errors import PartUnavailable
from common.metrics import BREAKER_OPENED, BREAKER_STATE
from common.problems import Problem

log = structlog.get_logger()


_BREAKERS: "WeakSet[CircuitBreaker]" = WeakSet()
"""The breakers of this process that have no settings of their own."""


LONG_CALL_S = 1.5
"""A call that is cancelled after this time counts as failed, because a time limit has ended it. A call that
is cancelled earlier says nothing about the part."""


class BreakerState(IntEnum):
    """The state of a breaker, with the value of its metric."""

    CLOSED = 0
    HALF_OPEN = 1
    OPEN = 2


@dataclass(frozen=True, slots=True)
class BreakerSettings:
    """When a breaker opens, for how long, and how it closes.

    It opens once `failure_share` of the last `window` calls have failed, at the earliest after
    `minimum_calls`. The first open period is `first_open_s`; it doubles with each failed trial, up to
    `max_open_s`. So a part that restarts within seconds is used again after seconds, and one that is down for
    long gets a trial a minute. `trials` calls in a row must then succeed; at most that many run at a time.
    """

    window: int = 100
    failure_share: float = 0.5
    minimum_calls: int = 20
    first_open_s: float = 1.0
    max_open_s: float = 60.0
    trials: int = 10


class BreakerOpen(Problem, PartUnavailable):
    """A breaker is open: the part failed too often, and is not called for a while."""

    status, kind, title = 503, "temporary-reduced-capacity", "A part of the platform does not answer"

    def __init__(self, breaker: str, remaining_s: float) -> None:
        """`remaining_s` is how long the breaker stays open."""
        self.retry_after_s = max(1, ceil(remaining_s))
        super().__init__(f"{breaker} failed too often just now. Try again in {self.retry_after_s} s.")


class CircuitBreaker:
    """The breaker of one part in this process. It belongs to one event loop, so it needs no lock.

    `failures` are the exceptions that mean that the part is unavailable or too slow. Any other exception,
    such as the refusal of one request, is the answer of a part that works.
    """

    def __init__(
        self,
        name: str,
        failures: tuple[type[BaseException], ...],
        settings: BreakerSettings | None = None,
        now: Callable[[], float] = monotonic,
    ) -> None:
        """`name` becomes the value of a metric's label, so it comes from a fixed set."""
        self.name, self.failures = name, failures
        self._settings = settings or BreakerSettings()
        if settings is None:
            _BREAKERS.add(self)
        self._now = now
        self._state = BreakerState.CLOSED
        self._failed: deque[bool] = deque(maxlen=self._settings.window)
        self._failed_count = 0
        self._open_until = 0.0
        self._open_for_s = 0.0
        self._trials_running = 0
        self._trials_succeeded = 0
        self._period = 0
        """Changes with each change of state. The outcome of a call from an earlier period does not count."""
        BREAKER_STATE.labels(name).set(BreakerState.CLOSED)

    def configure(self, settings: BreakerSettings) -> None:
        """Apply other settings. The outcomes of the last calls are kept as far as the window allows."""
        if settings == self._settings:
            return
        self._settings = settings
        self._failed = deque(self._failed, settings.window)
        self._failed_count = sum(self._failed)

    @property
    def state(self) -> BreakerState:
        """The state now. An open breaker whose period has ended is half-open."""
        if self._state is BreakerState.OPEN and self._now() >= self._open_until:
            return BreakerState.HALF_OPEN
        return self._state

    @property
    def remaining_s(self) -> float:
        """Seconds until an open breaker admits a trial; 0 in every other state."""
        return max(0.0, self._open_until - self._now()) if self._state is BreakerState.OPEN else 0.0

    def attempt(self) -> "BreakerAttempt":
        """Admit a call, and return the context manager in which to make it; it may contain `await`.

        Raises:
            BreakerOpen: the part is not to be called now.
        """
        if self._state is BreakerState.CLOSED:
            return BreakerAttempt(self, self._period, self._now())
        if self._state is BreakerState.OPEN:
            if (remaining_s := self.remaining_s) > 0:
                raise BreakerOpen(self.name, remaining_s)
            self._change(BreakerState.HALF_OPEN)
        if self._trials_running >= self._settings.trials:
            raise BreakerOpen(self.name, self._settings.first_open_s)
        self._trials_running += 1
        return BreakerAttempt(self, self._period, self._now())

    def open(self) -> None:
        """Admit no more calls, because the part was seen not to answer by other means, too.

        It does not need `minimum_calls` then, nor must calls from before the outage leave the window first.
        """
        if self._state is BreakerState.CLOSED:
            self._open()

    def end_open_period(self) -> None:
        """Admit trials from now on, because the part was seen to answer by other means."""
        if self._state is BreakerState.OPEN:
            self._change(BreakerState.HALF_OPEN)

    def is_long(self, started: float) -> bool:
        """Return whether a call that began at this time has lasted for `LONG_CALL_S`."""
        return self._now() - started >= LONG_CALL_S

    def record(self, failed: bool | None, period: int) -> None:
        """Count the outcome of a call that was admitted in this period; None if it was cancelled early."""
        if period != self._period:
            return
        if self._state is BreakerState.HALF_OPEN:
            self._record_trial(failed)
        elif failed is not None:
            self._record_call(failed)

    def _record_call(self, failed: bool) -> None:
        if len(self._failed) == self._failed.maxlen:
            self._failed_count -= self._failed[0]
        self._failed.append(failed)
        self._failed_count += failed
        calls = len(self._failed)
        if (
            failed
            and calls >= self._settings.minimum_calls
            and self._failed_count >= self._settings.failure_share * calls
        ):
            self._open()

    def _record_trial(self, failed: bool | None) -> None:
        self._trials_running -= 1
        if failed:
            self._open()
        elif failed is not None:
            self._trials_succeeded += 1
            if self._trials_succeeded >= self._settings.trials:
                self._open_for_s = 0.0
                self._change(BreakerState.CLOSED)

    def _open(self) -> None:
        self._open_for_s = min(self._open_for_s * 2 or self._settings.first_open_s, self._settings.max_open_s)
        self._open_until = self._now() + self._open_for_s
        self._change(BreakerState.OPEN)
        BREAKER_OPENED.labels(self.name).inc()

    def _change(self, state: BreakerState) -> None:
        self._state = state
        self._period += 1
        self._failed.clear()
        self._failed_count = self._trials_running = self._trials_succeeded = 0
        BREAKER_STATE.labels(self.name).set(state)
        log.info("a circuit breaker changed", breaker=self.name, state=state.name.lower())


@dataclass(slots=True)
class BreakerAttempt:
    """One call through a breaker. The exception with which the block ends says whether the part failed."""

    _breaker: CircuitBreaker
    _period: int
    _started: float
    _failed: bool = False

    def failed(self) -> None:
        """Count this call as failed, though it raises nothing."""
        self._failed = True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        self._breaker.record(self._failed if error is None else self._has_failed(error), self._period)

    def _has_failed(self, error: BaseException) -> bool | None:
        """Return whether an exception means that the part failed; None if it says nothing about the part."""
        if isinstance(error, self._breaker.failures):
            return True
        if isinstance(error, Exception):
            return False
        return self._breaker.is_long(self._started) or None  # the call was cancelled


def configure_breakers(settings: BreakerSettings) -> None:
    """Apply settings to all breakers of this process that have none of their own."""
    for breaker in _BREAKERS:
        breaker.configure(settings)
