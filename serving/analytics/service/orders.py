"""A seller's orders, page by page."""

import asyncio
from datetime import UTC, datetime

from serving.analytics import orders as shape
from serving.analytics.periods import Period
from serving.analytics.schemas.orders import Orders
from serving.analytics.service.shop import Asked, Shop
from serving.clickhouse import Row

EVER = Period(datetime(1970, 1, 1, tzinfo=UTC), datetime(2105, 1, 1, tzinfo=UTC))

ORDER_TABLES = ("order_lines", "order_state")


class OrdersService:
    """Orders with the seller's own lines, and how far the seller's own parcels of them have come."""

    def __init__(self, shop: Shop) -> None:
        self._shop = shop

    async def of_seller(self, seller_id: str, asked: Asked, cursor: str | None, limit: int) -> Orders:
        """A page of a seller's orders, newest first: of all time, unless a period is asked."""
        as_of, period = await asyncio.gather(
            self._shop.progress.as_of(ORDER_TABLES), self._period(seller_id, asked)
        )
        before_at, before_order_id = shape.read_cursor(cursor) if cursor else (period.end, "")
        if before_at > period.end:
            before_at, before_order_id = period.end, ""
        rows = await self._shop.clickhouse.rows(
            "seller_orders",
            seller_id=seller_id,
            period_start=period.start,
            before_at=before_at,
            before_order_id=before_order_id,
            limit=limit + 1,
        )
        await self._shop.check(seller_id, rows)
        more, rows = len(rows) > limit, rows[:limit]
        listings, states = await asyncio.gather(
            self._shop.listings(shape.product_ids(rows)),
            self._states(seller_id, [row["order_id"] for row in rows]),
        )
        shown = [shape.order(row, states.get(row["order_id"], {}), listings, self._shop.zone) for row in rows]
        return {
            "seller_id": seller_id,
            "orders": shown,
            "next_cursor": shape.write_cursor(shown[-1]["placed_at"], shown[-1]["order_id"])
            if more
            else None,
            "as_of": self._shop.local(as_of),
        }

    async def _period(self, seller_id: str, asked: Asked) -> Period:
        return EVER if asked.is_open else await self._shop.sellers_period(seller_id, asked)

    async def _states(self, seller_id: str, order_ids: list[str]) -> dict[str, Row]:
        if not order_ids:
            return {}
        rows = await self._shop.clickhouse.rows("order_states", seller_id=seller_id, order_ids=order_ids)
        return {row["order_id"]: row for row in rows}
