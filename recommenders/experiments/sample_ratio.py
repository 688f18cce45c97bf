"""Checks whether the arms have the units that their shares promise."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import erfc, exp, gamma, sqrt

MAX_P = 0.001
"""A smaller p-value is a mismatch."""

MIN_DEVIATION = 0.001
"""A deviation of less than a tenth of a percentage point is no mismatch, however many units there are."""

MIN_EXPECTED = 8.0
"""With fewer expected units in an arm, the χ² approximation does not hold, and nothing is checked."""


@dataclass(frozen=True, slots=True)
class SampleRatio:
    """The result. `p` is None if there are too few units, and `mismatch` is False then."""

    p: float | None
    deviation: float
    mismatch: bool


def sample_ratio(units: Sequence[int], shares: Sequence[float], comparisons: int = 1) -> SampleRatio:
    """Compare the units of the arms that are live with their shares, by Pearson's χ² test.

    Args:
        units: the units of each arm.
        shares: the share of each arm; only their proportions count.
        comparisons: the number of such tests, such as one for each country; the threshold is divided by it
            (Bonferroni).

    A mismatch means that units are lost or added in one arm, so that no result can be trusted (Fabijan et
    al. 2019, "Diagnosing Sample Ratio Mismatch in Online Controlled Experiments"). `deviation` is the
    largest difference of an arm's share of the units from its promised share.

    Raises:
        ValueError: there are not as many shares as arms, or a share is not positive.
    """
    if len(units) != len(shares) or any(share <= 0 for share in shares):
        raise ValueError("each arm needs a number of units and a positive share")
    total, whole = sum(units), sum(shares)
    if len(units) < 2 or total == 0:
        return SampleRatio(None, 0.0, False)
    expected = [total * share / whole for share in shares]
    deviation = max(abs(n - mean) for n, mean in zip(units, expected, strict=True)) / total
    if min(expected) < MIN_EXPECTED:
        return SampleRatio(None, deviation, False)
    statistic = sum((n - mean) ** 2 / mean for n, mean in zip(units, expected, strict=True))
    p = chi_square_tail(statistic, len(units) - 1)
    return SampleRatio(p, deviation, p < MAX_P / comparisons and deviation > MIN_DEVIATION)


def chi_square_tail(statistic: float, degrees: int) -> float:
    """Return the probability that a χ² variable with these degrees of freedom exceeds the statistic.

    It is the regularised upper incomplete gamma function Q(degrees / 2, statistic / 2), which for halves of
    whole numbers follows from Q(1/2, x) = erfc(√x), Q(1, x) = e⁻ˣ and Q(a + 1, x) = Q(a, x) + xᵃ e⁻ˣ / Γ(a +
    1) (DLMF 8.8.6).
    """
    x = statistic / 2
    a, tail = (0.5, erfc(sqrt(x))) if degrees % 2 else (1.0, exp(-x))
    while a < degrees / 2:
        tail += x**a * exp(-x) / gamma(a + 1)
        a += 1
    return min(1.0, tail)
