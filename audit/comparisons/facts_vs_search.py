"""Compares the offers that the search index has with those that follow from the facts."""

from collections.abc import Iterator
from functools import partial

import pyarrow as pa

from audit.comparison import ComparisonResult, ComparisonSpec
from audit.stores import Stores
from audit.table_comparison import KeyFilter, Sides, TableComparison
from serving.products.search.documents import CardOffer
from serving.products.search.index import LiveIndex
from serving.products.search.query import every_offer, offers_of_products

SPEC = ComparisonSpec(
    name="facts_vs_search",
    what="offers that searches find",
    left="facts",
    right="the search index",
    unit="offers",
    key=("product_id", "seller_id"),
)

NO_INDEX = "there is no search index: the part search has not built one"


def run(stores: Stores) -> Iterator[ComparisonResult | TableComparison]:
    """Compare every offer in the shop's currency of a seller who may sell."""
    index = LiveIndex(stores.search) if stores.search else None
    if index is None or index.searcher() is None:
        yield ComparisonResult(SPEC, notes=(NO_INDEX,))
    else:
        yield TableComparison(SPEC, partial(_read, stores, index))


def _read(stores: Stores, index: LiveIndex, keys: KeyFilter | None) -> Sides:
    with index.read() as searcher:
        if searcher is None:
            raise ValueError(NO_INDEX)
        offers = every_offer(searcher) if keys is None else offers_of_products(searcher, keys.values)
        actual = _table(offers)
    expected = stores.clickhouse.query(f"{SPEC.name}/offers", {"currency": stores.currency}, keys)
    return Sides(expected, actual)


def _table(offers: Iterator[CardOffer]) -> pa.Table:
    rows = [
        (
            each.product_id,
            each.seller_id,
            each.name or "",
            each.category or "",
            each.price_minor,
            int(each.in_stock),
        )
        for each in offers
    ]
    columns = ("product_id", "seller_id", "name", "category", "price_minor", "in_stock")
    types = (*[pa.string()] * 4, pa.int64(), pa.int64())
    return pa.table(
        {
            name: pa.array([row[at] for row in rows], kind)
            for at, (name, kind) in enumerate(zip(columns, types, strict=True))
        }
    )
