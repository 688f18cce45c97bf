"""Samples counters until they are complete, and computes a rate from the samples."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from common.errors import SoukError


@dataclass(frozen=True)
class Sample:
    """The number of rows that a counter returned at `at_s` (monotonic clock)."""

    at_s: float
    rows: int


@dataclass(frozen=True)
class Rate:
    """Rows a second overall; the steady rate is that between 10 % and 90 % of the rows."""

    rows: int
    seconds: float
    per_second: float
    steady_per_second: float


PAUSE_RATIO = 4.0
"""A poller pauses this many times longer than its query took, because queries load the same machine."""


def poll_until(
    count: Callable[[], int], until: int, timeout_s: float, interval_s: float = 0.1
) -> list[Sample]:
    """Sample a counter until it reaches `until`. The counter runs at most a fifth of the time.

    Raises:
        SoukError: the counter did not reach `until` within `timeout_s`.
    """
    deadline = time.monotonic() + timeout_s
    samples: list[Sample] = []
    while True:
        begun = time.monotonic()
        rows = count()
        samples.append(Sample(time.monotonic(), rows))
        if rows >= until:
            return samples
        if time.monotonic() > deadline:
            raise SoukError(f"only {rows:,} of {until:,} rows had arrived after {timeout_s:.0f} s")
        time.sleep(max(interval_s, PAUSE_RATIO * (samples[-1].at_s - begun)))


def rate(samples: Sequence[Sample]) -> Rate:
    """Return the rate from the last sample of no rows to the first sample of all rows."""
    total = samples[-1].rows
    start = max((each for each in samples if each.rows == 0), key=lambda each: each.at_s, default=samples[0])
    end = samples[-1].at_s
    low, high = _first_sample_with(samples, total * 0.1), _first_sample_with(samples, total * 0.9)
    seconds = max(end - start.at_s, 1e-9)
    steady = (high.rows - low.rows) / (high.at_s - low.at_s) if high.at_s > low.at_s else total / seconds
    return Rate(total, seconds, total / seconds, steady)


def _first_sample_with(samples: Sequence[Sample], rows: float) -> Sample:
    return next(each for each in samples if each.rows >= rows)
