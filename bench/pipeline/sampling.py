"""Samples counters until they are complete, and computes a rate from the samples."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from common.errors import SoukError


@dataclass(frozen=True)
class Sample:
    """The number of rows that had arrived at `at_s` (monotonic clock), and how many events were complete."""

    at_s: float
    rows: int
    complete: int = 0


@dataclass(frozen=True)
class Rate:
    """Complete events a second overall, and rows a second between 10 % and 90 % of the rows.

    An event is complete once it is in every table that it belongs to. Overall, time counts from the last
    sample without any row, because one topic may be read before another.
    """

    rows: int
    seconds: float
    per_second: float
    steady_per_second: float


PAUSE_RATIO = 4.0
"""A poller pauses this many times longer than its query took, because queries load the same machine."""


def poll_until(
    count: Callable[[], tuple[int, int]], until: int, timeout_s: float, interval_s: float = 0.1
) -> list[Sample]:
    """Sample the rows and the complete events until `until` are complete.

    The counter runs at most a fifth of the time.

    Raises:
        SoukError: fewer events were complete after `timeout_s`.
    """
    deadline = time.monotonic() + timeout_s
    samples: list[Sample] = []
    while True:
        begun = time.monotonic()
        rows, complete = count()
        samples.append(Sample(time.monotonic(), rows, complete))
        if complete >= until:
            return samples
        if time.monotonic() > deadline:
            raise SoukError(f"only {complete:,} of {until:,} events were complete after {timeout_s:.0f} s")
        time.sleep(max(interval_s, PAUSE_RATIO * (samples[-1].at_s - begun)))


def rate(samples: Sequence[Sample]) -> Rate:
    """Return the rate from the last sample without any row to the first sample with all complete events."""
    total, end = samples[-1].complete, samples[-1].at_s
    start = max((each for each in samples if each.rows == 0), key=lambda each: each.at_s, default=samples[0])
    low, high = (_first_sample_with(samples, share * samples[-1].rows) for share in (0.1, 0.9))
    seconds = max(end - start.at_s, 1e-9)
    steady = (high.rows - low.rows) / (high.at_s - low.at_s) if high.at_s > low.at_s else total / seconds
    return Rate(total, seconds, total / seconds, steady)


def _first_sample_with(samples: Sequence[Sample], rows: float) -> Sample:
    return next(each for each in samples if each.rows >= rows)
