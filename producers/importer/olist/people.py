"""seller_registered and shopper_registered, at the first order, because Olist records no registrations."""

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from producers.feed.events import Events, Millis
from producers.importer.findings import ConversionFindings
from producers.importer.olist.source import NAME, Index, OlistSource, keys_of, strings

_COUNTRY = "BR"


def sellers(source: OlistSource, findings: ConversionFindings) -> Events:
    """Return one event per seller, at the seller's first order."""
    table, lines = source.tables["sellers"], source.lines
    moments = source.orders.purchased_at[lines.order]
    rows, first, last = first_and_last(lines.seller, moments)
    idle = np.setdiff1d(np.arange(table.num_rows), rows)
    if len(idle):
        keys = keys_of(table.take(idle), ("seller_id",))
        findings.reject("sellers", keys, "sold nothing, so it has no registration time")
    findings.note(len(rows), "sellers are registered at their first order: no registration time is recorded")
    ids = strings(table["seller_id"])[rows].tolist()
    columns = {"seller_id": ids, "name": [None] * len(ids)} | _address_columns(table, "seller", rows)
    return Events("seller_registered", NAME, first, columns, ("seller_id",), "seller_id", needed_until=last)


def shoppers(source: OlistSource, findings: ConversionFindings) -> Events:
    """Return one event per person (customer_unique_id), with the time and the address of the first order."""
    orders, table = source.orders, source.tables["customers"]
    _, person = np.unique(orders.shopper_id.astype(str), return_inverse=True)
    _, first_order = np.unique(person, return_index=True)
    first_order.sort()
    _, first, last = first_and_last(person, orders.purchased_at)
    last_of_person = last[person[first_order]]
    used = np.zeros(table.num_rows, bool)
    used[orders.customer_row] = True
    if not used.all():
        keys = keys_of(table.take(np.flatnonzero(~used)), ("customer_id",))
        findings.reject("customers", keys, "has no usable order")
    findings.note(
        len(first), "shoppers are registered at their first order: no registration time is recorded"
    )
    columns = {"shopper_id": orders.shopper_id[first_order].tolist()}
    columns |= _address_columns(table, "customer", orders.customer_row[first_order])
    moments = orders.purchased_at[first_order]
    return Events(
        "shopper_registered",
        NAME,
        moments,
        columns,
        ("shopper_id",),
        "shopper_id",
        needed_until=last_of_person,
    )


def first_and_last(group: Index, moments: Millis) -> tuple[Index, Millis, Millis]:
    """Return the distinct groups in ascending order, and the first and last time of each."""
    groups, dense = np.unique(group, return_inverse=True)
    first = np.full(len(groups), np.iinfo(np.int64).max)
    last = np.full(len(groups), np.iinfo(np.int64).min)
    np.minimum.at(first, dense, moments)
    np.maximum.at(last, dense, moments)
    return groups, first, last


def _address_columns(table: pa.Table, prefix: str, rows: Index) -> dict[str, list[Any]]:
    taken = table.take(rows)
    return {
        "zip_prefix": pc.utf8_lpad(taken[f"{prefix}_zip_code_prefix"], 5, "0").to_pylist(),
        "city": taken[f"{prefix}_city"].to_pylist(),
        "state": taken[f"{prefix}_state"].to_pylist(),
        "country": [_COUNTRY] * len(rows),
    }
