"""Orders as the API shows them. Pure."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from producers.orders.model import Line, amount_minor
from producers.orders.schemas import LineShown, OrderSent, OrderShown


def placed_order(order_id: str, sent: OrderSent, lines: Sequence[Line], now: datetime) -> OrderShown:
    """An order at the moment when it is placed."""
    return {
        "order_id": order_id,
        "shopper_id": sent.shopper_id,
        "status": "placed",
        "cancellation_reason": None,
        "currency": sent.currency,
        "placed_at": now,
        "history": [{"status": "placed", "at": now, "seller_id": None}],
        "lines": [_line(line.as_event()) for line in lines],
        "payment": {
            "status": "pending",
            "method": sent.payment.method,
            "amount_minor": amount_minor(lines),
            "refunded_minor": 0,
        },
    }


def kept_order(row: Mapping[str, Any]) -> OrderShown:
    """An order as the books have it (`store.find_order`); what was not paid when it ended is `void`."""
    ended = row["status"] == "cancelled"
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
            "status": "void" if ended and row["payment_status"] == "pending" else row["payment_status"],
            "method": row["payment_method"],
            "amount_minor": row["amount_minor"],
            "refunded_minor": row["refunded_minor"],
        },
    }


def _line(line: Mapping[str, Any]) -> LineShown:
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
