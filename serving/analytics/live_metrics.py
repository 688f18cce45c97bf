"""Follows the sums of a seller's current day, and sends them as server-sent events whenever they change."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from hashlib import blake2b
from typing import Annotated

import orjson
from fastapi import APIRouter, Depends, Query, Request
from sse_starlette import EventSourceResponse, ServerSentEvent

from clickhouse.metric_catalogue.definition import Metric, read_catalogue
from clickhouse.metric_catalogue.values import Value as Figure
from common.metrics import LIVE_LISTENERS
from common.problems import Problem
from serving.analytics.dependencies import AnalyticsDomainDep
from serving.analytics.metric_figures import totals_of_seller
from serving.analytics.metrics import find_metric, tables_of
from serving.analytics.policy import POLICIES
from serving.analytics.sales import show_period
from serving.gateway.described_routes import guarded
from serving.gateway.live_stream import LiveStream
from serving.kit.analytics_context import AnalyticsContext
from serving.kit.parameters import SellerId, reject_repeated_parameters
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


STREAMS_OF_SELLER, STREAMS = 10, 64
"""The largest number of open streams, for each seller and in all, in a process."""

HEARTBEAT_S = 15

router = APIRouter(
    route_class=guarded(POLICIES),
    prefix="/v1",
    tags=["metrics"],
    dependencies=[Depends(reject_repeated_parameters)],
)


@router.get(
    "/sellers/{seller_id}/metrics/live",
    summary="Follow sums of the current day",
    include_in_schema=False,  # a client that checks every described route would wait for the stream's end
)
async def seller_metrics_live(
    request: Request,
    analytics: AnalyticsDomainDep,
    seller_id: SellerId,
    names: Annotated[
        str, Query(alias="metrics", max_length=MAX_METRICS * 41, pattern="^[a-z0-9_,]+$")
    ] = "net_sales,orders,units",
) -> EventSourceResponse:
    """Send an event `metrics` at once, and one whenever a value changes, and a `heartbeat` every 15 seconds.

    Every event has all values of the day, so a client that connects again misses nothing: its `Last-Event-ID`
    needs no answer of its own. The stream ends with an event `ended` when the session or the token ends.
    """
    context = analytics.services.context
    metrics = live_metrics(names.split(","))
    await context.require_seller(seller_id, [])
    return _LiveMetricsStream(
        request, LiveMetrics(context), context, seller_id, metrics, analytics.live_slots.take(seller_id)
    )


class _LiveMetricsStream(LiveStream):
    """The stream of one client."""

    def __init__(
        self,
        request: Request,
        live: LiveMetrics,
        context: AnalyticsContext,
        seller_id: str,
        metrics: Sequence[Metric],
        end: Callable[[], None],
    ) -> None:
        self._live, self._context = live, context
        self._seller_id, self._metrics = seller_id, metrics
        super().__init__(
            request,
            POLICIES["seller_metrics_live"],
            end,
            self._events(),
            ping=HEARTBEAT_S,
            ping_message_factory=self._heartbeat,
        )

    async def _events(self) -> AsyncIterator[ServerSentEvent]:
        following = self._live.follow(self._seller_id, self._metrics, self.has_access)
        async with aclosing(following) as changes:
            async for figures in changes:
                yield ServerSentEvent(
                    event="metrics", id=figures.event_id, data=orjson.dumps(self._content(figures)).decode()
                )
        if not self.moves:
            yield ServerSentEvent(event="ended", data='{"detail":"Your access has ended. Sign in again."}')

    def _content(self, figures: LiveFigures) -> dict[str, object]:
        return {
            "seller_id": self._seller_id,
            "currency": self._context.currency,
            "timezone": self._context.zone.key,
            "period": show_period(figures.day, self._context.zone),
            "values": figures.values,
            "versions": {metric.name: metric.version for metric in self._metrics},
            "as_of": self._context.local(figures.as_of),
        }

    def _heartbeat(self) -> ServerSentEvent:
        content = orjson.dumps({"as_of": self._context.local(self._live.as_of)})
        return ServerSentEvent(event="heartbeat", data=content.decode())
