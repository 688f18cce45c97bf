"""Ranked lists: a seller's best products, popular products, and the sellers of a search."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, Literal

from pydantic import Field
from typing_extensions import TypedDict

from clickhouse.metric_catalogue.definition import Metric, read_catalogue
from clickhouse.metric_catalogue.queries import best_query
from serving.analytics.metric_figures import bounds
from serving.analytics.sales import show_period
from serving.kit.analytics_context import AnalyticsContext, PeriodRequest
from serving.kit.names import UNNAMED, ProductName
from serving.kit.rankings import HALF_LIFE_DAYS, Ranking, ranking
from serving.kit.response_types import AsOf, Minor, Period, Revenue, Stale

By = Literal["net_sales", "revenue", "units", "orders"]
"""The figure by which products are ranked; `revenue` is the former name of `net_sales`."""


class TopProduct(TypedDict):
    """One product of a seller in a period."""

    product_id: str
    name: str | None
    category: Annotated[str | None, Field(examples=["watches_gifts"])]
    orders: int
    units: int
    gross_minor: Minor
    revenue_minor: Revenue
    shipping_minor: Minor
    net_sales_minor: Minor


class TopProducts(TypedDict):
    """A seller's best products of a period."""

    seller_id: str
    currency: str
    by: By
    period: Period
    products: list[TopProduct]
    as_of: AsOf
    stale: Stale


class PopularProduct(TypedDict):
    """One product of a ranking."""

    rank: Annotated[int, Field(examples=[1])]
    product_id: str
    name: str | None
    category: str | None
    score: Annotated[
        float, Field(description="Recency-weighted units, relative to the first of the ranking (1.0).")
    ]


class PopularProducts(TypedDict):
    """The marketplace's most popular products right now."""

    ranking: Literal["popular", "trending"]
    half_life_days: Annotated[int, Field(description="The number of days after which a unit counts half.")]
    products: list[PopularProduct]


class SellerFound(TypedDict):
    """One seller in a search result."""

    seller_id: str
    name: str | None
    city: Annotated[str | None, Field(examples=["sao paulo"])]
    state: Annotated[str | None, Field(examples=["SP"])]
    orders: int
    revenue_minor: Revenue
    net_sales_minor: Annotated[Minor, Field(description="Net sales of all time.")]


class Sellers(TypedDict):
    """The sellers that match, best-selling first."""

    currency: str
    sellers: list[SellerFound]


def product(row: Mapping[str, Any], names: Mapping[str, ProductName]) -> TopProduct:
    """Return a product from its row of a split of sales by product."""
    name, category = names.get(row["value"], UNNAMED)
    net_sales = int(row["revenue"])
    return {
        "product_id": row["value"],
        "name": name,
        "category": category,
        "orders": int(row["orders"]),
        "units": int(row["units"]),
        "gross_minor": int(row["gross"]),
        "revenue_minor": net_sales,
        "shipping_minor": int(row["shipping"]),
        "net_sales_minor": net_sales,
    }


def popular(ranked: Sequence[tuple[str, float]], names: Mapping[str, ProductName]) -> list[PopularProduct]:
    """Return a ranking with the names and categories of its products."""
    products: list[PopularProduct] = []
    for rank, (product_id, score) in enumerate(ranked, 1):
        name, category = names.get(product_id, UNNAMED)
        products.append(
            {"rank": rank, "product_id": product_id, "name": name, "category": category, "score": score}
        )
    return products


def seller_found(row: Mapping[str, Any]) -> SellerFound:
    """Return a seller from its row of the query `sellers`."""
    return {
        "seller_id": row["seller_id"],
        "name": row["name"],
        "city": row["city"],
        "state": row["state"],
        "orders": int(row["orders"]),
        "revenue_minor": int(row["revenue_minor"]),
        "net_sales_minor": int(row["revenue_minor"]),
    }


PRODUCT_TABLES = ("product_sales_minute",)

_RANKED_BY: Mapping[By, str] = {
    "net_sales": "net_sales",
    "revenue": "net_sales",
    "units": "units",
    "orders": "orders",
}
_METRICS = ("net_sales", "units", "orders", "gross_sales", "shipping")
"""The metrics of the catalogue that a list of best products has."""


async def top_products(
    context: AnalyticsContext, seller_id: str, requested: PeriodRequest, by: By, limit: int
) -> TopProducts:
    """Return a seller's best products of a period."""
    as_of = await context.watermarks.as_of(PRODUCT_TABLES)
    period = await context.seller_period(seller_id, requested)
    rows = await context.clickhouse.rows_of_sql(
        "seller_products",
        products_sql(by),
        {"seller_id": seller_id, "currency": context.currency, **bounds(period), "top": limit},
    )
    await context.require_seller(seller_id, rows)
    names = await context.names.of_products([row["value"] for row in rows])
    return {
        "seller_id": seller_id,
        "currency": context.currency,
        "by": by,
        "period": show_period(period, context.zone),
        "products": [product(row, names) for row in rows],
        "as_of": context.local(as_of),
        "stale": False,
    }


@dataclass(frozen=True, slots=True)
class RankingsService:
    """Returns ranked lists, the best first."""

    context: AnalyticsContext

    async def popular(self, name: Ranking, n: int) -> PopularProducts:
        """Return the first `n` products of the ranking `name`."""
        ranked = await ranking(self.context.versions, name, n)
        names = await self.context.names.of_products([product_id for product_id, _ in ranked])
        return {
            "ranking": name,
            "half_life_days": HALF_LIFE_DAYS[name],
            "products": popular(ranked, names),
        }

    async def find_sellers(self, text: str, limit: int) -> Sellers:
        """Return sellers whose id starts with `text`, or whose state, name or city matches it."""
        rows = await self.context.clickhouse.rows(
            "sellers", asked=text.strip(), currency=self.context.currency, limit=limit
        )
        return {"currency": self.context.currency, "sellers": [seller_found(row) for row in rows]}

    async def busiest_shopper(self) -> str | None:
        """Return the registered shopper with the most orders on the last day; None if none has ordered."""
        rows = await self.context.clickhouse.rows("busiest_shopper")
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
