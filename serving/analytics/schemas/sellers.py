"""The response to a search for sellers."""

from typing import Annotated

from pydantic import Field
from typing_extensions import TypedDict

from serving.kit.response_types import Minor, Revenue


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
