"""Sets the metrics behind the alerts `RecommendationClicksFall` and `RecommendationCoverageFalls`."""

from datetime import date, datetime, timedelta

from common.metrics import RECOMMENDATION_CLICK_RATE, RECOMMENDATION_COVERAGE
from serving.kit.periods import Period, midnight
from serving.kit.polled import PolledValue
from serving.recommendations.health import presenter
from serving.recommendations.health.drops import DayHealth, click_rates, coverages
from serving.recommendations.health.service import HealthRequest, RecommendationHealthService

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
            seen = presenter.seen_lists(lists.get(day, presenter.NO_LISTS))
            shown = presenter.shown_products(products.get(day, presenter.NO_PRODUCTS), offered)
            found.append(DayHealth(seen["lists"], seen["clicked"], shown["coverage"]))
        return found


def polled_health(service: RecommendationHealthService) -> PolledValue[None]:
    """Return the task that keeps the metrics up to date."""
    return PolledValue("health of recommendations", None, HealthMonitor(service).refresh, EVERY_S, TIMEOUT_S)
