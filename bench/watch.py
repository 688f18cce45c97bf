"""Watches counters until they are complete, and turns what was seen into a rate."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from common.errors import SoukError


@dataclass(frozen=True)
class Seen:
    """At `at_s` (a monotonic clock) so many rows were there."""

    at_s: float
    rows: int


@dataclass(frozen=True)
class Rate:
    """Rows a second overall, and steadily: between the tenth and the ninetieth per cent of the rows."""

    rows: int
    seconds: float
    per_second: float
    steady_per_second: float


REST = 4.0
"""How many times longer a watcher rests than it looked: looking is work for the same machine."""


def watch(count: Callable[[], int], until: int, timeout_s: float, every_s: float = 0.1) -> list[Seen]:
    """Look at a counter until it reaches `until`, at most a fifth of the time.

    Raises:
        SoukError: it did not within `timeout_s`.
    """
    deadline = time.monotonic() + timeout_s
    seen: list[Seen] = []
    while True:
        begun = time.monotonic()
        rows = count()
        seen.append(Seen(time.monotonic(), rows))
        if rows >= until:
            return seen
        if time.monotonic() > deadline:
            raise SoukError(f"only {rows:,} of {until:,} rows were there after {timeout_s:.0f} s")
        time.sleep(max(every_s, REST * (seen[-1].at_s - begun)))


def rate(seen: Sequence[Seen]) -> Rate:
    """The rate from the last look at which nothing was there to the first at which all was."""
    total = seen[-1].rows
    start = max((each for each in seen if each.rows == 0), key=lambda each: each.at_s, default=seen[0])
    end = seen[-1].at_s
    low, high = _reached(seen, total * 0.1), _reached(seen, total * 0.9)
    seconds = max(end - start.at_s, 1e-9)
    steady = (high.rows - low.rows) / (high.at_s - low.at_s) if high.at_s > low.at_s else total / seconds
    return Rate(total, seconds, total / seconds, steady)


def _reached(seen: Sequence[Seen], rows: float) -> Seen:
    return next(each for each in seen if each.rows >= rows)
