"""Reads the health of recommendations from the log of answers, what came into view, and clicks."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from common.configuration.definitions import EXPERIMENTS
from common.configuration.values import SettingValues
from common.experiments.assignment import HOLDOUT
from common.experiments.definition import STRATEGIES
from common.experiments.reading import read_experiments
from serving.kit.analytics_context import AnalyticsContext, PeriodRequest
from serving.kit.clickhouse import Row, Value
from serving.kit.periods import Period, buckets
from serving.kit.problems import BAD_PERIOD, UNUSABLE_PARAMETER
from serving.recommendations.experiments.service import UNKNOWN_EXPERIMENT
from serving.recommendations.health import presenter, schemas
from serving.recommendations.health.presenter import WHOLE_PERIOD, DailyRows
from serving.recommendations.rows.definitions import ROWS

TABLES = ("recommendation_answered", "recommendation_shown", "recommendation_clicked")

MAX_LENGTH = timedelta(days=93)
"""The longest period: its queries read every list."""

KNOWN_STRATEGIES = (*STRATEGIES, *dict.fromkeys(row.name for rows in ROWS.values() for row in rows))
"""The strategies of the log: those of lists, and the names of the titled rows."""

DailyFigures = tuple[Mapping[str, Row], Mapping[str, Row], schemas.Catalogue]
"""The rows about lists and those about products, each by day (`WHOLE_PERIOD` is a day), and the catalogue."""

DIMENSIONS: tuple[schemas.Dimension, ...] = ("seller", "category", "price_band")


@dataclass(frozen=True, slots=True)
class HealthRequest:
    """The period, and what the figures are restricted to; None means everything. `top` groups are listed."""

    period: PeriodRequest = field(default_factory=PeriodRequest)
    surface: str | None = None
    strategy: str | None = None
    experiment: str | None = None
    arm: str | None = None
    top: int = 20


class RecommendationHealthService:
    """Computes the health of recommendations. Experiments are those in the settings of this process."""

    def __init__(self, context: AnalyticsContext, values: SettingValues) -> None:
        self.context, self._values = context, values

    async def read(self, asked: HealthRequest) -> schemas.RecommendationHealth:
        """Return the figures of a period. Without bounds, these are the 30 days up to today.

        Raises:
            BAD_PERIOD: the bounds can't be read, or the period has more than 93 days.
            UNUSABLE_PARAMETER: there is no such strategy or arm, or an arm is given without its experiment.
            UNKNOWN_EXPERIMENT: there is no experiment of this name.
            ClickHouseUnavailable: ClickHouse does not answer.
        """
        self._check(asked)
        period = self._period(asked.period)
        as_of = await self.context.watermarks.as_of(TABLES)
        filters = self._filters(period, asked)
        (lists, products, offered), (answers, groups) = await asyncio.gather(
            self.daily(period, asked),
            self.context.clickhouse.rows_of_all(
                ("recommendation_health_answers", filters),
                ("recommendation_exposure", filters | {"currency": self.context.currency}),
            ),
        )
        sellers = [row["value"] for row in groups if row["dimension"] == "seller"][: asked.top]
        names = await self.context.names.of_sellers(sellers)
        rows = DailyRows(presenter.by_day(answers), lists, products)
        zone = self.context.zone
        days = [start.astimezone(zone).date() for start in buckets(period, "day", zone)]
        return {
            "period": {"from": period.start.astimezone(zone), "to": period.end.astimezone(zone)},
            "currency": self.context.currency,
            "filters": {
                "surface": asked.surface,
                "strategy": asked.strategy,
                "experiment": asked.experiment,
                "arm": asked.arm,
            },
            "catalogue": offered,
            "total": presenter.figures(rows, WHOLE_PERIOD, offered),
            "days": [{"day": day, **presenter.figures(rows, day.isoformat(), offered)} for day in days],
            "groups": [presenter.groups(groups, dimension, asked.top, names) for dimension in DIMENSIONS],
            "as_of": self.context.local(as_of),
        }

    async def daily(self, period: Period, asked: HealthRequest) -> DailyFigures:
        """Return the rows about lists and about products by day, and the catalogue.

        Raises:
            ClickHouseUnavailable: ClickHouse does not answer.
        """
        filters, currency = self._filters(period, asked), self.context.currency
        lists, products, catalogue = await self.context.clickhouse.rows_of_all(
            ("recommendation_health_lists", filters),
            ("recommendation_health_products", filters | {"currency": currency}),
            (
                "recommendation_health_catalogue",
                {"period_start": period.start, "period_end": period.end, "currency": currency},
            ),
        )
        offered = presenter.catalogue(catalogue[0] if catalogue else None)
        return presenter.with_sums(lists), presenter.by_day(products), offered

    def arms(self) -> dict[str, list[str]]:
        """Return the arms of each experiment, and of the permanent hold-out."""
        defined = read_experiments(self._values.get(EXPERIMENTS))
        return {HOLDOUT: [HOLDOUT]} | {each.name: [arm.name for arm in each.arms] for each in defined}

    def _filters(self, period: Period, asked: HealthRequest) -> dict[str, Value]:
        return {
            "period_start": period.start,
            "period_end": period.end,
            "timezone": str(self.context.zone),
            "surface": asked.surface or "",
            "strategy": asked.strategy or "",
            "experiment": asked.experiment or "",
            "arm": asked.arm or "",
        }

    def _period(self, requested: PeriodRequest) -> Period:
        period = self.context.period(requested, None)
        if period.end - period.start > MAX_LENGTH:
            raise BAD_PERIOD(
                detail=f"A period may have at most {MAX_LENGTH.days} days. Request a shorter one."
            )
        return period

    def _check(self, asked: HealthRequest) -> None:
        if asked.strategy is not None and asked.strategy not in KNOWN_STRATEGIES:
            raise UNUSABLE_PARAMETER(
                detail=f"There is no strategy {asked.strategy!r}. Choose from {', '.join(KNOWN_STRATEGIES)}."
            )
        if asked.experiment is None:
            if asked.arm is not None:
                raise UNUSABLE_PARAMETER(
                    detail="An arm belongs to an experiment: add experiment, or leave out arm."
                )
            return
        arms = self.arms().get(asked.experiment)
        if arms is None:
            raise UNKNOWN_EXPERIMENT(name=asked.experiment)
        if asked.arm is not None and asked.arm not in arms:
            raise UNUSABLE_PARAMETER(
                detail=f"Experiment {asked.experiment!r} has no arm {asked.arm!r}. Choose from "
                f"{', '.join(arms)}."
            )
