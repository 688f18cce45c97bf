"""The picture of an interval: a bar on an axis with zero in the middle. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass

from serving.kit.response_types import ConfidenceInterval
from serving.recommendations.experiment_schemas import MetricResult

WIDTH = 200.0
"""The width of a picture, in units of its view box."""

LARGEST = 1.0
"""A relative difference beyond 100 % is drawn at the edge."""


@dataclass(frozen=True, slots=True)
class IntervalBar:
    """The bar: its left end and width, and the place of the estimate, in units of the view box."""

    left: float
    width: float
    estimate: float
    zero: float = WIDTH / 2


def scale_of(metrics: Iterable[MetricResult]) -> float:
    """Return the largest relative difference that any interval reaches, at least 1 % and at most `LARGEST`.

    All bars of a page have this scale, so that they can be compared.
    """
    bounds = (
        max(abs(each["relative"]["low"]), abs(each["relative"]["high"]))
        for each in metrics
        if each["relative"] is not None
    )
    return min(LARGEST, max((0.01, *bounds)))


def bar_of(interval: ConfidenceInterval, scale: float) -> IntervalBar:
    """Return the bar of a relative difference."""
    low, estimate, high = (_place(interval[name], scale) for name in ("low", "estimate", "high"))
    return IntervalBar(low, max(1.0, high - low), estimate)


def _place(value: float, scale: float) -> float:
    return round(WIDTH / 2 * (1 + max(-1.0, min(1.0, value / scale))), 1)
