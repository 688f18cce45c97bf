"""How fast a replay goes: as fast as it can, or a number of times faster than it happened."""

import time
from collections.abc import Callable

import numpy as np

from common.errors import UserError
from producers.feed.events import Millis

LONGEST_WAIT_S = 0.2
"""A sender looks after its deliveries at least this often while it waits."""


def parse_speed(text: str) -> float | None:
    """`max` is None; otherwise how many times faster than real time, above 0.

    Raises:
        UserError: it is neither.
    """
    if text == "max":
        return None
    try:
        speed = float(text)
    except ValueError:
        speed = 0.0
    if not 0 < speed < float("inf"):
        raise UserError(f"--speed {text}: give `max`, or how many times faster than real time, such as 3600")
    return speed


class Pace:
    """Says how many events are due. `times` are the timeline's, ascending, in Unix milliseconds.

    Its clock begins at the event at `start`, or at `from_ms` if that is later: what occurred before is due at
    once.
    """

    def __init__(
        self,
        times: Millis,
        start: int,
        speed: float | None,
        from_ms: int | None = None,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._times = times
        self._speed = speed
        self._now_s = now_s
        self._began_s = now_s()
        first = int(times[start]) if start < len(times) else 0
        self._began_at = first if from_ms is None else max(first, from_ms)

    def due(self) -> int:
        """The number of events of the timeline that are due now."""
        if self._speed is None:
            return len(self._times)
        elapsed_ms = (self._now_s() - self._began_s) * 1000 * self._speed
        return int(np.searchsorted(self._times, self._began_at + elapsed_ms, side="right"))

    def wait_s(self, position: int) -> float:
        """Seconds until the event at `position` is due, at most LONGEST_WAIT_S."""
        if self._speed is None:
            return 0.0
        due_s = self._began_s + (int(self._times[position]) - self._began_at) / 1000 / self._speed
        return min(max(due_s - self._now_s(), 0.0), LONGEST_WAIT_S)
