"""Compares price changes and products bought together of every seller with a plain computation from facts."""

from collections.abc import Iterable, Iterator
from typing import Any

import pyarrow as pa

from audit.comparison import ComparisonSpec
from audit.reference.arithmetic import DAY_MS
from audit.seller_products import pairs, price_changes
from audit.seller_rows import rows_of_all_sellers, rows_table
from audit.seller_sample import sampled_sellers
from audit.sources.api import ApiRequest, Row
from audit.stores import Stores
from audit.table_comparison import KeyFilter, Sides, TableComparison
from common.request_path import in_path
from serving.analytics.product_insights import MAX_PRODUCTS, MIN_ORDERS, WINDOW_DAYS

NAME = "facts_vs_seller_products"
PRICE = ("seller_id", "product_id", "changed_ms", "old_price", "new_price")
PAIR = ("seller_id", "product_a", "product_b")
PRICES = ComparisonSpec(NAME, "price changes and what followed", "facts", "query", "price changes", PRICE)
PAIRS = ComparisonSpec(NAME, "products bought together", "facts", "query", "pairs", PAIR)
PAIRS_API = ComparisonSpec(NAME, "products bought together", "facts", "API", "pairs", PAIR)

LISTED = 200
"""The most pairs that the API lists."""

_SIDES = ("before", "after")
OF_PRICE = (
    "days",
    *(f"{name}_{side}" for side in _SIDES for name in ("orders", "units", "revenue", "sessions")),
)
OF_PAIR = ("together", "orders_a", "orders_b", "orders")
EVER = {"period_start": "1971-01-01 00:00:00", "period_end": "2105-01-01 00:00:00"}
_ALL = (1 << 32) - 1


def run(stores: Stores) -> Iterator[TableComparison]:
    """Compare with the queries for all sellers at once, and with what the API says about pairs of some."""
    reader = _Reader(stores)
    yield TableComparison(PRICES, reader.prices)
    yield TableComparison(PAIRS, reader.pairs)
    yield TableComparison(PAIRS_API, reader.pairs_of_api)


def pair_rows(answer: Any) -> Iterator[Row]:
    """Yield the pairs of an answer; none if it lists as many as it can, so that some are missing."""
    if len(answer["pairs"]) < LISTED:
        for pair in answer["pairs"]:
            yield {
                "seller_id": answer["seller_id"],
                "together": pair["orders"],
                "orders": answer["orders"],
                **{name: pair[name] for name in ("product_a", "product_b", "orders_a", "orders_b")},
            }


class _Reader:
    """Reads both sides of the comparisons."""

    def __init__(self, stores: Stores) -> None:
        self._stores = stores

    def prices(self, keys: KeyFilter | None) -> Sides:
        """Read the price changes that are older than the longest window: those after it can't change."""
        until_ms = self._stores.clickhouse.now_ms() // DAY_MS * DAY_MS
        listings, lines, views = (self._facts(name, keys) for name in ("listings", "lines", "views"))
        facts = price_changes(
            listings, lines, views, currency=self._stores.currency, days=WINDOW_DAYS, until_ms=until_ms
        )
        found = [
            {
                **row,
                "old_price": row["old_price_minor"],
                "new_price": row["new_price_minor"],
                **{f"revenue_{side}": row[f"revenue_{side}_minor"] for side in _SIDES},
            }
            for row in self._run("seller_price_changes", until=until_ms // 1_000, days=WINDOW_DAYS)
        ]
        last_ms = until_ms - WINDOW_DAYS * DAY_MS
        left, right = ([row for row in each if row["changed_ms"] < last_ms] for each in (facts, found))
        return Sides(_table(left, PRICE, OF_PRICE), _table(right, PRICE, OF_PRICE))

    def pairs(self, keys: KeyFilter | None) -> Sides:
        """Read the pairs of all sellers from the query of the API."""
        rows = self._run("seller_bought_together", max_products=MAX_PRODUCTS, min_orders=MIN_ORDERS)
        found = [row for row in rows if row["product_a"]]
        return Sides(_table(self._pairs(keys), PAIR, OF_PAIR), _table(found, PAIR, OF_PAIR))

    def pairs_of_api(self, keys: KeyFilter | None) -> Sides:
        """Read what the API says about the pairs of some sellers with fewer than `LISTED` of them."""
        asked = sampled_sellers(self._stores, keys)
        query = {"from": "1971-01-02", "to": "2104-12-31", "limit": str(LISTED)}
        paths = (f"/v1/sellers/{in_path(id_)}/products/bought-together" for id_ in asked)
        found = list(self._stores.api.fetch([ApiRequest(path, query) for path in paths], pair_rows))
        by_seller: dict[str, list[Row]] = {seller_id: [] for seller_id in asked}
        for row in self._pairs(keys):
            if row["seller_id"] in asked:
                by_seller[row["seller_id"]].append(row)
        facts = [row for own in by_seller.values() if len(own) < LISTED for row in own]
        return Sides(_table(facts, PAIR, OF_PAIR), _table(found, PAIR, OF_PAIR))

    def _pairs(self, keys: KeyFilter | None) -> Iterator[Row]:
        return pairs(self._facts("lines", keys), min_orders=MIN_ORDERS, max_products=MAX_PRODUCTS)

    def _facts(self, query: str, keys: KeyFilter | None) -> list[Row]:
        found: list[Row] = self._stores.clickhouse.query(
            f"{NAME}/{query}", {"currency": self._stores.currency}, keys
        ).to_pylist()
        return found

    def _run(self, query: str, **parameters: int) -> list[Row]:
        """Run a query of the API for all sellers at once, over all time."""
        return rows_of_all_sellers(self._stores, query, **EVER, limit=_ALL, **parameters)


def _table(rows: Iterable[Row], key: tuple[str, ...], figures: tuple[str, ...]) -> pa.Table:
    return rows_table(rows, key, figures, {"seller_id", "product_id", "product_a", "product_b"})
