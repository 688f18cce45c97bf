"""Returns what a seller has to do: the orders to ship, and the products to reorder."""

import asyncio
from collections.abc import Mapping
from datetime import datetime, timedelta

from common.clock import from_millis
from serving.analytics.schemas.tasks import LowStock, SellerTasks, WaitingOrder
from serving.kit.analytics_context import AnalyticsContext
from serving.kit.clickhouse import Row
from serving.kit.names import UNNAMED, ProductName

SALES = "sales_lines"
TASK_TABLES = ("order_lines", "order_state", SALES)
STOCK = "stock_levels"

RATE_DAYS = 28
"""The days whose sales say how fast a product sells: whole weeks, because weekends differ."""

TO_SHIP_DAYS = 60
"""Older orders are no task any more: nobody waits for their parcels, or the shop's data has no shipments."""

SUPPLY_DAYS = 14
"""Products whose stock lasts longer are not listed."""


class TasksService:
    """Returns tasks. They do not depend on a period."""

    def __init__(self, context: AnalyticsContext) -> None:
        self._context = context

    async def of_seller(self, seller_id: str, limit: int) -> SellerTasks:
        """Return the first `limit` orders to ship, and as many products to reorder.

        Raises:
            UNKNOWN_SELLER: the seller never registered and never sold anything.
        """
        as_of = await self._as_of()
        sold_until = await self._context.watermarks.as_of((SALES,)) or self._context.clock()
        until = sold_until.replace(second=0, microsecond=0)
        waiting, low = await asyncio.gather(
            self._context.clickhouse.rows(
                "seller_to_ship",
                seller_id=seller_id,
                since=until - timedelta(days=TO_SHIP_DAYS),
                limit=limit,
            ),
            self._context.clickhouse.rows(
                "seller_to_reorder",
                seller_id=seller_id,
                since=until - timedelta(days=RATE_DAYS),
                until=until,
                days=RATE_DAYS,
                supply_days=SUPPLY_DAYS,
                limit=limit,
            ),
        )
        await self._context.require_seller(seller_id, waiting or low)
        products = {product_id for row in waiting for _, product_id, _ in row["lines"]}
        products |= {row["product_id"] for row in low}
        names = await self._context.product_names(products)
        return {
            "seller_id": seller_id,
            "timezone": self._context.zone.key,
            "to_ship": {
                "days": TO_SHIP_DAYS,
                "orders": int(waiting[0]["orders"]) if waiting else 0,
                "units": int(waiting[0]["all_units"]) if waiting else 0,
                "longest_waiting": [self._order(row, names) for row in waiting],
            },
            "to_reorder": {
                "days": RATE_DAYS,
                "supply_days": SUPPLY_DAYS,
                "products": [_low_stock(row, names) for row in low],
            },
            "as_of": self._context.local(as_of),
            "stale": False,
        }

    async def _as_of(self) -> datetime | None:
        """Return the smallest watermark of all tables. A shop that knows no stock has none of the stock's."""
        stock = await self._context.watermarks.as_of((STOCK,))
        return await self._context.watermarks.as_of((*TASK_TABLES, STOCK) if stock else TASK_TABLES)

    def _order(self, row: Row, names: Mapping[str, ProductName]) -> WaitingOrder:
        return {
            "order_id": row["order_id"],
            "placed_at": from_millis(int(row["placed_ms"])).astimezone(self._context.zone),
            "confirmed_at": from_millis(int(row["confirmed_ms"])).astimezone(self._context.zone),
            "units": int(row["units"]),
            "lines": [
                {
                    "product_id": product_id,
                    "label": names.get(product_id, UNNAMED).name,
                    "quantity": int(quantity),
                }
                for _, product_id, quantity in row["lines"]
            ],
        }


def _low_stock(row: Row, names: Mapping[str, ProductName]) -> LowStock:
    available, units = int(row["available"]), int(row["units"])
    return {
        "product_id": row["product_id"],
        "label": names.get(row["product_id"], UNNAMED).name,
        "available": available,
        "units_sold": units,
        "days_of_supply": round(available * RATE_DAYS / units, 1),
    }
