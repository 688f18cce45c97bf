"""product_listed: one event per product and seller, with the time and the price of the first sale."""

import numpy as np
import pyarrow.compute as pc

from producers.feed.events import Events
from producers.importer.findings import ConversionFindings
from producers.importer.olist.people import first_and_last
from producers.importer.olist.source import CURRENCY, NAME, OlistSource, Strings, keys_of, lookup, strings


def products(source: OlistSource, findings: ConversionFindings) -> Events:
    """Return offers in the order of their first sale. Categories are in English if Olist translates them."""
    table, lines = source.tables["products"], source.lines
    offer = lines.product * (source.tables["sellers"].num_rows + 1) + lines.seller
    _, first_line = np.unique(offer, return_index=True)
    _, _, last = first_and_last(offer, source.orders.purchased_at[lines.order])
    by_first_sale = np.argsort(first_line)
    first_line, last = first_line[by_first_sale], last[by_first_sale]
    product = lines.product[first_line]

    unsold = np.setdiff1d(np.arange(table.num_rows), product)
    if len(unsold):
        keys = keys_of(table.take(unsold), ("product_id",))
        findings.reject("products", keys, "was never sold, so it has neither seller nor price")
    findings.note(len(first_line), "products are listed at their first sale: no listing time is recorded")

    taken = table.take(product)
    columns = {
        "product_id": taken["product_id"].to_pylist(),
        "seller_id": strings(source.tables["sellers"]["seller_id"])[lines.seller[first_line]].tolist(),
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


def _categories(source: OlistSource, findings: ConversionFindings) -> Strings:
    """Return the category of each row of products: in English, else as published, else None."""
    published = source.tables["products"]["product_category_name"]
    translation = source.tables["product_category_name_translation"]
    row = lookup(published, translation["product_category_name"].combine_chunks())
    english = np.array([*translation["product_category_name_english"].to_pylist(), None], dtype=object)[row]
    names = strings(published)
    untranslated = sorted(set(pc.unique(published.filter(row < 0)).drop_null().to_pylist()))
    findings.note(len(untranslated), f"categories have no translation: {', '.join(untranslated)}")
    return np.where(row >= 0, english, names)
