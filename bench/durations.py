"""Measured durations: a stopwatch, and quantiles."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Quantiles:
    """Quantiles of durations in milliseconds."""

    count: int
    p50_ms: float
    p95_ms: float
    p99_ms: float
    max_ms: float

    @classmethod
    def of(cls, seconds: list[float]) -> "Quantiles":
        """Return the quantiles of durations in seconds."""
        quantiles = np.percentile(np.array(seconds) * 1000, [50, 95, 99, 100])
        return cls(len(seconds), *(round(float(value), 1) for value in quantiles))


@contextmanager
def stopwatch() -> Iterator[Callable[[], float]]:
    """Yield a function that returns the seconds of the block; within the block, those until now."""
    begun = time.perf_counter()
    ended: list[float] = []
    try:
        yield lambda: (ended[0] if ended else time.perf_counter()) - begun
    finally:
        ended.append(time.perf_counter())
