"""Makes responses about experiments from definitions and sums. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from common.experiments.definition import GUARDRAIL_METRICS, Arm, Experiment
from recommenders.experiments.intervals import Interval
from recommenders.experiments.moments import Moments
from recommenders.experiments.sample_ratio import SampleRatio, sample_ratio
from recommenders.experiments.verdicts import MAX_SHARED_SHARE, breached, compare
from recommenders.experiments.verdicts import MetricResult as Comparison
from serving.kit.clickhouse import Row
from serving.kit.response_types import ConfidenceInterval
from serving.recommendations.experiments import schemas

Sums = Mapping[tuple[str, str], Moments]
"""(arm, metric) → the sums over the arm's visitors. The arm '' has those who were seen in two arms."""

NOBODY = Moments.of([])


@dataclass(frozen=True, slots=True)
class AnalysedPeriod:
    """Now, the end of what is analysed, and the event time up to which it is complete."""

    now: datetime
    last: datetime
    as_of: datetime | None


def definition(experiment: Experiment, now: datetime) -> schemas.ExperimentDefinition:
    """Return an experiment with its state at this moment."""
    state: schemas.State = "running" if experiment.is_running(now) else "stopped"
    return {
        "name": experiment.name,
        "surface": experiment.surface,
        "unit": experiment.unit,
        "salt": experiment.salt,
        "start": experiment.start,
        "stop": experiment.stop,
        "state": "scheduled" if now < experiment.start else state,
        "arms": [
            {"name": arm.name, "strategy": arm.strategy, "share": arm.share, "stopped_at": arm.stopped_at}
            for arm in experiment.arms
        ],
        "guardrails": [{"metric": each.metric, "max_loss": each.max_loss} for each in experiment.guardrails],
    }


def results(
    experiment: Experiment,
    period: AnalysedPeriod,
    currency: str,
    sums: Sums,
    of_arm: Mapping[str, Sums],
) -> schemas.ExperimentResults:
    """Return the results. `sums` are those of the whole period, `of_arm` those up to the stop of each arm."""
    live = [arm for arm in experiment.arms if arm.is_live(period.last) and arm.share > 0]
    visitors = [_units(sums, arm.name) for arm in live]
    ratio = sample_ratio(visitors, [arm.share for arm in live])
    shared = _units(sums, "")
    total = shared + sum(visitors)
    return {
        "definition": definition(experiment, period.now),
        "period": {"from": experiment.start, "to": period.last},
        "currency": currency,
        "sample_ratio": {"p": ratio.p, "deviation": ratio.deviation, "mismatch": ratio.mismatch},
        "visitors_in_two_arms": shared,
        "warnings": _warnings(ratio, shared, total),
        "arms": [_arm(experiment, arm, of_arm[arm.name], ratio.mismatch) for arm in experiment.arms],
        "as_of": period.as_of,
    }


def _arm(experiment: Experiment, arm: Arm, sums: Sums, is_mismatched: bool) -> schemas.ArmResult:
    is_control = arm == experiment.control
    compared = {
        metric: compare(
            sums.get((experiment.control.name, metric), NOBODY),
            sums.get((arm.name, metric), NOBODY),
            is_mismatched,
        )
        for metric in GUARDRAIL_METRICS
    }
    broken = None if is_control else breached(experiment.guardrails, compared)
    return {
        "name": arm.name,
        "strategy": arm.strategy,
        "is_control": is_control,
        "stopped_at": arm.stopped_at,
        "visitors": _units(sums, arm.name),
        "metrics": [_metric(metric, each, is_control) for metric, each in compared.items()],
        "breached": broken.metric if broken else None,
    }


def _metric(name: schemas.MetricName, result: Comparison, is_control: bool) -> schemas.MetricResult:
    return {
        "metric": name,
        "value": result.effect.control if is_control else result.effect.treated,
        "difference": None if is_control else interval(result.sequence),
        "difference_of_one_look": None if is_control else interval(result.interval),
        "relative": None if is_control or result.relative is None else interval(result.relative),
        "verdict": None if is_control else result.verdict,
    }


def interval(found: Interval) -> ConfidenceInterval:
    """Return an interval as in responses."""
    return {"estimate": found.estimate, "low": found.low, "high": found.high}


def answer(row: Row, weights: Mapping[str, float] | None) -> schemas.RecommendationAnswer:
    """Return a row of the log, with the weights of the sources at that time."""
    return {
        "recommendation_id": row["recommendation_id"],
        "answered_at": datetime.fromisoformat(row["answered_at"]).replace(tzinfo=UTC),
        "visitor_id": row["visitor_id"],
        "surface": row["surface"],
        "anchor_product_id": row["anchor_product_id"],
        "experiment": row["experiment"],
        "arm": row["arm"],
        "arm_propensity": row["arm_propensity"],
        "strategy": row["strategy"],
        "model_version": row["model_version"],
        "is_explored": row["is_explored"],
        "seeds": row["seeds"],
        "items": row["items"],
        "alternatives": row["alternatives"],
        "answer_ms": row["answer_ms"],
        "passed_over": row["passed_over"],
        "weights": None if weights is None else dict(weights),
    }


def _units(sums: Sums, arm: str) -> int:
    return sums.get((arm, "conversion"), NOBODY).units


def _warnings(ratio: SampleRatio, shared: int, total: int) -> list[str]:
    warnings = []
    if ratio.mismatch:
        warnings.append(
            "The arms do not have the visitors that their shares promise, so visitors are lost or counted "
            "twice in an arm. Do not trust these results before the reason is found."
        )
    if total and shared / total > MAX_SHARED_SHARE:
        warnings.append(
            f"{shared / total:.1%} of the visitors were seen in two arms, such as before and after a "
            "change of the shares. They count in no arm."
        )
    return warnings
