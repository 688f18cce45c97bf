"""Returns a seller's orders, page by page."""

import asyncio
from datetime import UTC, datetime

from serving.analytics.presenters import orders as presenter
from serving.analytics.schemas.orders import Orders
from serving.kit.analytics_context import AnalyticsContext, PeriodRequest
from serving.kit.clickhouse import Row
from serving.kit.periods import Period

ALL_TIME = Period(datetime(1970, 1, 1, tzinfo=UTC), datetime(2105, 1, 1, tzinfo=UTC))

ORDER_TABLES = ("order_lines", "order_state")


class OrdersService:
    """Returns orders with the seller's own lines, and the status of the seller's own parcels."""

    def __init__(self, context: AnalyticsContext) -> None:
        self._context = context

    async def of_seller(
        self, seller_id: str, requested: PeriodRequest, cursor: str | None, limit: int
    ) -> Orders:
        """Return a page of a seller's orders, the newest first. Without a period, all orders are listed."""
        as_of, period = await asyncio.gather(
            self._context.watermarks.as_of(ORDER_TABLES), self._period(seller_id, requested)
        )
        before_at, before_order_id = presenter.read_order_cursor(cursor) if cursor else (period.end, "")
        if before_at > period.end:
            before_at, before_order_id = period.end, ""
        rows = await self._context.clickhouse.rows(
            "seller_orders",
            seller_id=seller_id,
            period_start=period.start,
            before_at=before_at,
            before_order_id=before_order_id,
            limit=limit + 1,
        )
        await self._context.require_seller(seller_id, rows)
        more, rows = len(rows) > limit, rows[:limit]
        names, states = await asyncio.gather(
            self._context.names.of_products(presenter.product_ids(rows)),
            self._states(seller_id, [row["order_id"] for row in rows]),
        )
        shown = [
            presenter.order(row, states.get(row["order_id"], {}), names, self._context.zone) for row in rows
        ]
        return {
            "seller_id": seller_id,
            "orders": shown,
            "next_cursor": presenter.order_cursor(shown[-1]["placed_at"], shown[-1]["order_id"])
            if more
            else None,
            "as_of": self._context.local(as_of),
            "stale": False,
        }

    async def _period(self, seller_id: str, requested: PeriodRequest) -> Period:
        return ALL_TIME if requested.is_open else await self._context.seller_period(seller_id, requested)

    async def _states(self, seller_id: str, order_ids: list[str]) -> dict[str, Row]:
        if not order_ids:
            return {}
        rows = await self._context.clickhouse.rows("order_states", seller_id=seller_id, order_ids=order_ids)
        return {row["order_id"]: row for row in rows}
