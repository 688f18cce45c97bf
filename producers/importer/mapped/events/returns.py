"""order_returned and payment_refunded."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from common.ids import derived_event_id
from producers.feed.events import Events
from producers.importer.mapped.events.source import EventSource, caused, payment_id
from producers.importer.mapped.returns import Returned


def returned(source: EventSource) -> Events:
    """Return order_returned. Whether the goods can be sold again is not known: `restocked` is false."""
    columns = _of_returns(source) | {
        "shipment_id": [None] * len(source.returns),
        "reason": ["unknown"] * len(source.returns),
        "lines": [_returned_lines(source, each, {"restocked": False}) for each in source.returns],
    }
    orders = np.array([each.order for each in source.returns], np.int64)
    at = np.array([each.at for each in source.returns], np.int64)
    return caused(source, "order_returned", at, columns, "return_id", orders)


def refunded(source: EventSource) -> Events:
    """Return payment_refunded: one for each return, at its time."""
    of_returns = _of_returns(source)
    columns = of_returns | {
        "refund_id": [f"{return_id}-refund" for return_id in of_returns["return_id"]],
        "payment_id": [payment_id(source, each.order) for each in source.returns],
        "amount_minor": [each.refund_minor for each in source.returns],
        "reason": ["order_returned"] * len(source.returns),
        "lines": [_returned_lines(source, each, {}) for each in source.returns],
    }
    at = np.array([each.at for each in source.returns], np.int64)
    causes = [
        derived_event_id(each.at, source.name, "order_returned", return_id)
        for each, return_id in zip(source.returns, of_returns["return_id"], strict=True)
    ]
    return Events("payment_refunded", source.name, at, columns, ("refund_id",), "order_id", causes=causes)


def _of_returns(source: EventSource) -> dict[str, Sequence[Any]]:
    number: dict[int, int] = {}
    ids = []
    for each in source.returns:
        number[each.order] = number.get(each.order, 0) + 1
        ids.append(f"{source.order_ids[each.order]}-return-{number[each.order]}")
    orders = [each.order for each in source.returns]
    return {
        "return_id": ids,
        "order_id": [source.order_ids[order] for order in orders],
        "shopper_id": [source.shopper_ids[order] for order in orders],
        "seller_id": [source.seller_ids[each.seller] for each in source.returns],
        "placed_at": source.orders.placed_at[orders].tolist() if orders else [],
        "currency": [source.mapping.currency.only] * len(orders),
    }


def _returned_lines(source: EventSource, each: Returned, more: dict[str, Any]) -> list[dict[str, Any]]:
    products, lines = source.table.fields["product"], source.lines
    return [
        {
            "line_number": int(lines.number[line]),
            "product_id": source.product_ids[products[lines.row[line]]],
            "quantity": units,
            "refund_minor": refund_minor,
            **more,
        }
        for line, (units, refund_minor) in sorted(each.lines.items())
    ]
