"""The speed of a replay: as fast as possible, or a multiple of real time."""

import time
from collections.abc import Callable

import numpy as np

from common.errors import UserError
from producers.feed.events import Millis

MAX_WAIT_S = 0.2
"""While a sender waits for the next event, it processes deliveries at least this often."""


def parse_speed(text: str) -> float | None:
    """Return None for `max`, otherwise the multiple of real time, which is above 0.

    Raises:
        UserError: the text is neither `max` nor a number above 0.
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
    """Computes how many events are due. `times` are the event times, ascending, in Unix milliseconds.

    The replay's clock starts at the time of the event at `start`, or at `from_ms` if that is later. Earlier
    events are due at once.
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
        """Return how many events of the timeline are due now."""
        if self._speed is None:
            return len(self._times)
        elapsed_ms = (self._now_s() - self._began_s) * 1000 * self._speed
        return int(np.searchsorted(self._times, self._began_at + elapsed_ms, side="right"))

    def wait_s(self, position: int) -> float:
        """Return the seconds until the event at `position` is due, at most MAX_WAIT_S."""
        if self._speed is None:
            return 0.0
        due_s = self._began_s + (int(self._times[position]) - self._began_at) / 1000 / self._speed
        return min(max(due_s - self._now_s(), 0.0), MAX_WAIT_S)
