"""What a seller has to do: the parcels to ship, by what was promised, and the products to reorder."""

import asyncio
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Annotated

from pydantic import Field
from typing_extensions import TypedDict

from common.clock import from_millis
from serving.kit.analytics_context import AnalyticsContext
from serving.kit.clickhouse import Row
from serving.kit.names import UNNAMED, ProductName
from serving.kit.periods import midnight
from serving.kit.response_types import AsOf, Moment, Stale


class ParcelLine(TypedDict):
    """A product to pack."""

    product_id: str
    label: Annotated[str | None, Field(description="The name of the product.")]
    quantity: int


class WaitingOrder(TypedDict):
    """A confirmed order of which the seller has shipped nothing."""

    order_id: str
    placed_at: Moment
    confirmed_at: Moment
    units: int
    lines: Annotated[list[ParcelLine], Field(description="The seller's own lines.")]


class ToShip(TypedDict):
    """Confirmed orders that wait for the seller's parcel."""

    days: Annotated[int, Field(description="Orders that were placed earlier before `as_of` are left out.")]
    orders: Annotated[int, Field(description="How many there are.", examples=[12])]
    units: int
    longest_waiting: Annotated[list[WaitingOrder], Field(description="The longest waiting first.")]


class LowStock(TypedDict):
    """A product whose stock will be sold soon."""

    product_id: str
    label: Annotated[str | None, Field(description="The name of the product.")]
    available: Annotated[int, Field(description="Units that are neither sold nor reserved.")]
    units_sold: Annotated[int, Field(description="In the last `days`, without cancelled ones.")]
    days_of_supply: Annotated[
        float, Field(description="`available × days ÷ units_sold`: how long the stock lasts at this rate.")
    ]


class ToReorder(TypedDict):
    """Products that sold in the last days and whose stock lasts for a short time."""

    days: Annotated[int, Field(description="The days before `as_of` whose sales are the rate.")]
    supply_days: Annotated[int, Field(description="Products whose stock lasts longer are not listed.")]
    products: Annotated[list[LowStock], Field(description="Those that are sold out first come first.")]


class SellerTasks(TypedDict):
    """What a seller has to do: orders to ship, and products to reorder."""

    seller_id: str
    timezone: Annotated[str, Field(examples=["America/Sao_Paulo"])]
    to_ship: ToShip
    to_reorder: ToReorder
    as_of: AsOf
    stale: Stale


class DueParcel(TypedDict):
    """A confirmed order of which the seller has shipped nothing."""

    order_id: str
    placed_at: Moment
    confirmed_at: Moment
    promised_at: Annotated[
        datetime | None,
        Field(description="When the shopper was promised to have it; null if nothing was promised."),
    ]
    is_overdue: Annotated[bool, Field(description="Whether the day of the promise is over at `as_of`.")]
    units: int
    lines: Annotated[list[ParcelLine], Field(description="The seller's own lines.")]


class DueParcels(TypedDict):
    """What a seller must ship: the earliest promise first. Orders without a promise are the last ones.

    The counts are of all orders, also of those that the list is too short for.
    """

    seller_id: str
    timezone: Annotated[str, Field(examples=["America/Sao_Paulo"])]
    days: Annotated[int, Field(description="Orders that were placed earlier before `as_of` are left out.")]
    orders: Annotated[int, Field(description="How many there are.", examples=[12])]
    units: int
    overdue: Annotated[int, Field(description="How many of the orders are overdue.")]
    due_soon: Annotated[int, Field(description="How many were promised for the day of `as_of` or the next.")]
    parcels: list[DueParcel]
    as_of: AsOf
    stale: Stale


SALES = "sales_lines"
TASK_TABLES = ("order_lines", "order_state", SALES)
STOCK = "stock_levels"

RATE_DAYS = 28
"""The days whose sales say how fast a product sells: whole weeks, because weekends differ."""

TO_SHIP_DAYS = 60
"""Older orders are no task any more: nobody waits for their parcels, or the shop's data has no shipments."""

SUPPLY_DAYS = 14
"""Products whose stock lasts longer are not listed."""


async def of_seller(context: AnalyticsContext, seller_id: str, limit: int) -> SellerTasks:
    """Return the first `limit` orders to ship, and as many products to reorder.

    Raises:
        UNKNOWN_SELLER: the seller never registered and never sold anything.
    """
    as_of = await _as_of(context)
    sold_until = await context.watermarks.as_of((SALES,)) or context.clock()
    until = sold_until.replace(second=0, microsecond=0)
    waiting, low = await asyncio.gather(
        context.clickhouse.rows(
            "seller_to_ship",
            seller_id=seller_id,
            since=until - timedelta(days=TO_SHIP_DAYS),
            limit=limit,
        ),
        context.clickhouse.rows(
            "seller_to_reorder",
            seller_id=seller_id,
            since=until - timedelta(days=RATE_DAYS),
            until=until,
            days=RATE_DAYS,
            supply_days=SUPPLY_DAYS,
            limit=limit,
        ),
    )
    await context.require_seller(seller_id, waiting or low)
    products = {product_id for row in waiting for _, product_id, _ in row["lines"]}
    products |= {row["product_id"] for row in low}
    names = await context.product_names(products)
    return {
        "seller_id": seller_id,
        "timezone": context.zone.key,
        "to_ship": {
            "days": TO_SHIP_DAYS,
            "orders": int(waiting[0]["orders"]) if waiting else 0,
            "units": int(waiting[0]["all_units"]) if waiting else 0,
            "longest_waiting": [_order(context, row, names) for row in waiting],
        },
        "to_reorder": {
            "days": RATE_DAYS,
            "supply_days": SUPPLY_DAYS,
            "products": [_low_stock(row, names) for row in low],
        },
        "as_of": context.local(as_of),
        "stale": False,
    }


async def _as_of(context: AnalyticsContext) -> datetime | None:
    """Return the smallest watermark of all tables. A shop that knows no stock has none of the stock's."""
    stock = await context.watermarks.as_of((STOCK,))
    return await context.watermarks.as_of((*TASK_TABLES, STOCK) if stock else TASK_TABLES)


def _order(context: AnalyticsContext, row: Row, names: Mapping[str, ProductName]) -> WaitingOrder:
    return {
        "order_id": row["order_id"],
        "placed_at": from_millis(int(row["placed_ms"])).astimezone(context.zone),
        "confirmed_at": from_millis(int(row["confirmed_ms"])).astimezone(context.zone),
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


MAX_PARCELS = 1_000
"""The longest list."""


async def due_parcels(context: AnalyticsContext, seller_id: str, limit: int) -> DueParcels:
    """Return the first `limit` parcels to ship: the earliest promise first.

    A parcel is overdue once the day that was promised is over, as for the late share.

    Raises:
        UNKNOWN_SELLER: the seller never registered and never sold anything.
    """
    as_of = await context.watermarks.as_of(("order_lines", "parcels"))
    until = as_of or context.clock()
    today = until.astimezone(context.zone).date()
    first_moment, after_tomorrow = (midnight(today + timedelta(days=days), context.zone) for days in (0, 2))
    rows = await context.clickhouse.rows(
        "seller_due_parcels",
        seller_id=seller_id,
        since=until.replace(second=0, microsecond=0) - timedelta(days=TO_SHIP_DAYS),
        overdue_before=first_moment,
        soon_before=after_tomorrow,
        limit=limit,
    )
    await context.require_seller(seller_id, rows)
    names = await context.product_names({product_id for row in rows for _, product_id, _ in row["lines"]})
    counts = rows[0] if rows else dict.fromkeys(("orders", "all_units", "overdue", "overdue_or_soon"), 0)
    return {
        "seller_id": seller_id,
        "timezone": context.zone.key,
        "days": TO_SHIP_DAYS,
        "orders": int(counts["orders"]),
        "units": int(counts["all_units"]),
        "overdue": int(counts["overdue"]),
        "due_soon": int(counts["overdue_or_soon"]) - int(counts["overdue"]),
        "parcels": [_parcel(context, row, names, first_moment) for row in rows],
        "as_of": context.local(as_of),
        "stale": False,
    }


def _parcel(
    context: AnalyticsContext, row: Row, names: Mapping[str, ProductName], overdue_before: datetime
) -> DueParcel:
    promised = row["promised_ms"]
    promised_at = None if promised is None else from_millis(int(promised))
    return {
        "order_id": row["order_id"],
        "placed_at": from_millis(int(row["placed_ms"])).astimezone(context.zone),
        "confirmed_at": from_millis(int(row["confirmed_ms"])).astimezone(context.zone),
        "promised_at": context.local(promised_at),
        "is_overdue": promised_at is not None and promised_at < overdue_before,
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
