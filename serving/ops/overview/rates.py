"""Turns counters that are read now and then into rates. Pure."""

from collections import defaultdict, deque

WINDOW_S = 60.0
MIN_S = 1.0
"""Two readings nearer than this give no rate."""


class RateMeter:
    """The newest readings of counters, by name."""

    def __init__(self) -> None:
        self._readings: dict[str, deque[tuple[float, float]]] = defaultdict(deque)

    def rate(self, name: str, count: float | None, now_s: float) -> float | None:
        """Note a counter's value, and return how much it grows a second over the last minute.

        `now_s` is of a clock that never goes back. The first reading gives None. A counter that has fallen
        began again at 0, so what was before is forgotten.
        """
        readings = self._readings[name]
        if count is None:
            return None
        if readings and count < readings[-1][1]:
            readings.clear()
        readings.append((now_s, count))
        # The newest reading that is at least a window old stays, so that the rate covers the whole window.
        while len(readings) > 2 and readings[1][0] <= now_s - WINDOW_S:
            readings.popleft()
        first_s, first = readings[0]
        return None if now_s - first_s < MIN_S else (count - first) / (now_s - first_s)
