"""The events of orders, payments and shipments.

Olist has one time per order for all of its shipments.
"""

import numpy as np
import pyarrow as pa

from common.ids import derived_event_id
from producers.feed.events import Events, Millis
from producers.importer.columns import MISSING, deterministic_uniform, minor_units, number_within
from producers.importer.dataset import ConversionFindings
from producers.importer.olist.source import (
    CURRENCY,
    NAME,
    Index,
    OlistSource,
    filter_rows,
    is_one_of,
    lookup,
)

_HOUR_MS = 3_600_000
CANCELLED_WITHIN_H = (1, 72)
"""A cancellation time is drawn uniformly from these hours after the order's last recorded time."""

REASONS = {"canceled": "unknown", "unavailable": "out_of_stock"}

METHODS = {
    "credit_card": "credit_card",
    "debit_card": "debit_card",
    "boleto": "boleto",
    "voucher": "voucher",
    "not_defined": "unknown",
}
"""Olist's payment_type → the event's method."""


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
        causes=orders.placed_event_id[rows].tolist(),
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
        causes=orders.placed_event_id[rows].tolist(),
    )


def _confirmed_at(source: OlistSource) -> Millis:
    """Return when each order was confirmed, MISSING if it never was."""
    orders = source.orders
    unapproved = orders.approved_at == MISSING
    proceeded = np.isin(orders.status, ["delivered", "shipped", "invoiced", "processing", "approved"])
    return np.where(unapproved & proceeded, orders.purchased_at, orders.approved_at)


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
    return np.asarray(last + low + (drawn * (high - low)).astype(np.int64))


def captured(source: OlistSource, findings: ConversionFindings) -> Events:
    """Return one event per payment row, also for cancelled orders.

    If an order has no recorded approval, its payments are captured at the purchase.
    """
    orders = source.orders
    table = _usable_payments(source, findings)
    row = lookup(table["order_id"], orders.order_id)
    by_order = np.lexsort((table["payment_sequential"].to_numpy(), row))
    table, row = table.take(by_order), row[by_order]
    without = np.setdiff1d(np.arange(len(orders)), row)
    findings.note(len(without), "orders have no payment")
    unapproved = orders.approved_at[row] == MISSING
    findings.note(int(unapproved.sum()), "payments of orders without approval time: captured at the purchase")
    ids = [
        f"{order_id}-{number}"
        for order_id, number in zip(
            table["order_id"].to_pylist(), table["payment_sequential"].to_pylist(), strict=True
        )
    ]
    columns = {
        "payment_id": ids,
        "order_id": table["order_id"].to_pylist(),
        "shopper_id": orders.shopper_id[row].tolist(),
        "method": [METHODS[kind] for kind in table["payment_type"].to_pylist()],
        "installments": table["payment_installments"].to_pylist(),
        "currency": [CURRENCY] * len(row),
        "amount_minor": minor_units(table["payment_value"], CURRENCY)[0].tolist(),
    }
    return Events(
        "payment_captured",
        NAME,
        np.where(unapproved, orders.purchased_at[row], orders.approved_at[row]),
        columns,
        ("payment_id",),
        "order_id",
        causes=orders.placed_event_id[row].tolist(),
    )


def _usable_payments(source: OlistSource, findings: ConversionFindings) -> pa.Table:
    table = source.tables["order_payments"]
    good = lookup(table["order_id"], source.orders.order_id) >= 0
    table = filter_rows(table, good, "order_payments", "order_id is not in the usable orders", findings)
    good = is_one_of(table["payment_type"], METHODS)
    table = filter_rows(table, good, "order_payments", "payment_type is not one of Olist's", findings)
    _, good = minor_units(table["payment_value"], CURRENCY)
    reason = "payment_value is negative or has a fraction of a cent"
    return filter_rows(table, good, "order_payments", reason, findings)


def shipped(source: OlistSource, findings: ConversionFindings) -> Events:
    """Return one event per seller of each order that was handed to the carrier."""
    orders = source.orders
    order, seller, shipment_id = _shipments(source)
    _note_time_inversions(source, findings)
    _reject_without_items(source, orders.carrier_at, "order_delivered_carrier_date", findings)
    rows = np.flatnonzero(orders.carrier_at[order] != MISSING)
    columns = {
        "order_id": orders.order_id[order[rows]].tolist(),
        "shipment_id": [shipment_id[row] for row in rows.tolist()],
        "seller_id": source.seller_ids[seller[rows]].tolist(),
        "carrier": [None] * len(rows),
        "tracking_code": [None] * len(rows),
    }
    return Events(
        "order_shipped",
        NAME,
        orders.carrier_at[order[rows]],
        columns,
        ("shipment_id",),
        "order_id",
        causes=orders.placed_event_id[order[rows]].tolist(),
    )


def delivered(source: OlistSource, findings: ConversionFindings) -> Events:
    """Return one event per seller of each delivered order."""
    orders = source.orders
    order, seller, shipment_id = _shipments(source)
    _reject_without_items(source, orders.delivered_at, "order_delivered_customer_date", findings)
    findings.note(
        int(((orders.status == "delivered") & (orders.delivered_at == MISSING)).sum()),
        "delivered orders have no delivery time: no order_delivered",
    )
    rows = np.flatnonzero(orders.delivered_at[order] != MISSING)
    shipments = [shipment_id[row] for row in rows.tolist()]
    carrier_at = orders.carrier_at[order[rows]].tolist()
    columns = {
        "order_id": orders.order_id[order[rows]].tolist(),
        "shipment_id": shipments,
        "seller_id": source.seller_ids[seller[rows]].tolist(),
    }
    causes = [
        orders.placed_event_id[row]
        if at == MISSING
        else derived_event_id(at, NAME, "order_shipped", shipment)
        for row, at, shipment in zip(order[rows].tolist(), carrier_at, shipments, strict=True)
    ]
    moments = orders.delivered_at[order[rows]]
    return Events("order_delivered", NAME, moments, columns, ("shipment_id",), "order_id", causes=causes)


def _shipments(source: OlistSource) -> tuple[Index, Index, list[str]]:
    """Return order, seller and id of each shipment, in the order in which sellers appear in an order."""
    lines = source.lines
    pair = lines.order * (source.tables["sellers"].num_rows + 1) + lines.seller
    _, first = np.unique(pair, return_index=True)
    first.sort()
    order, seller = lines.order[first], lines.seller[first]
    ids = [
        f"{order_id}-{n}"
        for order_id, n in zip(
            source.orders.order_id[order].tolist(), number_within(order).tolist(), strict=True
        )
    ]
    return order, seller, ids


def _reject_without_items(
    source: OlistSource, moments: Millis, column: str, findings: ConversionFindings
) -> None:
    orders = source.orders
    lacking = np.setdiff1d(np.flatnonzero(moments != MISSING), source.lines.order)
    keys = orders.order_id[lacking].tolist()
    findings.reject("orders", keys, f"{column} without any item, so there is no seller to ship it")


def _note_time_inversions(source: OlistSource, findings: ConversionFindings) -> None:
    orders = source.orders
    for what, earlier, later in (
        ("carrier before approval", orders.carrier_at, orders.approved_at),
        ("carrier before purchase", orders.carrier_at, orders.purchased_at),
        ("delivery before carrier", orders.delivered_at, orders.carrier_at),
    ):
        inverted = (earlier != MISSING) & (later != MISSING) & (earlier < later)
        findings.note(int(inverted.sum()), f"orders with {what}: sent as recorded")
