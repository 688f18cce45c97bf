"""Counts requests in a sliding window, approximated by two fixed windows.

The count is that of the current window, plus the count of the one before, weighted by the part of it that the
sliding window still covers. The library `limits` computes it in the same way in Redis.
"""

from math import floor, inf
from typing import NamedTuple


class WindowCount(NamedTuple):
    """The requests of the previous and of the current window, which ends in `ends_in_s`."""

    previous: int
    current: int
    ends_in_s: float
    window_s: float

    @property
    def used(self) -> int:
        """The requests in the sliding window, rounded down."""
        return floor(self.previous * self.ends_in_s / self.window_s) + self.current

    def seconds_until(self, limit: int, cost: int = 1) -> float:
        """Return after how many seconds without requests `cost` more fit into `limit`; `inf` if never."""
        if self.used + cost <= limit:
            return 0.0
        if cost > limit:
            return inf
        if self.current + cost <= limit:
            # The weighted count of the previous window must fall below this number.
            share = (limit - self.current - cost + 1) / self.previous
            return max(0.0, self.ends_in_s - share * self.window_s)
        share = (limit - cost + 1) / self.current
        return self.ends_in_s + max(0.0, 1 - share) * self.window_s


class SlidingWindow:
    """A count in this process. The caller passes the time of a monotonic clock, in seconds."""

    __slots__ = ("_current", "_previous", "_started", "_window_s")

    def __init__(self, window_s: float, now: float) -> None:
        self._window_s = window_s
        self._started = now
        self._previous = self._current = 0

    def count(self, now: float) -> WindowCount:
        """Return the count at this time."""
        elapsed = now - self._started
        if elapsed >= self._window_s:
            is_next = elapsed < 2 * self._window_s
            self._started = self._started + self._window_s if is_next else now
            self._previous, self._current = (self._current if is_next else 0), 0
            elapsed = now - self._started
        return WindowCount(self._previous, self._current, self._window_s - elapsed, self._window_s)

    def add(self, requests: int = 1) -> None:
        """Count requests in the current window. Call `count` before, which begins it."""
        self._current += requests
