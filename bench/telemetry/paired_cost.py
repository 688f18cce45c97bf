"""The cost of something that was alternately on and off: a ratio with its interval."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, log, sqrt
from statistics import mean, stdev

from scipy.stats import t


@dataclass(frozen=True)
class PairedCost:
    """The relative cost, such as 0.03 for 3 % more, and its 95 % interval over the pairs."""

    estimate: float
    low: float
    high: float

    @classmethod
    def of(cls, ratios: Sequence[float]) -> "PairedCost":
        """Return the cost from one ratio (with : without) of each pair.

        The interval is Student's t over the logarithms of the ratios, because ratios multiply.
        """
        logs = [log(ratio) for ratio in ratios]
        middle = mean(logs)
        half = float(t.ppf(0.975, len(logs) - 1)) * stdev(logs) / sqrt(len(logs)) if len(logs) > 1 else 0.0
        return cls(*(round(exp(value) - 1, 4) for value in (middle, middle - half, middle + half)))

    @classmethod
    def lost(cls, ratios: Sequence[float]) -> "PairedCost":
        """Return the share that is lost, from ratios (with : without) of what should be high."""
        gain = cls.of(ratios)
        return cls(-gain.estimate, -gain.high, -gain.low)
