"""The responses with a seller's best products, and with popular products."""

from typing import Annotated, Literal

from pydantic import Field
from typing_extensions import TypedDict

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
