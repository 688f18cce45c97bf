"""The usual value of a metric at an hour of the week, and how far a value is from it. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

MIN_VALUES = 4
"""With fewer earlier values, nothing is usual yet."""

MAD_TO_DEVIATION = 1.4826
"""The median absolute deviation times this is the standard deviation of a normal distribution."""

MIN_SPREAD_SHARE = 0.1
"""The spread is at least this share of the median, so that small changes of a steady metric are usual."""


@dataclass(frozen=True, slots=True)
class Usual:
    """The median of earlier values in the unit of the metric, and their spread, which is above 0."""

    median: float
    spread: float

    def deviations(self, value: float) -> float:
        """Return by how many robust standard deviations a value is above the median; below 0 if under it.

        Up to the constant, it is the modified z-score of Iglewicz and Hoaglin, "How to Detect and Handle
        Outliers" (1993), who call a value with more than 3.5 an outlier.
        """
        return (value - self.median) / self.spread


def usual_of(values: Sequence[float]) -> Usual | None:
    """Return what is usual after these values; None if they are too few, or if all of them are 0."""
    if len(values) < MIN_VALUES:
        return None
    middle = median(values)
    deviation = median(abs(value - middle) for value in values) * MAD_TO_DEVIATION
    spread = max(deviation, abs(middle) * MIN_SPREAD_SHARE)
    return Usual(middle, spread) if spread > 0 else None
