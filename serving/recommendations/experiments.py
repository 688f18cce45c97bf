"""Computes the results of experiments from sums in ClickHouse."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import orjson

from common.configuration.definitions import EXPERIMENTS, EXPLORATION_SHARE, HOLDOUT_SHARE
from common.configuration.values import SettingValues
from common.experiments.assignment import HOLDOUT, HOLDOUT_STRATEGY
from common.experiments.definition import DEFAULT_STRATEGY, GUARDRAIL_METRICS, Arm, Experiment
from common.experiments.reading import read_experiments
from common.problems import problem
from recommenders.experiments.effects import Moments
from recommenders.experiments.intervals import Interval
from recommenders.experiments.verdicts import (
    MAX_SHARED_SHARE,
    SampleRatio,
    breached,
    compare,
    sample_ratio,
    seller_uplift,
)
from recommenders.experiments.verdicts import MetricResult as Comparison
from schemas.published_model.weights import DEFAULT_WEIGHTS
from serving.kit.analytics_context import AnalyticsContext
from serving.kit.clickhouse import Row
from serving.kit.response_types import ConfidenceInterval
from serving.recommendations import experiment_schemas as schemas
from serving.recommendations.experiment_schemas import (
    ExperimentResults,
    Experiments,
    RecommendationAnswer,
    RecommendationUplift,
)
from serving.recommendations.strategies import STRATEGIES

Sums = Mapping[tuple[str, str], Moments]
"""(arm, metric) → the sums over the arm's visitors. The arm '' has those who were seen in two arms."""

NOBODY = Moments()


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
    now: datetime,
    last: datetime,
    as_of: datetime | None,
    currency: str,
    sums: Sums,
    of_arm: Mapping[str, Sums],
) -> schemas.ExperimentResults:
    """Return the results. `sums` are those of the whole period, `of_arm` those up to the stop of each arm.

    `last` is the end of what is analysed, and `as_of` the event time up to which it is complete.
    """
    live = [arm for arm in experiment.arms if arm.is_live(last) and arm.share > 0]
    visitors = [_units(sums, arm.name) for arm in live]
    ratio = sample_ratio(visitors, [arm.share for arm in live])
    shared = _units(sums, "")
    return {
        "definition": definition(experiment, now),
        "period": {"from": experiment.start, "to": last},
        "currency": currency,
        "sample_ratio": {"p": ratio.p, "deviation": ratio.deviation, "mismatch": ratio.mismatch},
        "visitors_in_two_arms": shared,
        "warnings": _warnings(ratio, shared, shared + sum(visitors)),
        "arms": [_arm(experiment, arm, of_arm[arm.name], ratio.mismatch) for arm in experiment.arms],
        "as_of": as_of,
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


UPLIFT_TABLES = ("recommendation_answered", "recommendation_shown", "sales_lines")

BIAS = (
    "Compared are shoppers with personal recommendations and the hold-out, who get popular products. An "
    "order that recommendations moved from one seller to another counts as gained here and as lost there, "
    "so the uplifts of all sellers together exceed what the marketplace gained. What recommended shoppers "
    "buy is missing from the stock that the hold-out can buy, which makes the figure too high."
)
"""What biases the figure, for people."""


class UpliftService:
    """Computes the uplift of sellers."""

    def __init__(self, context: AnalyticsContext) -> None:
        self._context = context

    async def of_seller(self, seller_id: str, days: int) -> RecommendationUplift:
        """Return the uplift of the last `days` days.

        Raises:
            UNKNOWN_SELLER: the seller never registered and never sold anything.
            ClickHouseUnavailable: ClickHouse does not answer.
        """
        end = self._context.clock()
        start = end - timedelta(days=days)
        as_of = await self._context.watermarks.as_of(UPLIFT_TABLES)
        rows = await self._context.clickhouse.rows(
            "seller_recommendation_uplift",
            seller_id=seller_id,
            currency=self._context.currency,
            period_start=start,
            period_end=end,
        )
        await self._context.require_seller(seller_id, [])
        sums = {row["arm"]: _moments_per_shopper(row) for row in rows}
        found = seller_uplift(sums.get(HOLDOUT, NOBODY), sums.get(RECOMMENDED, NOBODY))
        return {
            "seller_id": seller_id,
            "period": {"from": start, "to": end},
            "currency": self._context.currency,
            "enough_data": found.total is not None,
            "uplift_minor": None if found.total is None else interval(found.total),
            "sequence_minor": None if found.sequence is None else interval(found.sequence),
            "bias": BIAS,
            "as_of": self._context.local(as_of),
        }


def _moments_per_shopper(row: Row) -> Moments:
    """Return the sums of a row, with 1 as the denominator of each shopper."""
    units, y, c = int(row["units"]), float(row["y"]), float(row["c"])
    return Moments(units, y, units, c, float(row["yy"]), units, float(row["cc"]), y, float(row["yc"]), c)


UNKNOWN_EXPERIMENT = problem(
    404,
    "unknown-experiment",
    "Unknown experiment",
    "There is no experiment {name!r}. GET /v1/admin/experiments lists all.",
)
UNKNOWN_RECOMMENDATION = problem(
    404,
    "unknown-recommendation",
    "Unknown recommendation",
    "The log has no answer {recommendation_id!r}. A new answer is there after a few seconds; answers are not "
    "logged while Kafka is away.",
)

TABLES = ("recommendation_answered", "recommendation_shown", "recommendation_clicked", "sales_orders")

HOLDOUT_PERIOD = timedelta(days=28)
"""The results of the hold-out are those of the last four weeks."""

RECOMMENDED = "recommended"
"""The arm of all visitors outside the hold-out, whatever strategy answered them."""


class ExperimentsService:
    """Reads definitions from the settings of this process, and results from ClickHouse."""

    def __init__(self, context: AnalyticsContext, values: SettingValues) -> None:
        self._context, self._values = context, values

    def definitions(self) -> Experiments:
        """Return all experiments, the newest first."""
        now = self._context.clock()
        found = sorted(self._experiments(), key=lambda each: each.start, reverse=True)
        return {
            "experiments": [definition(each, now) for each in found],
            "holdout_share": self._values.get(HOLDOUT_SHARE),
            "exploration_share": self._values.get(EXPLORATION_SHARE),
            "version": self._values.version(EXPERIMENTS),
        }

    async def results(self, name: str) -> ExperimentResults:
        """Return the results of an experiment, or of the permanent hold-out.

        Raises:
            UNKNOWN_EXPERIMENT: there is none of this name.
            ClickHouseUnavailable: ClickHouse does not answer.
        """
        now = self._context.clock()
        experiment = self._find(name, now)
        as_of = await self._context.watermarks.as_of(TABLES)
        last = min(now, experiment.stop or now)
        ends = {arm.name: min(last, arm.stopped_at or last) for arm in experiment.arms}
        moments = sorted({last, *ends.values()})
        sums = dict(
            zip(moments, await asyncio.gather(*(self._sums(experiment, end) for end in moments)), strict=True)
        )
        of_arm = {arm: sums[end] for arm, end in ends.items()}
        currency, local_as_of = self._context.currency, self._context.local(as_of)
        return results(experiment, now, last, local_as_of, currency, sums[last], of_arm)

    async def answer(self, recommendation_id: str) -> RecommendationAnswer:
        """Return an answer from the log.

        Raises:
            UNKNOWN_RECOMMENDATION: the log does not have it.
            ClickHouseUnavailable: ClickHouse does not answer.
        """
        row = await self._context.clickhouse.row("recommendation_answer", recommendation_id=recommendation_id)
        if row is None:
            raise UNKNOWN_RECOMMENDATION(recommendation_id=recommendation_id)
        return answer(row, await self._weights(row))

    async def _weights(self, row: Row) -> Mapping[str, float] | None:
        """Return the weights by which a logged list was ranked; None if it was not ranked by weights."""
        strategy = STRATEGIES.get(row["strategy"])
        is_without_redis = any(each["reason"] == "no_redis" for each in row["passed_over"])
        if strategy is None or row["is_explored"] or is_without_redis:
            return None
        card = await self._context.clickhouse.row("blend_weights_at", at=row["answered_at"])
        learned = {**DEFAULT_WEIGHTS, **(orjson.loads(card["weights"]) if card else {})}
        return strategy.weights(learned, row["surface"])

    def _experiments(self) -> tuple[Experiment, ...]:
        return read_experiments(self._values.get(EXPERIMENTS))

    def _find(self, name: str, now: datetime) -> Experiment:
        if name == HOLDOUT:
            return holdout(self._values.get(HOLDOUT_SHARE), now)
        for experiment in self._experiments():
            if experiment.name == name:
                return experiment
        raise UNKNOWN_EXPERIMENT(name=name)

    async def _sums(self, experiment: Experiment, end: datetime) -> Sums:
        if end <= experiment.start:
            return {}
        rows = await self._context.clickhouse.rows(
            "experiment_results",
            experiment=experiment.name,
            currency=self._context.currency,
            period_start=experiment.start,
            period_end=end,
        )
        return {(row["arm"], row["metric"]): moments_of(row) for row in rows}


def holdout(share: float, now: datetime) -> Experiment:
    """Return the permanent hold-out as an experiment of the last four weeks. The hold-out is the control."""
    arms = (Arm(HOLDOUT, HOLDOUT_STRATEGY, share), Arm(RECOMMENDED, DEFAULT_STRATEGY, 1 - share))
    return Experiment(HOLDOUT, "all", "visitor", "1", now - HOLDOUT_PERIOD, None, arms)


def moments_of(row: Row) -> Moments:
    """Return the sums of a row."""
    sums = (float(row[name]) for name in ("y", "d", "c", "yy", "dd", "cc", "yd", "yc", "dc"))
    return Moments(int(row["units"]), *sums)
