"""Makes `order_returned` events, and reads the dead letters of those that orders rejected."""

from typing import Any

from common.ids import new_id


def returned(product_id: str, quantity: int, refund_minor: int) -> dict[str, Any]:
    """A line of `order_returned`."""
    return {
        "line_number": 1, "product_id": product_id, "quantity": quantity, "refund_minor": refund_minor,
        "restocked": True,
    }  # fmt: skip


def back(order_id: str, *lines: dict[str, Any], **rest: Any) -> dict[str, Any]:
    """An `order_returned` of these lines."""
    return {
        "return_id": new_id(), "order_id": order_id, "shopper_id": "ana", "seller_id": "seller-1",
        "placed_at": 0, "currency": "BRL", "reason": "damaged", "lines": list(lines),
    } | rest  # fmt: skip


def letters(shop: Any, order_id: str, topic: str = "order_returned") -> list[tuple[str, str]]:
    """Return the service and the reason of each dead letter of an order, sorted."""
    found = [dict(m.headers()) for m in shop.messages(f"{topic}_dlq") if m.key() == order_id.encode()]
    return sorted((letter["stage"].decode(), letter["reason"].decode()) for letter in found)
