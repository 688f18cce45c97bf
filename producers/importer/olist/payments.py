"""payment_captured: one event per payment row, at the approval of the order."""

from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from producers.feed.events import Events
from producers.importer.columns import MISSING, minor_units
from producers.importer.findings import ConversionFindings
from producers.importer.olist.orders import caused_by_placing
from producers.importer.olist.source import CURRENCY, NAME, OlistSource, filter_rows, keys_of, lookup

METHODS = {
    "credit_card": "credit_card",
    "debit_card": "debit_card",
    "boleto": "boleto",
    "voucher": "voucher",
    "not_defined": "unknown",
}
"""Olist's payment_type → the event's method."""


def captured(source: OlistSource, findings: ConversionFindings) -> Events:
    """Return one event per payment row, also for cancelled orders.

    If an order has no recorded approval, its payments are captured at the purchase.
    """
    orders = source.orders
    table = _usable(source, findings)
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
        causes=caused_by_placing(source, row),
    )


def _usable(source: OlistSource, findings: ConversionFindings) -> pa.Table:
    table = source.tables["order_payments"]
    checks: dict[str, Callable[[pa.Table], NDArray[np.bool_]]] = {
        "order_id is not in the usable orders": lambda t: lookup(t["order_id"], source.orders.order_id) >= 0,
        "payment_type is not one of Olist's": lambda t: pc.is_in(
            t["payment_type"], value_set=pa.array(sorted(METHODS))
        ).to_numpy(zero_copy_only=False),
        "payment_value is negative or has a fraction of a cent": lambda t: minor_units(
            t["payment_value"], CURRENCY
        )[1],
    }
    for reason, check in checks.items():
        good = check(table)
        if not good.all():
            keys = keys_of(table, ("order_id", "payment_sequential"))
            table = filter_rows(table, good, "order_payments", keys, reason, findings)
    return table
