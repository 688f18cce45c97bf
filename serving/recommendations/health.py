"""Reads the health of recommendations from the log of answers, what came into view, and clicks.

Also sets the metrics behind the alerts `RecommendationClicksFall` and `RecommendationCoverageFalls`.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from math import nan
from statistics import median

from common.configuration.definitions import EXPERIMENTS
from common.configuration.values import SettingValues
from common.experiments.assignment import HOLDOUT
from common.experiments.definition import STRATEGIES
from common.experiments.reading import read_experiments
from common.metrics import RECOMMENDATION_CLICK_RATE, RECOMMENDATION_COVERAGE
from recommenders.list_quality import (
    RankedSums,
    catalogue_coverage,
    gini,
    popularity_lift,
    shares,
    total_variation,
)
from serving.kit.analytics_context import AnalyticsContext, PeriodRequest
from serving.kit.clickhouse import Row, Value
from serving.kit.periods import Period, buckets, midnight
from serving.kit.polled import PolledValue
from serving.kit.problems import BAD_PERIOD, UNUSABLE_PARAMETER
from serving.recommendations import health_schemas as schemas
from serving.recommendations.experiments import UNKNOWN_EXPERIMENT
from serving.recommendations.shelves import ROWS

WHOLE_PERIOD = ""
"""The day of the rows that are about the whole period."""

LIST_SUMS = ("lists", "clicked", "compared", "diversity", "visitors", "dominance")
NO_LISTS: Row = dict.fromkeys(LIST_SUMS, 0)
NO_ANSWERS: Row = {
    "answers": 0,
    "clicked": 0,
    "timed": 0,
    "empty_lists": 0,
    "personal": 0,
    "popular_only": 0,
    "lacking": {},
}
NO_PRODUCTS: Row = {"products": 0, "exposure": 0, "ranked": 0, "weighted_visits": 0}


Days = Mapping[str, Row]
"""The rows of a daily query, by day; `WHOLE_PERIOD` has those of the period."""


def by_day(rows: Sequence[Row]) -> Mapping[str, Row]:
    """Return the rows by their day."""
    return {row["day"]: row for row in rows}


def with_sums(lists: Sequence[Row]) -> Mapping[str, Row]:
    """Return the rows about lists by day, and their sums as those of the whole period."""
    summed = {name: sum(float(row[name]) for row in lists) for name in LIST_SUMS}
    return {**by_day(lists), WHOLE_PERIOD: summed}


def catalogue(row: Row | None) -> schemas.Catalogue:
    """Return the figures of the catalogue."""
    products, visits = (int(row["products"]), int(row["visits"] or 0)) if row else (0, 0)
    return {"products": products, "popularity": visits / products if products else None}


def figures(
    answers: Days, lists: Days, products: Days, day: str, offered: schemas.Catalogue
) -> schemas.HealthFigures:
    """Return the figures of a day, or of `WHOLE_PERIOD`."""
    return {
        "answered": _answered(answers.get(day, NO_ANSWERS)),
        "seen": seen_lists(lists.get(day, NO_LISTS)),
        "shown": shown_products(products.get(day, NO_PRODUCTS), offered),
    }


def _answered(row: Row) -> schemas.AnswerFigures:
    answers = int(row["answers"])
    p50, p99 = row["times_ms"] if int(row["timed"]) else (None, None)
    counts = sorted(
        ((reason, int(count)) for reason, count in row["lacking"].items()), key=lambda one: -one[1]
    )
    return {
        "answers": answers,
        "clicked": int(row["clicked"]),
        "clicked_share": ratio(row["clicked"], answers),
        "p50_ms": p50,
        "p99_ms": p99,
        "empty_share": ratio(row["empty_lists"], answers),
        "popular_only_share": ratio(row["popular_only"], row["personal"]),
        "lacking": [
            {"reason": reason, "answers": count, "share": count / answers} for reason, count in counts
        ],
    }


def seen_lists(row: Row) -> schemas.ListFigures:
    """Return the figures of lists that came into view."""
    return {
        "lists": int(row["lists"]),
        "clicked": int(row["clicked"]),
        "click_rate": ratio(row["clicked"], row["lists"]),
        "diversity": ratio(row["diversity"], row["compared"]),
        "largest_category": ratio(row["dominance"], row["visitors"]),
    }


def shown_products(row: Row, offered: schemas.Catalogue) -> schemas.ProductFigures:
    """Return the figures of the products in these lists."""
    products, exposure = int(row["products"]), float(row["exposure"])
    popularity = ratio(row["weighted_visits"], exposure)
    known = popularity is not None and offered["popularity"] is not None
    return {
        "products": products,
        "coverage": catalogue_coverage(products, offered["products"]) if products else None,
        "gini": gini(RankedSums(products, exposure, float(row["ranked"])), offered["products"]),
        "popularity": popularity,
        "popularity_lift": popularity_lift(popularity or 0.0, offered["popularity"] or 0.0)
        if known
        else None,
    }


def groups(
    rows: Sequence[Row], dimension: schemas.Dimension, top: int, names: Mapping[str, str | None]
) -> schemas.Groups:
    """Return the groups of a dimension. `names` has those of sellers."""
    own = [row for row in rows if row["dimension"] == dimension]
    exposure = {row["value"]: float(row["exposure"]) for row in own}
    offers = {row["value"]: float(row["offers"]) for row in own}
    exposed, offered = shares(exposure), shares(offers)
    values = [
        _group(
            row["value"], names.get(row["value"]), exposed[row["value"]], offered[row["value"]],
            (int(row["lowest_minor"]), int(row["highest_minor"])) if int(row["offers"]) else (None, None),
        )
        for row in own
    ]  # fmt: skip
    others = values[top:]
    return {
        "dimension": dimension,
        "count": len(values),
        "distance": total_variation(exposure, offers),
        "gini": gini(RankedSums.of(exposure.values()), len(values)),
        "values": values[:top],
        "rest": _group(
            "", None, sum(one["exposure_share"] for one in others),
            sum(one["catalogue_share"] for one in others), (None, None),
        ) if others else None,
    }  # fmt: skip


def _group(
    value: str,
    name: str | None,
    exposed: float,
    offered: float,
    prices: tuple[int, int] | tuple[None, None],
) -> schemas.GroupShare:
    return {
        "value": value,
        "name": name,
        "exposure_share": exposed,
        "catalogue_share": offered,
        "ratio": ratio(exposed, offered),
        "lowest_minor": prices[0],
        "highest_minor": prices[1],
    }


def ratio(part: float | str, whole: float | str) -> float | None:
    """Return part / whole, each as a number or as ClickHouse's text of one; None if the whole is 0."""
    return float(part) / float(whole) if float(whole) else None


TABLES = ("recommendation_answered", "recommendation_shown", "recommendation_clicked")

MAX_LENGTH = timedelta(days=93)
"""The longest period: its queries read every list."""

KNOWN_STRATEGIES = (*STRATEGIES, *dict.fromkeys(row.name for rows in ROWS.values() for row in rows))
"""The strategies of the log: those of lists, and the names of the titled rows."""

DailyFigures = tuple[Days, Days, schemas.Catalogue]
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
        (lists, products, offered), (answers, grouped) = await asyncio.gather(
            self.daily(period, asked),
            self.context.clickhouse.rows_of_all(
                ("recommendation_health_answers", filters),
                ("recommendation_exposure", filters | {"currency": self.context.currency}),
            ),
        )
        sellers = [row["value"] for row in grouped if row["dimension"] == "seller"][: asked.top]
        names = await self.context.names.of_sellers(sellers)
        rows = by_day(answers), lists, products
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
            "total": figures(*rows, WHOLE_PERIOD, offered),
            "days": [{"day": day, **figures(*rows, day.isoformat(), offered)} for day in days],
            "groups": [groups(grouped, dimension, asked.top, names) for dimension in DIMENSIONS],
            "as_of": self.context.local(as_of),
        }

    async def daily(self, period: Period, asked: HealthRequest) -> DailyFigures:
        """Return the rows about lists and about products by day, and the catalogue.

        Raises:
            ClickHouseUnavailable: ClickHouse does not answer.
        """
        filters, currency = self._filters(period, asked), self.context.currency
        lists, products, known = await self.context.clickhouse.rows_of_all(
            ("recommendation_health_lists", filters),
            ("recommendation_health_products", filters | {"currency": currency}),
            (
                "recommendation_health_catalogue",
                {"period_start": period.start, "period_end": period.end, "currency": currency},
            ),
        )
        return with_sums(lists), by_day(products), catalogue(known[0] if known else None)

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


MIN_DAYS = 7
"""With fewer earlier days, nothing is usual yet."""

MIN_LISTS = 100
"""A day with fewer lists says nothing about what is usual."""

MIN_EXPECTED_CLICKS = 100
"""A day counts as the newest once it has lists that usually get so many clicks. Then 30 % fewer clicks
are three standard deviations of their number (Poisson)."""

COMPARABLE_LISTS = 0.7
"""Coverage is compared only with at least this share of the usual lists: fewer lists show fewer products."""


@dataclass(frozen=True, slots=True)
class DayHealth:
    """The lists that came into view on a day, those that were clicked, and the share of products shown."""

    lists: int
    clicked: int
    coverage: float | None

    @property
    def click_rate(self) -> float:
        """Clicked lists per list."""
        return self.clicked / self.lists


@dataclass(frozen=True, slots=True)
class NewestAndUsual:
    """A figure of the newest day, and the median of the days before; NaN if they can't be compared."""

    newest: float = nan
    usual: float = nan


def click_rates(before: Sequence[DayHealth], today: DayHealth) -> NewestAndUsual:
    """Return the click rate of today, or of yesterday while today has too few lists.

    `before` are the days before today, the oldest first.
    """
    for newest, earlier in ((today, before), (before[-1], before[:-1])) if before else ():
        rates = [day.click_rate for day in earlier if day.lists >= MIN_LISTS]
        if len(rates) >= MIN_DAYS and newest.lists * median(rates) >= MIN_EXPECTED_CLICKS:
            return NewestAndUsual(newest.click_rate, median(rates))
    return NewestAndUsual()


def coverages(before: Sequence[DayHealth]) -> NewestAndUsual:
    """Return the coverage of the newest of these whole days, which are in order, the oldest first."""
    *earlier, newest = before or (DayHealth(0, 0, None),)
    usual = [day for day in earlier if day.lists >= MIN_LISTS]
    known = [day.coverage for day in usual if day.coverage is not None]
    if len(known) < MIN_DAYS or newest.coverage is None:
        return NewestAndUsual()
    if newest.lists < COMPARABLE_LISTS * median(day.lists for day in usual):
        return NewestAndUsual()
    return NewestAndUsual(newest.coverage, median(known))


EVERY_S = 600.0
TIMEOUT_S = 60.0
DAYS = 29
"""The newest whole day and the 28 days before."""


class HealthMonitor:
    """Reads each whole day once, and today again and again."""

    def __init__(self, service: RecommendationHealthService) -> None:
        self._service = service
        self._before: tuple[date, list[DayHealth]] | None = None

    async def refresh(self) -> None:
        """Read what is new, and set the metrics.

        Raises:
            ClickHouseUnavailable: ClickHouse does not answer.
        """
        zone, now = self._service.context.zone, self._service.context.clock()
        today = now.astimezone(zone).date()
        start = midnight(today, zone)
        if self._before is None or self._before[0] != today:
            days = [today - timedelta(days=DAYS - number) for number in range(DAYS)]
            self._before = today, await self._read(days, start)
        before = self._before[1]
        (newest,) = await self._read([today], max(now, start + timedelta(minutes=1)))
        for gauge, figures in (
            (RECOMMENDATION_CLICK_RATE, click_rates(before, newest)),
            (RECOMMENDATION_COVERAGE, coverages(before)),
        ):
            gauge.labels("newest").set(figures.newest)
            gauge.labels("usual").set(figures.usual)

    async def _read(self, days: list[date], end: datetime) -> list[DayHealth]:
        period = Period(midnight(days[0], self._service.context.zone), end)
        lists, products, offered = await self._service.daily(period, HealthRequest())
        found = []
        for day in map(date.isoformat, days):
            seen = seen_lists(lists.get(day, NO_LISTS))
            shown = shown_products(products.get(day, NO_PRODUCTS), offered)
            found.append(DayHealth(seen["lists"], seen["clicked"], shown["coverage"]))
        return found


def polled_health(service: RecommendationHealthService) -> PolledValue[None]:
    """Return the task that keeps the metrics up to date."""
    return PolledValue("health of recommendations", None, HealthMonitor(service).refresh, EVERY_S, TIMEOUT_S)
