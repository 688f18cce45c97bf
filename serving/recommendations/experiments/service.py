"""Computes the results of experiments from sums in ClickHouse."""

import asyncio
from collections.abc import Mapping
from datetime import datetime, timedelta

import orjson

from common.configuration.definitions import EXPERIMENTS, EXPLORATION_SHARE, HOLDOUT_SHARE
from common.configuration.values import SettingValues
from common.experiments.assignment import HOLDOUT, HOLDOUT_STRATEGY
from common.experiments.definition import DEFAULT_STRATEGY, Arm, Experiment
from common.experiments.reading import read_experiments
from common.problems import problem
from recommenders.experiments.moments import Moments
from schemas.published_model.weights import DEFAULT_WEIGHTS
from serving.kit.analytics_context import AnalyticsContext
from serving.kit.clickhouse import Row
from serving.recommendations.experiments import presenter
from serving.recommendations.experiments.presenter import Sums
from serving.recommendations.experiments.schemas import ExperimentResults, Experiments, RecommendationAnswer
from serving.recommendations.strategies import STRATEGIES

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
            "experiments": [presenter.definition(each, now) for each in found],
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
        period = presenter.AnalysedPeriod(now, last, self._context.local(as_of))
        return presenter.results(experiment, period, self._context.currency, sums[last], of_arm)

    async def answer(self, recommendation_id: str) -> RecommendationAnswer:
        """Return an answer from the log.

        Raises:
            UNKNOWN_RECOMMENDATION: the log does not have it.
            ClickHouseUnavailable: ClickHouse does not answer.
        """
        row = await self._context.clickhouse.row("recommendation_answer", recommendation_id=recommendation_id)
        if row is None:
            raise UNKNOWN_RECOMMENDATION(recommendation_id=recommendation_id)
        return presenter.answer(row, await self._weights(row))

    async def _weights(self, row: Row) -> Mapping[str, float] | None:
        """Return the weights by which a logged list was ranked; None if it was not ranked by weights."""
        if row["is_explored"] or any(each["reason"] == "no_redis" for each in row["passed_over"]):
            return None
        found = [each for name, each in STRATEGIES.items() if name == row["strategy"]]
        if not found:
            return None
        card = await self._context.clickhouse.row("blend_weights_at", at=row["answered_at"])
        learned = {**DEFAULT_WEIGHTS, **(orjson.loads(card["weights"]) if card else {})}
        return found[0].weights(learned, row["surface"])

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
