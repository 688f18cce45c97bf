"""Sets the metrics behind the alerts `RecommendationClicksFall` and `RecommendationCoverageFalls`."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from math import nan
from statistics import median

from common.metrics import RECOMMENDATION_CLICK_RATE, RECOMMENDATION_COVERAGE
from serving.kit.periods import Period, midnight
from serving.kit.polled import PolledValue
from serving.recommendations.health import (
    NO_LISTS,
    NO_PRODUCTS,
    HealthRequest,
    RecommendationHealthService,
    seen_lists,
    shown_products,
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
