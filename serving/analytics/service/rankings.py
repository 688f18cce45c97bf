"""Who and what comes first: a seller's best products, what is popular, and the sellers of a search."""

import unicodedata
from typing import Literal

from serving.analytics import products as shape
from serving.analytics.popular import HALF_LIFE_DAYS, Ranking, ranking
from serving.analytics.sales import show_period
from serving.analytics.schemas.products import PopularProducts, TopProducts
from serving.analytics.schemas.sellers import Sellers
from serving.analytics.service.shop import Asked, Shop

PRODUCT_TABLES = ("product_sales_minute",)


class RankingsService:
    """Lists with the best first."""

    def __init__(self, shop: Shop) -> None:
        self._shop = shop

    async def top_products(
        self, seller_id: str, asked: Asked, by: Literal["revenue", "units", "orders"], limit: int
    ) -> TopProducts:
        """A seller's best products of a period."""
        as_of = await self._shop.progress.as_of(PRODUCT_TABLES)
        period = await self._shop.sellers_period(seller_id, asked)
        rows = await self._shop.clickhouse.rows(
            "seller_products",
            seller_id=seller_id,
            currency=self._shop.currency,
            period_start=period.start,
            period_end=period.end,
            by=by,
            limit=limit,
        )
        await self._shop.check(seller_id, rows)
        listings = await self._shop.listings([row["product_id"] for row in rows])
        return {
            "seller_id": seller_id,
            "currency": self._shop.currency,
            "by": by,
            "period": show_period(period, self._shop.zone),
            "products": [shape.product(row, listings) for row in rows],
            "as_of": self._shop.local(as_of),
        }

    async def popular(self, name: Ranking, n: int) -> PopularProducts:
        """The marketplace's ranking of that name."""
        ranked = await ranking(self._shop.redis, name, n)
        listings = await self._shop.listings([product_id for product_id, _ in ranked])
        return {
            "ranking": name,
            "half_life_days": HALF_LIFE_DAYS[name],
            "products": shape.popular(ranked, listings),
        }

    async def find_sellers(self, asked: str, limit: int) -> Sellers:
        """Sellers whose id begins with, whose state is, or whose name or city holds `asked`."""
        decomposed = unicodedata.normalize("NFD", asked.strip().lower())
        plain = "".join(letter for letter in decomposed if not unicodedata.combining(letter))
        rows = await self._shop.clickhouse.rows(
            "sellers", asked=plain, currency=self._shop.currency, limit=limit
        )
        return {"currency": self._shop.currency, "sellers": [shape.seller_found(row) for row in rows]}
