"""Converts orders to the API's responses. Pure."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from producers.services.orders.model import OrderedLine, amount_minor
from producers.services.orders.schemas import ListedOrder, OrderLine, OrderRequest, ShopperOrder


def present_placed_order(
    order_id: str, shopper_id: str, request: OrderRequest, lines: Sequence[OrderedLine], now: datetime
) -> ShopperOrder:
    """Return the response for an order that is being placed."""
    return {
        "order_id": order_id,
        "shopper_id": shopper_id,
        "status": "placed",
        "cancellation_reason": None,
        "currency": request.currency,
        "placed_at": now,
        "history": [
            {"status": "placed", "at": now, "seller_id": None, "carrier": None, "tracking_code": None}
        ],
        "lines": [_line(line.as_event()) for line in lines],
        "payment": {
            "status": "pending",
            "method": request.payment.method,
            "amount_minor": amount_minor(lines),
            "refunded_minor": 0,
        },
    }


def present_order(row: Mapping[str, Any]) -> ShopperOrder:
    """Return the response for a row of `store.find_order`.

    If an order was cancelled before it was paid, its payment is `void`.
    """
    return {
        "order_id": row["order_id"],
        "shopper_id": row["shopper_id"],
        "status": row["status"],
        "cancellation_reason": row["cancellation_reason"],
        "currency": row["currency"],
        "placed_at": row["placed_at"],
        "history": row["steps"],
        "lines": [_line(line) for line in row["lines"]],
        "payment": {
            "status": _payment_status(row),
            "method": row["payment_method"],
            "amount_minor": row["amount_minor"],
            "refunded_minor": row["refunded_minor"],
        },
    }


def present_listed_order(row: Mapping[str, Any]) -> ListedOrder:
    """Return an entry of the list of orders for a row of `store.find_orders`."""
    return {
        "order_id": row["order_id"],
        "status": row["status"],
        "cancellation_reason": row["cancellation_reason"],
        "currency": row["currency"],
        "amount_minor": row["amount_minor"],
        "refunded_minor": row["refunded_minor"],
        "payment_status": _payment_status(row),
        "placed_at": row["placed_at"],
        "lines": row["lines"],
    }


def _payment_status(row: Mapping[str, Any]) -> str:
    is_void = row["status"] == "cancelled" and row["payment_status"] == "pending"
    return "void" if is_void else str(row["payment_status"])


def _line(line: Mapping[str, Any]) -> OrderLine:
    return {
        "line_number": line["line_number"],
        "product_id": line["product_id"],
        "seller_id": line["seller_id"],
        "quantity": line["quantity"],
        "unit_price_minor": line["unit_price_minor"],
        "discount_minor": line["discount_minor"],
        "shipping_minor": line["shipping_minor"],
        "tax_minor": line["tax_minor"],
    }
