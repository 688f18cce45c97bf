"""Reads from one part of the platform with a deadline of its own, and knows since when it does not answer."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from time import monotonic
from typing import Generic, TypeVar

import structlog

from common.background import retrieve_error
from common.clock import Clock

T = TypeVar("T")

TIMEOUT_S = 2.0
LATE_S = 10.0
"""For so long after an answer, a source that is only late keeps its value: a busy machine is no outage."""

MAX_PROBLEM = 300
"""Characters of a problem that are shown: a part may answer with a page of text."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Reading(Generic[T]):
    """What a source gave. `problem` says why it does not answer, or is empty.

    `value` is None while it does not answer, unless the source keeps the last one. `failing_since` is when
    this process first got no answer. `answered_at` is the time of the newest answer, or None.
    """

    value: T | None
    answered_at: datetime | None
    failing_since: datetime | None
    problem: str


class Source(Generic[T]):
    """Reads a value, at most every `every_s` seconds and at most once at a time.

    A reading that exceeds `timeout_s` goes on: a thread can't be cancelled. The next one waits for it instead
    of starting another, so a part that hangs never has more than one request.
    """

    def __init__(
        self,
        name: str,
        read: Callable[[], Awaitable[T]],
        clock: Clock,
        timeout_s: float = TIMEOUT_S,
        every_s: float = 0.0,
        quiet: bool = False,
        keeps_last: bool = False,
    ) -> None:
        """`quiet` sources may be away: nothing is logged about them.

        With `keeps_last`, the last value stays while the source does not answer: it changes slowly.
        """
        self.name = name
        self._read, self._clock = read, clock
        self._timeout_s, self._every_s = timeout_s, every_s
        self._quiet, self._keeps_last = quiet, keeps_last
        self._task: asyncio.Task[T] | None = None
        self._last: Reading[T] = Reading(None, None, None, "it was not asked yet")
        self._read_at = float("-inf")

    async def reading(self) -> Reading[T]:
        """Return what the source gives within its deadline. This never raises."""
        if not self._last.problem and monotonic() - self._read_at < self._every_s:
            return self._last
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._start(), name=f"overview {self.name}")
            self._task.add_done_callback(retrieve_error)  # it may fail after its deadline
        done, _ = await asyncio.wait({self._task}, timeout=self._timeout_s)
        if not done:
            is_recent = monotonic() - self._read_at < LATE_S
            return self._failed(f"it does not answer within {self._timeout_s:g} s", keeps_value=is_recent)
        error = self._task.exception()
        return (
            self._answered(self._task.result())
            if error is None
            else self._failed(_text(error), keeps_value=False)
        )

    async def aclose(self) -> None:
        """Cancel a reading that still runs."""
        if self._task is not None and not self._task.done():
            self._task.cancel()
            await asyncio.wait({self._task})

    async def _start(self) -> T:
        return await self._read()

    def _answered(self, value: T) -> Reading[T]:
        if self._last.failing_since is not None and not self._quiet:
            log.info("a part answers again", source=self.name)
        self._read_at = monotonic()
        self._last = Reading(value, self._clock(), None, "")
        return self._last

    def _failed(self, problem: str, keeps_value: bool) -> Reading[T]:
        since = self._last.failing_since
        if since is None and not self._quiet:
            log.warning("a part gives no figures for the overview", source=self.name, reason=problem)
        value = self._last.value if keeps_value or self._keeps_last else None
        self._last = Reading(value, self._last.answered_at, since or self._clock(), problem)
        return self._last


def _text(error: BaseException) -> str:
    """Return an error as one line."""
    line = " ".join(str(error).split()) or type(error).__name__
    return line if len(line) <= MAX_PROBLEM else f"{line[: MAX_PROBLEM - 1]}…"
