"""What an experiment says about an arm: better, worse, not known yet, or not to be trusted.

`sample_ratio` checks whether the arms have the units that their shares promise. `seller_uplift` says what
personal recommendations brought a seller: shoppers with them compared with the hold-out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import erfc, exp, gamma, sqrt
from typing import Literal

from common.experiments.definition import Guardrail, GuardrailMetric
from recommenders.experiments.effects import Effect, Moments, effect
from recommenders.experiments.intervals import Interval, confidence_sequence, fixed_interval

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


MIN_UNITS = 100
"""With fewer units in an arm, the normal approximation of its mean is poor, and there is no verdict."""

MIN_EVENTS = 10.0
"""With fewer converting sessions or clicked lists in both arms together, there is no verdict."""

MAX_SHARED_SHARE = 0.01
"""A larger share of units that were seen in two arms is a warning. Such units count in no arm."""

Verdict = Literal["not_enough_data", "better", "worse", "no_difference_found", "sample_ratio_mismatch"]


@dataclass(frozen=True, slots=True)
class MetricResult:
    """A metric of an arm against the control arm.

    `sequence` may be looked at any time. `interval` is narrower, and holds for one look only. Both are
    absolute; `relative` is the sequence of the difference as a share of control, None if control has
    nothing.
    """

    effect: Effect
    sequence: Interval
    interval: Interval
    relative: Interval | None
    verdict: Verdict


def compare(control: Moments, treated: Moments, is_mismatched: bool = False) -> MetricResult:
    """Return the result of a metric for an arm. `is_mismatched` is the outcome of `sample_ratio`."""
    found = effect(control, treated)
    sequence = confidence_sequence(found.difference, found.variance, found.units)
    relative = (
        None
        if found.relative is None
        else confidence_sequence(found.relative, found.relative_variance, found.units)
    )
    return MetricResult(
        found,
        sequence,
        fixed_interval(found.difference, found.variance),
        relative,
        _verdict(control, treated, sequence, is_mismatched),
    )


def breached(
    guardrails: Sequence[Guardrail], results: Mapping[GuardrailMetric, MetricResult]
) -> Guardrail | None:
    """Return the first guardrail that an arm breaks; None if it breaks none.

    A guardrail is broken if the whole sequence of the relative difference is below `-max_loss`. The sequence
    holds at all looks together, so checking it every minute stops at most 2.5 % of the harmless arms for each
    guardrail.
    """
    for guardrail in guardrails:
        result = results.get(guardrail.metric)
        if result is None or result.relative is None:
            continue
        if result.verdict == "worse" and result.relative.high < -guardrail.max_loss:
            return guardrail
    return None


def is_known(control: Moments, treated: Moments) -> bool:
    """Return whether both arms have enough units, and the metric enough events, for a verdict."""
    nonzero = _effective_events(control) + _effective_events(treated)
    return min(control.units, treated.units) >= MIN_UNITS and nonzero >= MIN_EVENTS


def _effective_events(arm: Moments) -> float:
    """Return (Σy)² / Σy²: the number of equal units that would have this sum and this sum of squares."""
    return arm.y**2 / arm.yy if arm.yy > 0 else 0.0


def _verdict(control: Moments, treated: Moments, sequence: Interval, is_mismatched: bool) -> Verdict:
    if not is_known(control, treated):
        return "not_enough_data"
    if is_mismatched:
        return "sample_ratio_mismatch"
    if sequence.is_above_zero:
        return "better"
    return "worse" if sequence.is_below_zero else "no_difference_found"


@dataclass(frozen=True, slots=True)
class SellerUplift:
    """Net sales that recommendations added in a period, in minor units, over all shoppers who saw them.

    `total` is an interval for one look, `sequence` one that may be looked at any time. Both are None if
    there are too few shoppers or orders in the hold-out or outside.
    """

    held_out: int
    recommended: int
    total: Interval | None
    sequence: Interval | None


def seller_uplift(held_out: Moments, recommended: Moments) -> SellerUplift:
    """Return the uplift of a seller's net sales.

    Args:
        held_out: net sales of the seller of each shopper of the hold-out, 0 for those who bought nothing; d
            is 1.
        recommended: the same of all other shoppers who saw recommendations.

    The shopper is what was randomised, so the shopper is the unit (cluster randomisation): all orders of one
    shopper are one observation. The difference of the means per shopper is multiplied by the number of
    recommended shoppers.

    The figure is biased by cannibalisation: an order that recommendations moved from one seller to another
    counts as gained by one and as lost by the other, so the sum over all sellers may exceed what the
    marketplace gained. Stock that recommended shoppers buy is missing for the hold-out, which makes the
    figure too high.
    """
    if not is_known(held_out, recommended):
        return SellerUplift(held_out.units, recommended.units, None, None)
    found = effect(held_out, recommended)
    shoppers = float(recommended.units)
    return SellerUplift(
        held_out.units,
        recommended.units,
        fixed_interval(found.difference, found.variance).scaled(shoppers),
        confidence_sequence(found.difference, found.variance, found.units).scaled(shoppers),
    )
