"""What an experiment says about an arm: better, worse, not known yet, or not to be trusted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from common.experiments.definition import Guardrail, GuardrailMetric
from recommenders.experiments.effects import Effect, effect
from recommenders.experiments.intervals import Interval, confidence_sequence, fixed_interval
from recommenders.experiments.moments import Moments

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
    interval = fixed_interval(found.difference, found.variance)
    return MetricResult(
        found, sequence, interval, relative, _verdict(control, treated, sequence, is_mismatched)
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
    enough_units = min(control.units, treated.units) >= MIN_UNITS
    nonzero = _effective_events(control) + _effective_events(treated)
    return enough_units and nonzero >= MIN_EVENTS


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
