"""order_placed, order_confirmed and order_cancelled."""

from itertools import pairwise
from typing import Any

import numpy as np

from producers.feed.events import Events, Millis
from producers.replay.columns import MISSING, deterministic_uniform
from producers.replay.findings import ConversionFindings
from producers.replay.olist.source import (
    CURRENCY,
    NAME,
    Index,
    OlistLines,
    OlistSource,
    strings,
)

_HOUR_MS = 3_600_000
CANCELLED_WITHIN_H = (1, 72)
"""A cancellation time is drawn uniformly from these hours after the order's last recorded time."""

REASONS = {"canceled": "unknown", "unavailable": "out_of_stock"}


def placed(source: OlistSource, findings: ConversionFindings) -> Events:
    """Return one event per order, at its purchase. An order without items in the source has no lines."""
    orders = source.orders
    lines = order_lines(source)
    findings.note(sum(not each for each in lines), "orders have no items: placed without lines")
    columns = {
        "order_id": orders.order_id.tolist(),
        "shopper_id": orders.shopper_id.tolist(),
        "currency": [CURRENCY] * len(orders),
        "lines": lines,
        "estimated_delivery_at": [None if at == MISSING else at for at in orders.estimated_at.tolist()],
    }
    return Events("order_placed", NAME, orders.purchased_at, columns, ("order_id",), "order_id")


def confirmed(source: OlistSource, findings: ConversionFindings) -> Events:
    """Return one event per confirmed order, at its approval.

    An order that proceeded without a recorded approval is confirmed at its purchase.
    """
    orders = source.orders
    unapproved = orders.approved_at == MISSING
    proceeded = unapproved & np.isin(
        orders.status, ["delivered", "shipped", "invoiced", "processing", "approved"]
    )
    findings.note(int(proceeded.sum()), "orders proceeded without approval time: confirmed at the purchase")
    rows = np.flatnonzero(~unapproved | proceeded)
    columns = {"order_id": orders.order_id[rows].tolist(), "shopper_id": orders.shopper_id[rows].tolist()}
    return Events(
        "order_confirmed",
        NAME,
        np.where(unapproved, orders.purchased_at, orders.approved_at)[rows],
        columns,
        ("order_id",),
        "order_id",
        causes=caused_by_placing(source, rows),
    )


def cancelled(source: OlistSource, findings: ConversionFindings) -> Events:
    """Return one event per order with the status canceled or unavailable.

    The time of a cancellation is not recorded. It is drawn at random, with the order id as seed.
    """
    orders = source.orders
    rows = np.flatnonzero(np.isin(orders.status, sorted(REASONS)))
    findings.note(
        len(rows),
        "cancellations have no recorded time: it is drawn from the order id, "
        f"{CANCELLED_WITHIN_H[0]} to {CANCELLED_WITHIN_H[1]} hours after the order's last recorded time",
    )
    delivered = int((orders.delivered_at[rows] != MISSING).sum())
    findings.note(delivered, "cancelled orders have a delivery time: both are sent")
    ids = orders.order_id[rows].tolist()
    lines = order_lines(source)
    columns = {
        "order_id": ids,
        "shopper_id": orders.shopper_id[rows].tolist(),
        "reason": [REASONS[status] for status in orders.status[rows].tolist()],
        "placed_at": orders.purchased_at[rows].tolist(),
        "currency": [CURRENCY] * len(rows),
        "lines": [lines[row] for row in rows.tolist()],
    }
    return Events(
        "order_cancelled",
        NAME,
        _cancelled_at(source, rows),
        columns,
        ("order_id",),
        "order_id",
        causes=caused_by_placing(source, rows),
    )


def _cancelled_at(source: OlistSource, rows: Index) -> Millis:
    orders = source.orders
    last = np.maximum.reduce(
        [
            orders.purchased_at[rows],
            orders.approved_at[rows],
            orders.carrier_at[rows],
            orders.delivered_at[rows],
        ]
    )
    low, high = (hours * _HOUR_MS for hours in CANCELLED_WITHIN_H)
    drawn = deterministic_uniform("order_cancelled", orders.order_id[rows].tolist())
    moments: Millis = last + low + (drawn * (high - low)).astype(np.int64)
    return moments


def caused_by_placing(source: OlistSource, orders: Index) -> list[str | None]:
    """Return the id of the event `order_placed` of each of these orders."""
    return [source.orders.placed_event_id[row] for row in orders.tolist()]


def order_lines(source: OlistSource) -> list[list[dict[str, Any]]]:
    """Return the `lines` of each order, as records of the schema."""
    lines, tables = source.lines, source.tables
    product = strings(tables["products"]["product_id"])[lines.product].tolist()
    seller = strings(tables["sellers"]["seller_id"])[lines.seller].tolist()
    records = [
        {
            "line_number": number,
            "product_id": product_id,
            "seller_id": seller_id,
            "quantity": quantity,
            "unit_price_minor": price,
            "discount_minor": 0,
            "shipping_minor": shipping,
            "tax_minor": 0,
            "commission_bp": 0,
        }
        for number, product_id, seller_id, quantity, price, shipping in zip(
            lines.number.tolist(),
            product,
            seller,
            lines.quantity.tolist(),
            lines.unit_price_minor.tolist(),
            lines.shipping_minor.tolist(),
            strict=True,
        )
    ]
    bounds = line_bounds(lines, len(source.orders))
    return [records[start:end] for start, end in pairwise(bounds)]


def line_bounds(lines: OlistLines, orders: int) -> list[int]:
    """Return the start of each order's lines, and the end of the last order's lines."""
    bounds: list[int] = np.searchsorted(lines.order, np.arange(orders + 1)).tolist()
    return bounds
