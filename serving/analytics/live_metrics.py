"""Follows the sums of a seller's current day, and yields them whenever they change."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from hashlib import blake2b

import orjson

from clickhouse.metric_catalogue.definition import Metric, read_catalogue
from clickhouse.metric_catalogue.values import Value as Figure
from common.metrics import LIVE_LISTENERS
from common.problems import Problem
from serving.analytics.metric_figures import totals_of_seller
from serving.analytics.metrics import find_metric, tables_of
from serving.kit.analytics_context import AnalyticsContext
from serving.kit.periods import Period, midnight
from serving.kit.problems import UNUSABLE_PARAMETER
from serving.kit.watermarks import smallest

CHECK_INTERVAL_S = 1.0
"""How often a stream looks for changes, and whether its client still has access."""

MAX_METRICS = 20

_Seen = tuple[date, Mapping[str, datetime | None]]
"""A day, and how far each table was complete."""


@dataclass(frozen=True, slots=True)
class LiveFigures:
    """The values of metrics over a day in the shop's time zone, from its midnight to the next."""

    day: Period
    values: Mapping[str, Figure]
    as_of: datetime | None

    @property
    def event_id(self) -> str:
        """A digest of the day and the values, for `Last-Event-ID`."""
        return blake2b(orjson.dumps((self.day.start, dict(self.values))), digest_size=8).hexdigest()


class LiveMetrics:
    """Reads the figures of the current day. It reads again once a table of a metric is complete further."""

    def __init__(self, context: AnalyticsContext) -> None:
        self._context = context
        self.as_of: datetime | None = None
        """How far the figures of `follow` are complete now."""

    async def read(self, seller_id: str, metrics: Sequence[Metric]) -> LiveFigures:
        """Return the figures of the current day.

        Raises:
            ClickHouseUnavailable: ClickHouse does not answer.
        """
        zone = self._context.zone
        as_of = await self._context.watermarks.as_of(tables_of(metrics))
        today = self._today()
        day = Period(midnight(today, zone), midnight(today + timedelta(days=1), zone))
        values = await totals_of_seller(self._context, "seller_metrics_live", seller_id, metrics, day)
        return LiveFigures(day, values, as_of)

    async def follow(
        self, seller_id: str, metrics: Sequence[Metric], has_access: Callable[[], Awaitable[bool]]
    ) -> AsyncGenerator[LiveFigures]:
        """Yield the current figures, and new ones after each change, until `has_access` returns False.

        While ClickHouse does not answer, nothing changes.

        Raises:
            ClickHouseUnavailable: ClickHouse does not answer at the beginning.
        """
        tables = tables_of(metrics)
        LIVE_LISTENERS.labels("metrics").inc()
        try:
            seen = await self._look(tables)
            sent = await self.read(seller_id, metrics)
            yield sent
            while True:
                await asyncio.sleep(CHECK_INTERVAL_S)
                if not await has_access():
                    return
                with suppress(Problem):
                    now_seen = await self._look(tables)
                    if now_seen == seen:
                        continue
                    figures = await self.read(seller_id, metrics)
                    seen = now_seen
                    if (figures.day, figures.values) != (sent.day, sent.values):
                        sent = figures
                        yield figures
        finally:
            LIVE_LISTENERS.labels("metrics").dec()

    async def _look(self, tables: Sequence[str]) -> _Seen:
        watermarks = await self._context.watermarks.watermarks()
        moments = {table: watermarks.get(table) for table in tables}
        self.as_of = smallest(list(moments.values()))
        return self._today(), moments

    def _today(self) -> date:
        return self._context.clock().astimezone(self._context.zone).date()


def live_metrics(names: Sequence[str]) -> list[Metric]:
    """Return the metrics of these names, which can be followed.

    Raises:
        UNKNOWN_METRIC: the catalogue has no metric of a name.
        UNUSABLE_PARAMETER: there are too many metrics, a metric is given twice, or is not a sum.
    """
    if not 0 < len(names) <= MAX_METRICS:
        raise UNUSABLE_PARAMETER(detail=f"Follow 1 to {MAX_METRICS} metrics.")
    if len(set(names)) < len(names):
        raise UNUSABLE_PARAMETER(detail="Request each metric once.")
    metrics = [find_metric(name) for name in names]
    if others := [metric.name for metric in metrics if not is_sum(metric)]:
        sums = ", ".join(metric.name for metric in read_catalogue().values() if is_sum(metric))
        raise UNUSABLE_PARAMETER(
            detail=f"{others[0]} is not a sum, so it can't be followed. Choose from: {sums}."
        )
    return metrics


def is_sum(metric: Metric) -> bool:
    """Return whether a metric is a sum, not a ratio, a quantile, or a count of different shoppers."""
    return metric.adds_up and not metric.denominator
