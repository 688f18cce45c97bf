"""The answer of a search for sellers."""

from typing import Annotated

from pydantic import Field
from typing_extensions import TypedDict

from serving.analytics.schemas.basics import Minor


class SellerFound(TypedDict):
    """One seller of a search."""

    seller_id: str
    name: str | None
    city: Annotated[str | None, Field(examples=["sao paulo"])]
    state: Annotated[str | None, Field(examples=["SP"])]
    orders: int
    revenue_minor: Minor


class Sellers(TypedDict):
    """Sellers that match, best-selling first."""

    currency: str
    sellers: list[SellerFound]
