"""seller_registered, shopper_registered and product_listed, at the first order: Olist has no such times."""

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from producers.feed.events import Events
from producers.importer.columns import first_and_last
from producers.importer.dataset import ConversionFindings
from producers.importer.olist.source import (
    CURRENCY,
    NAME,
    Index,
    OlistSource,
    Strings,
    filter_rows,
    lookup,
    strings,
)

_COUNTRY = "BR"


def sellers(source: OlistSource, findings: ConversionFindings) -> Events:
    """Return one event per seller, at the seller's first order."""
    table, lines = source.tables["sellers"], source.lines
    rows, first, last = first_and_last(lines.seller, source.orders.purchased_at[lines.order])
    _reject_unused(table, "sellers", rows, "sold nothing, so it has no registration time", findings)
    findings.note(len(rows), "sellers are registered at their first order: no registration time is recorded")
    ids = source.seller_ids[rows].tolist()
    columns = {"seller_id": ids, "name": [None] * len(ids)} | _address_columns(table, "seller", rows)
    return Events("seller_registered", NAME, first, columns, ("seller_id",), "seller_id", needed_until=last)


def shoppers(source: OlistSource, findings: ConversionFindings) -> Events:
    """Return one event per person (customer_unique_id), with the time and the address of the first order."""
    orders, table = source.orders, source.tables["customers"]
    _, person = np.unique(orders.shopper_id.astype(str), return_inverse=True)
    _, first_order = np.unique(person, return_index=True)
    first_order.sort()
    _, _, last = first_and_last(person, orders.purchased_at)
    _reject_unused(table, "customers", orders.customer_row, "has no usable order", findings)
    findings.note(len(last), "shoppers are registered at their first order: no registration time is recorded")
    columns = {"shopper_id": orders.shopper_id[first_order].tolist()}
    columns |= _address_columns(table, "customer", orders.customer_row[first_order])
    return Events(
        "shopper_registered",
        NAME,
        orders.purchased_at[first_order],
        columns,
        ("shopper_id",),
        "shopper_id",
        needed_until=last[person[first_order]],
    )


def products(source: OlistSource, findings: ConversionFindings) -> Events:
    """Return product_listed: each product of each seller, with the time and the price of the first sale.

    They are in the order of their first sale. Categories are in English if Olist translates them.
    """
    table, lines = source.tables["products"], source.lines
    offer = lines.product * (source.tables["sellers"].num_rows + 1) + lines.seller
    _, first_line = np.unique(offer, return_index=True)
    _, _, last = first_and_last(offer, source.orders.purchased_at[lines.order])
    by_first_sale = np.argsort(first_line)
    first_line, last = first_line[by_first_sale], last[by_first_sale]
    product = lines.product[first_line]
    reason = "was never sold, so it has neither seller nor price"
    _reject_unused(table, "products", product, reason, findings)
    findings.note(len(first_line), "products are listed at their first sale: no listing time is recorded")
    taken = table.take(product)
    columns = {
        "product_id": taken["product_id"].to_pylist(),
        "seller_id": source.seller_ids[lines.seller[first_line]].tolist(),
        "name": [None] * len(product),
        "category": _categories(source, findings)[product].tolist(),
        "currency": [CURRENCY] * len(product),
        "price_minor": lines.unit_price_minor[first_line].tolist(),
        "weight_g": taken["product_weight_g"].to_pylist(),
        "length_cm": taken["product_length_cm"].to_pylist(),
        "height_cm": taken["product_height_cm"].to_pylist(),
        "width_cm": taken["product_width_cm"].to_pylist(),
        "photos": taken["product_photos_qty"].to_pylist(),
    }
    moments = source.orders.purchased_at[lines.order[first_line]]
    return Events(
        "product_listed",
        NAME,
        moments,
        columns,
        ("product_id", "seller_id"),
        "product_id",
        needed_until=last,
    )


def _reject_unused(
    table: pa.Table, name: str, used: Index, reason: str, findings: ConversionFindings
) -> None:
    filter_rows(table, np.isin(np.arange(table.num_rows), used), name, reason, findings)


def _categories(source: OlistSource, findings: ConversionFindings) -> Strings:
    """Return the category of each row of products: in English, else as published, else None."""
    published = source.tables["products"]["product_category_name"]
    translation = source.tables["product_category_name_translation"]
    row = lookup(published, translation["product_category_name"].combine_chunks())
    english = np.array([*translation["product_category_name_english"].to_pylist(), None], dtype=object)[row]
    untranslated = sorted(set(pc.unique(published.filter(row < 0)).drop_null().to_pylist()))
    findings.note(len(untranslated), f"categories have no translation: {', '.join(untranslated)}")
    return np.where(row >= 0, english, strings(published))


def _address_columns(table: pa.Table, prefix: str, rows: Index) -> dict[str, list[Any]]:
    taken = table.take(rows)
    return {
        "zip_prefix": pc.utf8_lpad(taken[f"{prefix}_zip_code_prefix"], 5, "0").to_pylist(),
        "city": taken[f"{prefix}_city"].to_pylist(),
        "state": taken[f"{prefix}_state"].to_pylist(),
        "country": [_COUNTRY] * len(rows),
    }
