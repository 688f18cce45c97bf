"""A seller's orders, page by page, with the seller's own lines and the status of the seller's own parcels."""

import asyncio
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import Field
from typing_extensions import TypedDict

from common.clock import from_millis
from serving.kit.analytics_context import AnalyticsContext, PeriodRequest
from serving.kit.clickhouse import Row
from serving.kit.csv_writer import money_fields
from serving.kit.names import UNNAMED, ProductName
from serving.kit.parameters import read_row_cursor, row_cursor
from serving.kit.periods import Period
from serving.kit.response_types import AsOf, Minor, Moment, Stale
from serving.kit.responses import CsvFormat

Status = Literal["placed", "confirmed", "shipped", "delivered", "cancelled"]


class SellerOrderLine(TypedDict):
    """One order line of this seller."""

    line_number: int
    product_id: str
    name: str | None
    category: str | None
    quantity: int
    unit_price_minor: Minor
    gross_minor: Minor
    discount_minor: Minor
    shipping_minor: Minor


class Order(TypedDict):
    """One order with this seller's lines only. The amounts are the sums of these lines."""

    order_id: str
    status: Annotated[Status, Field(description="The status of this seller's part of the order.")]
    placed_at: Moment
    confirmed_at: datetime | None
    shipped_at: Annotated[datetime | None, Field(description="When this seller's latest parcel was shipped.")]
    delivered_at: Annotated[datetime | None, Field(description="When this seller's latest parcel arrived.")]
    cancelled_at: datetime | None
    currency: str
    units: int
    revenue_minor: Annotated[
        Minor,
        Field(
            description="`gross_minor − discount_minor` of the lines, whatever became of them; not net sales."
        ),
    ]
    shipping_minor: Minor
    lines: list[SellerOrderLine]


class Orders(TypedDict):
    """A page of a seller's orders, newest first."""

    seller_id: str
    orders: list[Order]
    next_cursor: Annotated[
        str | None, Field(description="The `cursor` of the next page; null on the last page.")
    ]
    as_of: AsOf
    stale: Stale


def product_ids(rows: list[dict[str, Any]]) -> list[str]:
    """Return the products of all lines, each once."""
    return sorted({str(line[1]) for row in rows for line in row["lines"]})


def order(
    row: Mapping[str, Any], state: Mapping[str, Any], names: Mapping[str, ProductName], zone: ZoneInfo
) -> Order:
    """Return an order from its row of the query `seller_orders` and its row of `order_states`."""
    lines = [_line(values, names) for values in row["lines"]]
    return {
        "order_id": row["order_id"],
        "status": _status(state),
        "placed_at": from_millis(int(row["placed_ms"])).astimezone(zone),
        "confirmed_at": _moment(state.get("confirmed_ms"), zone),
        "shipped_at": _moment(state.get("shipped_ms"), zone),
        "delivered_at": _moment(state.get("delivered_ms"), zone),
        "cancelled_at": _moment(state.get("cancelled_ms"), zone),
        "currency": row["currency"],
        "units": sum(line["quantity"] for line in lines),
        "revenue_minor": sum(line["gross_minor"] - line["discount_minor"] for line in lines),
        "shipping_minor": sum(line["shipping_minor"] for line in lines),
        "lines": lines,
    }


def order_line_rows(page: Orders) -> Iterator[dict[str, Any]]:
    """Yield one row per order line, with the order's own fields repeated."""
    for one in page["orders"]:
        for line in one["lines"]:
            yield {**line, **one, "line_shipping_minor": line["shipping_minor"]}


ORDERS_CSV = CsvFormat(
    (
        *(name for name in Order.__annotations__ if name != "lines"),
        *(name for name in SellerOrderLine.__annotations__ if name != "shipping_minor"),
        "line_shipping_minor",
    ),
    order_line_rows,
    money_fields(Order, SellerOrderLine) | {"line_shipping_minor"},
)
"""A page of orders as CSV: the columns are those of the order, then those of the line."""


def _status(state: Mapping[str, Any]) -> Status:
    """Return the status of the seller's part. Without a row of `order_states` yet, it is `placed`."""
    status = state.get("status") or "placed"
    if status == "cancelled":
        return "cancelled"
    if state.get("delivered_ms") is not None:
        return "delivered"
    if state.get("shipped_ms") is not None:
        return "shipped"
    return "placed" if status == "placed" else "confirmed"  # other statuses are of another seller's parcel


def _line(values: list[Any], names: Mapping[str, ProductName]) -> SellerOrderLine:
    number, product_id, quantity, unit_price, gross, discount, shipping = values
    name, category = names.get(product_id, UNNAMED)
    return {
        "line_number": int(number),
        "product_id": product_id,
        "name": name,
        "category": category,
        "quantity": int(quantity),
        "unit_price_minor": int(unit_price),
        "gross_minor": int(gross),
        "discount_minor": int(discount),
        "shipping_minor": int(shipping),
    }


def _moment(millis: int | str | None, zone: ZoneInfo) -> datetime | None:
    return None if millis is None else from_millis(int(millis)).astimezone(zone)


ALL_TIME = Period(datetime(1970, 1, 1, tzinfo=UTC), datetime(2105, 1, 1, tzinfo=UTC))

ORDER_TABLES = ("order_lines", "order_state")


async def of_seller(
    context: AnalyticsContext, seller_id: str, requested: PeriodRequest, cursor: str | None, limit: int
) -> Orders:
    """Return a page of a seller's orders, the newest first. Without a period, all orders are listed."""
    as_of, period = await asyncio.gather(
        context.watermarks.as_of(ORDER_TABLES), _period(context, seller_id, requested)
    )
    before_at, before_order_id = read_row_cursor(cursor) if cursor else (period.end, "")
    if before_at > period.end:
        before_at, before_order_id = period.end, ""
    rows = await context.clickhouse.rows(
        "seller_orders",
        seller_id=seller_id,
        period_start=period.start,
        before_at=before_at,
        before_order_id=before_order_id,
        limit=limit + 1,
    )
    await context.require_seller(seller_id, rows)
    more, rows = len(rows) > limit, rows[:limit]
    names, states = await asyncio.gather(
        context.names.of_products(product_ids(rows)),
        _states(context, seller_id, [row["order_id"] for row in rows]),
    )
    shown = [order(row, states.get(row["order_id"], {}), names, context.zone) for row in rows]
    return {
        "seller_id": seller_id,
        "orders": shown,
        "next_cursor": row_cursor(shown[-1]["placed_at"], shown[-1]["order_id"]) if more else None,
        "as_of": context.local(as_of),
        "stale": False,
    }


async def _period(context: AnalyticsContext, seller_id: str, requested: PeriodRequest) -> Period:
    return ALL_TIME if requested.is_open else await context.seller_period(seller_id, requested)


async def _states(context: AnalyticsContext, seller_id: str, order_ids: list[str]) -> dict[str, Row]:
    if not order_ids:
        return {}
    rows = await context.clickhouse.rows("order_states", seller_id=seller_id, order_ids=order_ids)
    return {row["order_id"]: row for row in rows}
