"""Waits until the readers of Kafka have caught up with it."""

import math
import time
from collections.abc import Callable

_POLL_S = 0.5
COMMIT_EVERY_S = 3.0

ReadLag = Callable[[], int]
"""Returns how many messages are still to be read."""


def wait_for_zero_lag(
    lag: ReadLag,
    wait_s: float,
    progress: Callable[[int], None],
    request_commit: Callable[[], None],
    commit_every_s: float = COMMIT_EVERY_S,
) -> bool:
    """Wait at most `wait_s` until `lag()` is zero; returns whether it is.

    Calls `progress` with each lag that is not zero, and `request_commit` every `commit_every_s`: a job's lag
    falls only when the job commits its offsets.
    """
    deadline, requested = time.monotonic() + wait_s, float("-inf")
    while behind := lag():
        now = time.monotonic()
        if now >= deadline:
            return False
        progress(behind)
        if now - requested >= commit_every_s:
            request_commit()
            requested = now
        time.sleep(_POLL_S)
    return True


def wait_while_lag_falls(
    lag: ReadLag,
    stalled_s: float,
    progress: Callable[[int], None],
    request_commit: Callable[[], None],
    commit_every_s: float = COMMIT_EVERY_S,
) -> int:
    """Wait until `lag()` is zero or has not reached a new minimum for `stalled_s`; returns the lag."""
    least = math.inf
    while not wait_for_zero_lag(lag, stalled_s, progress, request_commit, commit_every_s):
        if (behind := lag()) >= least:
            return behind
        least = behind
    return 0
