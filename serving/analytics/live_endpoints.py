"""The route with which a seller follows the sums of the current day, as server-sent events."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import aclosing
from typing import Annotated

import orjson
from fastapi import APIRouter, Depends, Query, Request
from sse_starlette import EventSourceResponse, ServerSentEvent

from clickhouse.metric_catalogue.definition import Metric
from serving.analytics.dependencies import AnalyticsDomainDep
from serving.analytics.live_metrics import MAX_METRICS, LiveFigures, LiveMetrics, live_metrics
from serving.analytics.policy import POLICIES
from serving.analytics.sales import show_period
from serving.gateway.described_routes import guarded
from serving.gateway.live_stream import LiveStream
from serving.kit.analytics_context import AnalyticsContext
from serving.kit.parameters import SellerId, reject_repeated_parameters

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
        self._live = live
        self._context = context
        self._seller_id = seller_id
        self._metrics = metrics
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
