"""order_shipped and order_delivered. Olist has one time per order, so all its shipments have that time."""

import numpy as np

from common.ids import derived_event_id
from producers.feed.events import Events, Millis
from producers.importer.columns import MISSING
from producers.importer.findings import ConversionFindings
from producers.importer.olist.source import NAME, Index, OlistSource, strings


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
        "seller_id": _seller_ids(source, seller[rows]),
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
        causes=[orders.placed_event_id[row] for row in order[rows].tolist()],
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
        "seller_id": _seller_ids(source, seller[rows]),
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
    number = np.arange(len(first)) - np.searchsorted(order, order) + 1
    ids = [
        f"{order_id}-{n}"
        for order_id, n in zip(source.orders.order_id[order].tolist(), number.tolist(), strict=True)
    ]
    return order, seller, ids


def _seller_ids(source: OlistSource, rows: Index) -> list[str]:
    ids: list[str] = strings(source.tables["sellers"]["seller_id"])[rows].tolist()
    return ids


def _reject_without_items(
    source: OlistSource, moments: Millis, column: str, findings: ConversionFindings
) -> None:
    orders = source.orders
    lacking = np.setdiff1d(np.flatnonzero(moments != MISSING), source.lines.order)
    keys = orders.order_id[lacking].tolist()
    findings.reject("orders", keys, f"{column} without any item, so there is no seller to ship it")


def _note_time_inversions(source: OlistSource, findings: ConversionFindings) -> None:
    orders = source.orders

    def before(earlier: Millis, later: Millis) -> int:
        return int(((earlier != MISSING) & (later != MISSING) & (earlier < later)).sum())

    action = "sent as recorded"
    findings.note(
        before(orders.carrier_at, orders.approved_at), f"orders with carrier before approval: {action}"
    )
    findings.note(
        before(orders.carrier_at, orders.purchased_at), f"orders with carrier before purchase: {action}"
    )
    findings.note(
        before(orders.delivered_at, orders.carrier_at), f"orders with delivery before carrier: {action}"
    )
