"""order_placed, order_confirmed and order_cancelled."""

import numpy as np

from producers.feed.events import Events, Millis
from producers.importer.columns import MISSING, deterministic_uniform
from producers.importer.findings import ConversionFindings
from producers.importer.olist.source import CURRENCY, NAME, Index, OlistSource

_HOUR_MS = 3_600_000
CANCELLED_WITHIN_H = (1, 72)
"""A cancellation time is drawn uniformly from these hours after the order's last recorded time."""

REASONS = {"canceled": "unknown", "unavailable": "out_of_stock"}


def placed(source: OlistSource, findings: ConversionFindings) -> Events:
    """Return one event per order, at its purchase. An order without items in the source has no lines."""
    orders, lines = source.orders, source.order_lines
    findings.note(sum(not each for each in lines), "orders have no items: placed without lines")
    columns = {
        "order_id": orders.order_id.tolist(),
        "shopper_id": orders.shopper_id.tolist(),
        "currency": [CURRENCY] * len(orders),
        "lines": lines,
        "estimated_delivery_at": [None if at == MISSING else at for at in orders.estimated_at.tolist()],
        "session_id": [None] * len(orders),
    }
    return Events("order_placed", NAME, orders.purchased_at, columns, ("order_id",), "order_id")


def confirmed(source: OlistSource, findings: ConversionFindings) -> Events:
    """Return one event per confirmed order, at its approval.

    An order that proceeded without a recorded approval is confirmed at its purchase.
    """
    orders, lines = source.orders, source.order_lines
    confirmed_at = _confirmed_at(source)
    proceeded = (orders.approved_at == MISSING) & (confirmed_at != MISSING)
    findings.note(int(proceeded.sum()), "orders proceeded without approval time: confirmed at the purchase")
    rows = np.flatnonzero(confirmed_at != MISSING)
    columns = {
        "order_id": orders.order_id[rows].tolist(),
        "shopper_id": orders.shopper_id[rows].tolist(),
        "placed_at": orders.purchased_at[rows].tolist(),
        "currency": [CURRENCY] * len(rows),
        "lines": [lines[row] for row in rows.tolist()],
    }
    return Events(
        "order_confirmed",
        NAME,
        confirmed_at[rows],
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
    lines = source.order_lines
    columns = {
        "order_id": orders.order_id[rows].tolist(),
        "shopper_id": orders.shopper_id[rows].tolist(),
        "reason": [REASONS[status] for status in orders.status[rows].tolist()],
        "placed_at": orders.purchased_at[rows].tolist(),
        "currency": [CURRENCY] * len(rows),
        "lines": [lines[row] for row in rows.tolist()],
        "confirmed_at": [None if at == MISSING else at for at in _confirmed_at(source)[rows].tolist()],
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


def _confirmed_at(source: OlistSource) -> Millis:
    """Return when each order was confirmed, MISSING if it never was."""
    orders = source.orders
    unapproved = orders.approved_at == MISSING
    proceeded = np.isin(orders.status, ["delivered", "shipped", "invoiced", "processing", "approved"])
    confirmed_at: Millis = np.where(unapproved & proceeded, orders.purchased_at, orders.approved_at)
    return confirmed_at


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
