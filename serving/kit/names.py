"""Reads the names of products and sellers, which lists of figures and of products show."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from serving.kit.cache.completeness import mark_incomplete
from serving.kit.clickhouse import ClickHouseQueries
from serving.kit.live_versions import LiveVersions
from serving.kit.problems import ClickHouseUnavailable
from serving.kit.product_cards import read_known_cards

SellerNames = Mapping[str, str | None]
"""seller_id → the seller's name; None if the seller registered without one."""


class ProductName(NamedTuple):
    """A product's name and category; each is None if the listing has none."""

    name: str | None
    category: str | None


UNNAMED = ProductName(None, None)


@dataclass(frozen=True, slots=True)
class Names:
    """The names of products and sellers."""

    clickhouse: ClickHouseQueries
    versions: LiveVersions

    async def of_products(self, product_ids: Sequence[str]) -> dict[str, ProductName]:
        """Return the names and categories of these products; products without a listing are left out.

        Redis is read first, because a ClickHouse query costs 10 ms of CPU. The rest is read from ClickHouse;
        while it does not answer, the rest has no names.
        """
        cards = await read_known_cards(self.versions, product_ids)
        names = {product_id: ProductName(card.name, card.category) for product_id, card in cards.items()}
        if missing := [product_id for product_id in product_ids if product_id not in names]:
            try:
                rows = await self.clickhouse.rows("products", product_ids=missing)
            except ClickHouseUnavailable:
                mark_incomplete()
                return names
            names |= {row["product_id"]: ProductName(row["name"], row["category"]) for row in rows}
        return names

    async def of_sellers(self, seller_ids: Iterable[str]) -> SellerNames:
        """Return the names of these sellers, without those that never registered.

        While ClickHouse does not answer, no name is known.
        """
        ids = sorted(set(seller_ids))
        if not ids:
            return {}
        try:
            rows = await self.clickhouse.rows("names_of_sellers", seller_ids=ids)
        except ClickHouseUnavailable:
            mark_incomplete()
            return {}
        return {row["seller_id"]: row["name"] for row in rows}
