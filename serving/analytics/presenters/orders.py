"""Shapes a seller's orders, and the cursor of their pages. Pure."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from common.clock import from_millis, to_millis
from common.cursor import BadCursor, decode_cursor, encode_cursor, moment_of
from serving.analytics.schemas.orders import Order, Orders, SellerOrderLine, Status
from serving.kit.csv_writer import money_fields
from serving.kit.names import UNNAMED, ProductName


def order_cursor(placed_at: datetime, order_id: str) -> str:
    """Return the cursor of the page that follows this order."""
    return encode_cursor(to_millis(placed_at), order_id)


def read_order_cursor(cursor: str) -> tuple[datetime, str]:
    """Return when the last order of the previous page was placed, and its id.

    Raises:
        BadCursor: the text is not a cursor of this list.
    """
    millis, order_id = decode_cursor(cursor, (int, str))
    if not order_id:
        raise BadCursor
    return moment_of(millis), str(order_id)


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


ORDER_LINE_COLUMNS = (
    *(name for name in Order.__annotations__ if name != "lines"),
    *(name for name in SellerOrderLine.__annotations__ if name != "shipping_minor"),
    "line_shipping_minor",
)
"""The columns of a page of orders as CSV: those of the order, then those of the line."""

ORDER_LINE_MONEY = money_fields(Order, SellerOrderLine) | {"line_shipping_minor"}


def order_line_rows(page: Orders) -> Iterator[dict[str, Any]]:
    """Yield one row per order line, with the order's own fields repeated."""
    for one in page["orders"]:
        for line in one["lines"]:
            yield {**line, **one, "line_shipping_minor": line["shipping_minor"]}


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
