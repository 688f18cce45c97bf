"""What is on offer: a page of a search, one product, the categories, and how many are left."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from redis.asyncio import Redis

from serving.clickhouse import ClickHouse
from serving.problems import RedisUnavailable, UnknownProduct
from serving.products import Cards, ProductCard
from serving.redis_client import SOON_S
from serving.shop.schemas.products import Categories, Product, ProductInDetail, Products
from serving.shop.search import Place, Sort, words


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Reads listings from ClickHouse and availability from Redis, without which a product counts as there."""

    clickhouse: ClickHouse
    redis: Redis
    currency: str

    async def find(self, asked: str, category: str, sort: Sort, cursor: str | None, limit: int) -> Products:
        """A page of the products on offer in a category (empty: in all) that match what is asked.

        Raises:
            BadCursor: `cursor` is no `next_cursor` of ours.
        """
        after = Place.read(cursor) if cursor else Place()
        rows = await self.clickhouse.rows(
            "products_found",
            words=words(asked),
            category=category,
            sort=sort,
            currency=self.currency,
            after_rank=after.rank,
            after_key=after.key,
            after_id=after.product_id,
            limit=limit + 1,
        )
        shown = rows[:limit]
        last = shown[-1] if len(rows) > limit else None
        return {
            "found": int(rows[0]["found"]) if rows else 0,
            "products": await self._shaped(shown),
            "next_cursor": Place(int(last["rank"]), int(last["sort_key"]), last["product_id"]).write()
            if last
            else None,
        }

    async def product(self, product_id: str) -> ProductInDetail:
        """A product, also one that its seller took off.

        Raises:
            UnknownProduct: nobody ever listed it.
        """
        row = await self.clickhouse.row("product", product_id=product_id)
        if row is None:
            raise UnknownProduct(product_id)
        (shaped,) = await self._shaped([row])
        return {**shaped, "currency": row["currency"], "on_offer": bool(row["on_offer"])}

    async def categories(self) -> Categories:
        """The categories that have products on offer, the largest first."""
        rows = await self.clickhouse.rows("categories", currency=self.currency)
        return {
            "categories": [{"category": row["category"], "products": int(row["products"])} for row in rows]
        }

    async def seller_names(self, seller_ids: Iterable[str]) -> dict[str, str | None]:
        """What these sellers call themselves; those that nobody registered are left out."""
        asked = sorted(set(seller_ids))
        if not asked:
            return {}
        rows = await self.clickhouse.rows("names_of_sellers", seller_ids=asked)
        return {row["seller_id"]: row["name"] for row in rows}

    async def cards(self, product_ids: Iterable[str]) -> dict[str, ProductCard]:
        """What Redis knows of these products; nothing while it does not answer."""
        try:
            return await Cards(self.redis).read(product_ids, SOON_S)
        except RedisUnavailable:
            return {}

    async def _shaped(self, rows: list[dict[str, Any]]) -> list[Product]:
        names = await self.seller_names(row["seller_id"] for row in rows)
        cards = await self.cards(row["product_id"] for row in rows)
        return [_shaped(row, cards.get(row["product_id"]), names, self.currency) for row in rows]


def _shaped(
    row: dict[str, Any], card: ProductCard | None, names: dict[str, str | None], currency: str
) -> Product:
    available = card.available if card else None
    return {
        "product_id": row["product_id"],
        "name": row["name"],
        "category": row["category"],
        "seller_id": row["seller_id"],
        "seller_name": names.get(row["seller_id"]),
        "price_minor": int(row["price_minor"]),
        "currency": currency,
        "available": available,
        "sold_out": available is not None and available <= 0,
    }
