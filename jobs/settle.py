"""Waits until whoever reads from Kafka has taken in what it holds."""

import math
import time
from collections.abc import Callable

_BETWEEN_S = 0.5
HURRY_EVERY_S = 3.0

Lag = Callable[[], int]


def settle(
    lag: Lag,
    wait_s: float,
    progress: Callable[[int], None],
    hurry: Callable[[], None],
    hurry_every_s: float = HURRY_EVERY_S,
) -> bool:
    """Wait until `lag()` is zero, at most `wait_s`; whether it got there. Tells `progress` the lag.

    `hurry` is called every few seconds: what was read is committed only when someone says so.
    """
    deadline, hurried = time.monotonic() + wait_s, float("-inf")
    while behind := lag():
        now = time.monotonic()
        if now >= deadline:
            return False
        progress(behind)
        if now - hurried >= hurry_every_s:
            hurry()
            hurried = now
        time.sleep(_BETWEEN_S)
    return True


def settle_while_moving(
    lag: Lag,
    still_s: float,
    progress: Callable[[int], None],
    hurry: Callable[[], None],
    hurry_every_s: float = HURRY_EVERY_S,
) -> int:
    """Wait until `lag()` is zero, or is not less than `still_s` before, and give it."""
    least = math.inf
    while not settle(lag, still_s, progress, hurry, hurry_every_s):
        if (behind := lag()) >= least:
            return behind
        least = behind
    return 0
