"""seller_registered, shopper_registered and product_listed, at the first order that names them."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from producers.feed.events import Events
from producers.importer.mapped.cells import EMPTY
from producers.importer.mapped.countries import country_codes
from producers.importer.mapped.events.source import EventSource
from producers.importer.mapped.order_lines import Index


def sellers(source: EventSource) -> Events:
    """Return seller_registered: each seller, at its first order."""
    lines = source.lines
    codes = source.table.fields["seller"]
    found, first, last = _first_and_last(codes[lines.row], source.orders.placed_at[lines.order])
    name_of = source.first_text("seller_name", codes, len(source.table.codes["seller"]))
    ids = [source.seller_ids[code] for code in found.tolist()]
    own_name = source.mapping.seller.name
    nothing = [None] * len(ids)
    columns: dict[str, list[Any]] = {
        "seller_id": ids,
        "name": [name_of(code) or own_name for code in found.tolist()],
        "zip_prefix": nothing, "city": nothing, "state": nothing, "country": nothing,
    }  # fmt: skip
    return Events(
        "seller_registered", source.name, first, columns, ("seller_id",), "seller_id", needed_until=last
    )


def shoppers(source: EventSource) -> Events:
    """Return shopper_registered: each shopper with an id, at the first order."""
    known = source.orders.shopper >= 0
    found, first, last = _first_and_last(source.orders.shopper[known], source.orders.placed_at[known])
    country = source.mapping.country
    text_of = source.first_text("country", source.table.fields["shopper"], len(source.table.codes["shopper"]))
    to_code = country_codes(country.values if country else {})
    ids = [source.ids_of_shoppers[code] for code in found.tolist()]
    nothing = [None] * len(ids)
    columns: dict[str, list[Any]] = {
        "shopper_id": ids,
        "zip_prefix": nothing, "city": nothing, "state": nothing,
        "country": [to_code(text_of(code)) for code in found.tolist()],
    }  # fmt: skip
    return Events(
        "shopper_registered", source.name, first, columns, ("shopper_id",), "shopper_id", needed_until=last
    )


def products(source: EventSource) -> Events:
    """Return product_listed: each product of each seller, with the time and the price of the first sale."""
    lines, table = source.lines, source.table
    product, seller = table.fields["product"][lines.row], table.fields["seller"][lines.row]
    pair = product.astype(np.int64) * (len(table.codes["seller"]) + 1) + seller + 1
    _, first, last = _first_and_last(pair, source.orders.placed_at[lines.order])
    _, line = np.unique(pair, return_index=True)
    codes, count = table.fields["product"], len(table.codes["product"])
    name_of = source.first_text("product_name", codes, count)
    category_of = source.first_text("category", codes, count)
    found = product[line].tolist()
    nothing = [None] * len(found)
    columns: dict[str, list[Any]] = {
        "product_id": [source.product_ids[code] for code in found],
        "seller_id": [source.seller_ids[code] for code in seller[line].tolist()],
        "name": [name_of(code) for code in found],
        "category": [category_of(code) for code in found],
        "currency": [source.mapping.currency.only] * len(found),
        "price_minor": lines.unit_price_minor[line].tolist(),
        "weight_g": nothing, "length_cm": nothing, "height_cm": nothing, "width_cm": nothing,
        "photos": nothing,
    }  # fmt: skip
    return Events(
        "product_listed",
        source.name,
        first,
        columns,
        ("product_id", "seller_id"),
        "product_id",
        needed_until=last,
    )


def _first_and_last(codes: NDArray[np.integer[Any]], at: Index) -> tuple[NDArray[Any], Index, Index]:
    """Return the distinct codes with the first and the last time of each."""
    found, which = np.unique(codes, return_inverse=True)
    first = np.full(len(found), np.iinfo(np.int64).max)
    last = np.full(len(found), EMPTY)
    np.minimum.at(first, which, at)
    np.maximum.at(last, which, at)
    return found, first, last
