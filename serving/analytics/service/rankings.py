"""Returns ranked lists: a seller's best products, popular products, and the sellers of a search."""

from collections.abc import Mapping
from functools import cache

from clickhouse.metric_catalogue.definition import Metric, read_catalogue
from clickhouse.metric_catalogue.queries import best_query
from serving.analytics.presenters import products as presenter
from serving.analytics.presenters.sales import show_period
from serving.analytics.schemas.products import By, PopularProducts, TopProducts
from serving.analytics.schemas.sellers import Sellers
from serving.analytics.service.metric_figures import bounds
from serving.kit.analytics_context import AnalyticsContext, PeriodRequest
from serving.kit.clickhouse import Value
from serving.kit.rankings import HALF_LIFE_DAYS, Ranking, ranking

PRODUCT_TABLES = ("product_sales_minute",)

_RANKED_BY: Mapping[By, str] = {
    "net_sales": "net_sales",
    "revenue": "net_sales",
    "units": "units",
    "orders": "orders",
}
_METRICS = ("net_sales", "units", "orders", "gross_sales", "shipping")
"""The metrics of the catalogue that a list of best products has."""


class RankingsService:
    """Returns ranked lists, the best first."""

    def __init__(self, context: AnalyticsContext) -> None:
        self._context = context

    async def top_products(self, seller_id: str, requested: PeriodRequest, by: By, limit: int) -> TopProducts:
        """Return a seller's best products of a period."""
        as_of = await self._context.watermarks.as_of(PRODUCT_TABLES)
        period = await self._context.seller_period(seller_id, requested)
        parameters: dict[str, Value] = {
            "seller_id": seller_id,
            "currency": self._context.currency,
            **bounds(period),
            "top": limit,
        }
        rows = await self._context.clickhouse.rows_of_sql("seller_products", products_sql(by), parameters)
        await self._context.require_seller(seller_id, rows)
        names = await self._context.names.of_products([row["value"] for row in rows])
        return {
            "seller_id": seller_id,
            "currency": self._context.currency,
            "by": by,
            "period": show_period(period, self._context.zone),
            "products": [presenter.product(row, names) for row in rows],
            "as_of": self._context.local(as_of),
            "stale": False,
        }

    async def popular(self, name: Ranking, n: int) -> PopularProducts:
        """Return the first `n` products of the ranking `name`."""
        ranked = await ranking(self._context.versions, name, n)
        names = await self._context.names.of_products([product_id for product_id, _ in ranked])
        return {
            "ranking": name,
            "half_life_days": HALF_LIFE_DAYS[name],
            "products": presenter.popular(ranked, names),
        }

    async def find_sellers(self, text: str, limit: int) -> Sellers:
        """Return sellers whose id starts with `text`, or whose state, name or city matches it."""
        rows = await self._context.clickhouse.rows(
            "sellers", asked=text.strip(), currency=self._context.currency, limit=limit
        )
        return {"currency": self._context.currency, "sellers": [presenter.seller_found(row) for row in rows]}

    async def busiest_shopper(self) -> str | None:
        """Return the registered shopper with the most orders on the last day; None if none has ordered."""
        rows = await self._context.clickhouse.rows("busiest_shopper")
        return str(rows[0]["shopper_id"]) if rows else None


@cache
def products_sql(by: By) -> str:
    """Return the query of a seller's products, the best first."""
    catalogue = read_catalogue()
    first = _RANKED_BY[by]
    metrics: list[Metric] = [
        catalogue[name] for name in (first, *(each for each in _METRICS if each != first))
    ]
    return best_query(metrics, metrics[0].dimension("product"))
