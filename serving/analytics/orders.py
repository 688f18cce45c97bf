"""A seller's orders, page by page: the cursor, and the shape of an order. Pure."""

import base64
import binascii
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from common.clock import from_millis, to_millis
from serving.analytics.products import UNLISTED, Listing
from serving.analytics.schemas.orders import Order, OrderLine, Status
from serving.problems import BadCursor


def write_cursor(placed_at: datetime, order_id: str) -> str:
    """The place in the list after this order, as opaque URL-safe text."""
    return base64.urlsafe_b64encode(f"{to_millis(placed_at)}.{order_id}".encode()).decode().rstrip("=")


def read_cursor(cursor: str) -> tuple[datetime, str]:
    """The place that `write_cursor` wrote.

    Raises:
        BadCursor: it did not.
    """
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        millis, _, order_id = base64.b64decode(padded, b"-_", validate=True).decode().partition(".")
        placed_at = from_millis(int(millis))
        if not order_id or not 1970 <= placed_at.year <= 2105:
            raise ValueError(cursor)
        return placed_at, order_id
    except (ValueError, OverflowError, OSError, binascii.Error) as error:
        raise BadCursor(
            "Give back next_cursor of the page before, unchanged; or leave cursor out."
        ) from error


def product_ids(rows: list[dict[str, Any]]) -> list[str]:
    """The products of all lines, each once."""
    return sorted({str(line[1]) for row in rows for line in row["lines"]})


def order(
    row: Mapping[str, Any], state: Mapping[str, Any], listings: Mapping[str, Listing], zone: ZoneInfo
) -> Order:
    """One row of the query `seller_orders`, with the order's of `order_states`, as the API shows it."""
    lines = [_line(values, listings) for values in row["lines"]]
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


def _status(state: Mapping[str, Any]) -> Status:
    """How far the seller's part is; without a state (its event is still on the way) it is `placed`."""
    status = state.get("status") or "placed"
    if status == "cancelled":
        return "cancelled"
    if state.get("delivered_ms") is not None:
        return "delivered"
    if state.get("shipped_ms") is not None:
        return "shipped"
    return "placed" if status == "placed" else "confirmed"  # shipped or delivered: by another seller


def _line(values: list[Any], listings: Mapping[str, Listing]) -> OrderLine:
    number, product_id, quantity, unit_price, gross, discount, shipping = values
    name, category = listings.get(product_id, UNLISTED)
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
