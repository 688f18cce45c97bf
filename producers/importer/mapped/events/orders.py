"""order_placed, payment_captured, order_confirmed and order_cancelled."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from producers.feed.events import Events, LazyColumn, Rows
from producers.importer.mapped.cells import EMPTY
from producers.importer.mapped.events.source import EventSource, caused, payment_id
from producers.importer.mapped.line_reader import CANCELLED, OTHER_STATUS


def placed(source: EventSource) -> Events:
    """Return order_placed: every order."""
    orders = np.arange(len(source.orders))
    columns = _of_orders(source, orders) | {
        "lines": _lines_column(source, orders),
        "estimated_delivery_at": [None] * len(orders),
        "session_id": [None] * len(orders),
    }
    return Events("order_placed", source.name, source.orders.placed_at, columns, ("order_id",), "order_id")


def captured(source: EventSource) -> Events:
    """Return payment_captured: one for each confirmed order, at its time and with the sum of its lines."""
    orders = _with_status(source, OTHER_STATUS)
    sums = np.zeros(len(source.orders), np.int64)
    np.add.at(sums, source.lines.order, source.lines.amount_minor)
    payment = source.mapping.payment
    methods = {text.casefold(): method for text, method in payment.values.items()} if payment else {}
    values = source.table.codes["payment"].values()
    of_code = [*(methods.get(value.casefold(), "unknown") for value in values), "unknown"]
    columns: dict[str, Sequence[Any]] = {
        "payment_id": [payment_id(source, order) for order in orders.tolist()],
        "order_id": source.of_orders(source.order_ids, orders),
        "shopper_id": source.of_orders(source.shopper_ids, orders),
        "method": [of_code[code] for code in source.orders.payment[orders].tolist()],
        "installments": [1] * len(orders),
        "currency": [source.mapping.currency.only] * len(orders),
        "amount_minor": sums[orders].tolist(),
    }
    return caused(source, "payment_captured", source.orders.placed_at[orders], columns, "payment_id", orders)


def confirmed(source: EventSource) -> Events:
    """Return order_confirmed: each order that is neither cancelled nor unpaid, at its time."""
    orders = _with_status(source, OTHER_STATUS)
    columns = _of_orders(source, orders) | {
        "placed_at": source.orders.placed_at[orders].tolist(),
        "lines": _lines_column(source, orders),
    }
    return caused(source, "order_confirmed", source.orders.placed_at[orders], columns, "order_id", orders)


def cancelled(source: EventSource) -> Events:
    """Return order_cancelled: each cancelled order, at its recorded time or else at the order's."""
    orders = _with_status(source, CANCELLED)
    placed_at, cancelled_at = source.orders.placed_at[orders], source.orders.cancelled_at[orders]
    columns = _of_orders(source, orders) | {
        "reason": ["unknown"] * len(orders),
        "placed_at": placed_at.tolist(),
        "lines": _lines_column(source, orders),
        "confirmed_at": [None] * len(orders),
    }
    at = np.maximum(placed_at, np.where(cancelled_at == EMPTY, placed_at, cancelled_at))
    return caused(source, "order_cancelled", at, columns, "order_id", orders)


def _with_status(source: EventSource, status: int) -> Rows:
    return np.flatnonzero(source.orders.status == status)


def _of_orders(source: EventSource, orders: Rows) -> dict[str, Sequence[Any]]:
    return {
        "order_id": source.of_orders(source.order_ids, orders),
        "shopper_id": source.of_orders(source.shopper_ids, orders),
        "currency": [source.mapping.currency.only] * len(orders),
    }


def _lines_column(source: EventSource, orders: Rows) -> LazyColumn:
    """Return the `lines` of these orders, as records of the schema."""
    lines, starts, fields = source.lines, source.starts, source.table.fields

    def records(rows: Rows) -> list[Any]:
        return [records_of(starts[row], starts[row + 1]) for row in rows.tolist()]

    def records_of(start: int, end: int) -> list[dict[str, Any]]:
        own = lines.row[start:end]
        return [
            {
                "line_number": number,
                "product_id": source.product_ids[product],
                "seller_id": source.seller_ids[seller],
                "quantity": quantity,
                "unit_price_minor": price,
                "discount_minor": discount,
                "shipping_minor": shipping,
                "tax_minor": tax,
                "commission_bp": 0,
            }
            for number, product, seller, quantity, price, discount, shipping, tax in zip(
                lines.number[start:end].tolist(),
                fields["product"][own].tolist(),
                fields["seller"][own].tolist(),
                lines.quantity[start:end].tolist(),
                lines.unit_price_minor[start:end].tolist(),
                lines.discount_minor[start:end].tolist(),
                lines.shipping_minor[start:end].tolist(),
                lines.tax_minor[start:end].tolist(),
                strict=True,
            )
        ]

    return LazyColumn(records, orders)
