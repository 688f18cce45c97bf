"""Follows a seller's shop at this moment: sums of today, newest orders, visits, and what must be shipped."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from time import monotonic
from typing import TypeVar

from clickhouse.metric_catalogue.definition import read_catalogue
from clickhouse.metric_catalogue.values import Value as Figure
from common.metrics import LIVE_LISTENERS
from common.problems import Problem
from serving.analytics import orders
from serving.analytics.dashboards import Analytics
from serving.analytics.metric_figures import totals_of_seller
from serving.analytics.metrics import tables_of
from serving.analytics.orders import Orders
from serving.analytics.tasks import DueParcels, due_parcels
from serving.kit.analytics_context import PeriodRequest
from serving.kit.clickhouse import unless_unavailable
from serving.kit.periods import Period, earlier_period, midnight

METRICS = ("net_sales", "orders", "units", "product_views", "cancelled_orders")
"""The sums of today, in the order of the page."""

ORDERS, PARCELS = 20, 5
"""The longest lists."""

SHORTER, LONGER = timedelta(minutes=5), timedelta(minutes=30)
"""A visit counts as present if it looked at an offer in this time."""

CHECK_INTERVAL_S = 1.0
"""How often a stream checks that its reader still has access."""

MIN_PAUSE_S, PAUSE_PER_READ_S = 2.0, 4.0
"""The pause between two readings, and how many times as long as a reading it is at least, so that many open
pages do not overload ClickHouse."""

PARCELS_INTERVAL_S = 10.0
"""The shortest interval between two readings of the parcels, which take the longest."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Visitors:
    """How many visits looked at the seller's offers in the last 5 and 30 minutes."""

    shorter: int
    longer: int
    as_of: datetime | None


@dataclass(frozen=True, slots=True)
class TodaysSums:
    """The sums of today, and those of yesterday up to the same time."""

    values: Mapping[str, Figure]
    yesterday: Mapping[str, Figure]
    as_of: datetime | None


@dataclass(frozen=True, slots=True)
class LiveShop:
    """What a seller sees of this moment. A part is None if ClickHouse could not give it."""

    sums: TodaysSums | None
    orders: Orders | None
    visitors: Visitors | None
    parcels: DueParcels | None
    now: datetime


class LiveShopService:
    """Reads and follows the shop of a seller."""

    def __init__(self, analytics: Analytics) -> None:
        self._context = analytics.context
        self._metrics = [read_catalogue()[name] for name in METRICS]

    async def read(self, seller_id: str) -> LiveShop:
        """Return the shop as it is now.

        Raises:
            UNKNOWN_SELLER: the seller never registered and never sold anything.
        """
        sums, orders, visitors, parcels = await asyncio.gather(
            unless_unavailable(self._sums(seller_id)),
            unless_unavailable(self._orders(seller_id)),
            unless_unavailable(self._visitors(seller_id)),
            unless_unavailable(due_parcels(self._context, seller_id, PARCELS)),
        )
        return LiveShop(sums, orders, visitors, parcels, self._context.clock())

    async def follow(
        self, seller_id: str, has_access: Callable[[], Awaitable[bool]]
    ) -> AsyncGenerator[LiveShop]:
        """Yield the shop at once and then every few seconds, until `has_access` returns False.

        A part that can't be read keeps its last content.

        Raises:
            UNKNOWN_SELLER: the seller never registered and never sold anything.
        """
        LIVE_LISTENERS.labels("shop").inc()
        try:
            started = parcels_at = monotonic()
            shop = await self.read(seller_id)
            yield shop
            due_at = _next(started)
            while True:
                await asyncio.sleep(CHECK_INTERVAL_S)
                if not await has_access():
                    return
                started = monotonic()
                if started < due_at:
                    continue
                with suppress(Problem):
                    reads_parcels = started >= parcels_at + PARCELS_INTERVAL_S
                    shop = await self._reread(seller_id, shop, reads_parcels)
                    parcels_at = started if reads_parcels else parcels_at
                due_at = _next(started)
                yield replace(shop, now=self._context.clock())
        finally:
            LIVE_LISTENERS.labels("shop").dec()

    async def _reread(self, seller_id: str, shop: LiveShop, reads_parcels: bool) -> LiveShop:
        sums, orders, visitors, parcels = await asyncio.gather(
            self._sums(seller_id),
            self._orders(seller_id),
            self._visitors(seller_id),
            due_parcels(self._context, seller_id, PARCELS) if reads_parcels else _same(shop.parcels),
        )
        return LiveShop(sums, orders, visitors, parcels, shop.now)

    async def _orders(self, seller_id: str) -> Orders:
        return await orders.of_seller(self._context, seller_id, PeriodRequest(), None, ORDERS)

    async def _visitors(self, seller_id: str) -> Visitors:
        """Return the visits up to now, in whole minutes."""
        as_of = await self._context.watermarks.as_of(("product_views",))
        minute = self._context.clock().replace(second=0, microsecond=0)
        row = await self._context.clickhouse.row(
            "seller_visitors",
            seller_id=seller_id,
            shorter_since=minute - SHORTER,
            longer_since=minute - LONGER,
        )
        counts = row or {"shorter": 0, "longer": 0}
        return Visitors(int(counts["shorter"]), int(counts["longer"]), self._context.local(as_of))

    async def _sums(self, seller_id: str) -> TodaysSums:
        zone = self._context.zone
        as_of = await self._context.watermarks.as_of(tables_of(self._metrics))
        now = self._context.clock()
        today = now.astimezone(zone).date()
        day = Period(midnight(today, zone), midnight(today + timedelta(days=1), zone))
        yesterday = earlier_period("previous", day, as_of or now, zone)
        values, before = await asyncio.gather(
            self._values(seller_id, day), self._values(seller_id, yesterday)
        )
        return TodaysSums(values, before, self._context.local(as_of))

    async def _values(self, seller_id: str, period: Period) -> dict[str, Figure]:
        """Return the sums of a period. Nothing happened in a period without a length."""
        if period.start >= period.end:
            return {metric.name: metric.empty_value for metric in self._metrics}
        return await totals_of_seller(self._context, "seller_live", seller_id, self._metrics, period)


def _next(started: float) -> float:
    """Return when to read again after a reading that began at `started` and has just ended."""
    ended = monotonic()
    return ended + max(MIN_PAUSE_S, PAUSE_PER_READ_S * (ended - started))


async def _same(content: T) -> T:
    return content
