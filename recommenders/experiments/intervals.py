"""Intervals of an effect: one for a single look, and one that may be looked at any time."""

from dataclasses import dataclass
from math import log, sqrt
from statistics import NormalDist

ALPHA = 0.05
"""One minus the confidence of all intervals."""

PLANNED_UNITS = 5_000
"""N*: the number of units for which a confidence sequence is narrowest. It is fixed before the experiment."""


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate and its lower and upper bound."""

    estimate: float
    low: float
    high: float

    def contains(self, value: float) -> bool:
        """Return whether a value is inside."""
        return self.low <= value <= self.high

    @property
    def is_above_zero(self) -> bool:
        """Return whether every value inside is positive."""
        return self.low > 0

    @property
    def is_below_zero(self) -> bool:
        """Return whether every value inside is negative."""
        return self.high < 0

    def scaled(self, factor: float) -> "Interval":
        """Return the interval of the estimate times a positive factor."""
        return Interval(self.estimate * factor, self.low * factor, self.high * factor)


def fixed_interval(estimate: float, variance: float, alpha: float = ALPHA) -> Interval:
    """Return the normal interval of an estimate.

    Args:
        estimate: a difference of means or ratios.
        variance: the variance of the estimate, not of one observation.
        alpha: the probability with which the interval misses the true value, at one look that was fixed
            beforehand.
    """
    half = NormalDist().inv_cdf(1 - alpha / 2) * sqrt(variance)
    return Interval(estimate, estimate - half, estimate + half)


def confidence_sequence(
    estimate: float,
    variance: float,
    units: int,
    alpha: float = ALPHA,
    planned_units: int = PLANNED_UNITS,
) -> Interval:
    """Return an interval that holds the true value at all looks together with probability 1 - alpha.

    This is the asymptotic confidence sequence of Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas (arXiv
    2103.06476): with ρ = √((-2 ln α + ln(-2 ln α + 1)) / N*), the half-width is σ̂ · √(2(Nρ² + 1) / (N²ρ²) ·
    ln(√(Nρ² + 1) / α)).

    Args:
        estimate: a difference of means or ratios.
        variance: the variance of the estimate. σ̂² of one observation is `units` times this value.
        units: N, the number of units in both arms.
        alpha: the probability with which the sequence misses the true value at any look.
        planned_units: N*.
    """
    if units < 1:
        return Interval(estimate, estimate, estimate)
    rho_squared = (-2 * log(alpha) + log(-2 * log(alpha) + 1)) / planned_units
    grown = units * rho_squared + 1
    factor = 2 * grown / (units**2 * rho_squared) * log(sqrt(grown) / alpha)
    half = sqrt(units * variance) * sqrt(factor)
    return Interval(estimate, estimate - half, estimate + half)
