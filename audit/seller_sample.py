"""Chooses the sellers who are compared in every detail: always the same ones."""

from collections.abc import Collection, Iterable
from zlib import crc32

import pyarrow as pa

from audit.stores import Stores
from audit.table_comparison import KeyFilter

EVERY = 20
"""One in so many sellers is compared, and besides the `LARGEST`."""

LARGEST = 5
"""So many sellers with the most lines of orders."""


def read_sellers(stores: Stores, keys: KeyFilter | None) -> pa.Table:
    """Return every seller who registered or sold anything: the column `seller_id`."""
    return stores.clickhouse.query("facts_vs_seller_api/sellers", keys=keys)


def largest_sellers(stores: Stores) -> list[str]:
    """Return the sellers with the most lines of orders."""
    found = stores.clickhouse.query("facts_vs_seller_metrics/largest", {"sellers": LARGEST})
    return list(found["seller_id"].to_pylist())


def sampled_sellers(stores: Stores, keys: KeyFilter | None) -> list[str]:
    """Return one in `EVERY` sellers who registered or sold something, or those of them that `keys` names."""
    return chosen(read_sellers(stores, keys)["seller_id"].to_pylist(), ())


def some_sellers(stores: Stores) -> list[str]:
    """Return one in `EVERY` sellers who registered or sold something, and the largest ones."""
    return chosen(read_sellers(stores, None)["seller_id"].to_pylist(), largest_sellers(stores))


def chosen(sellers: Iterable[str], largest: Collection[str]) -> list[str]:
    """Return one in `EVERY` sellers, and the largest ones, in order."""
    sampled = {seller_id for seller_id in sellers if crc32(seller_id.encode()) % EVERY == 0}
    return sorted({*sampled, *largest})
