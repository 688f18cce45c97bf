"""Waits until consumers have read all messages in Kafka."""

import math
import time
from collections.abc import Callable

_POLL_S = 0.5
COMMIT_EVERY_S = 3.0

ReadLag = Callable[[], int]
"""Returns the number of messages that have not been read yet."""


def wait_for_zero_lag(
    lag: ReadLag,
    wait_s: float,
    progress: Callable[[int], None],
    request_commit: Callable[[], None],
    commit_every_s: float = COMMIT_EVERY_S,
) -> bool:
    """Wait at most `wait_s` seconds until `lag()` is zero; return whether it is.

    Calls `progress` with each lag that is not zero, and `request_commit` every `commit_every_s` seconds: a
    job's lag falls only when the job commits its offsets.
    """
    deadline, requested_at = time.monotonic() + wait_s, float("-inf")
    while current_lag := lag():
        now = time.monotonic()
        if now >= deadline:
            return False
        progress(current_lag)
        if now - requested_at >= commit_every_s:
            request_commit()
            requested_at = now
        time.sleep(_POLL_S)
    return True


def wait_while_lag_falls(
    lag: ReadLag,
    stalled_s: float,
    progress: Callable[[int], None],
    request_commit: Callable[[], None],
    commit_every_s: float = COMMIT_EVERY_S,
) -> int:
    """Wait until `lag()` is zero, or has reached no new minimum for `stalled_s` seconds; return the lag."""
    lowest_lag = math.inf
    while not wait_for_zero_lag(lag, stalled_s, progress, request_commit, commit_every_s):
        if (current_lag := lag()) >= lowest_lag:
            return current_lag
        lowest_lag = current_lag
    return 0
