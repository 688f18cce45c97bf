"""Quantiles of measured durations."""

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
