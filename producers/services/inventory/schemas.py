"""Requests and responses of the stock endpoints."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field
from typing_extensions import TypedDict

from common.ids import Id
from producers.services.inventory.model import MAX_ON_HAND

MAX_PRODUCTS = 5_000
"""Limit of products in one request."""

SellerId = Annotated[Id, Field(examples=["seller-0001"])]
ProductId = Annotated[Id, Field(examples=["product-000001"])]
OnHand = Annotated[
    int,
    Field(
        ge=0,
        le=MAX_ON_HAND,
        description="Units that the seller has, including reserved ones.",
        examples=[25],
    ),
]


class StockUpdate(BaseModel):
    """The units of a product that a seller has now."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    seller_id: SellerId
    on_hand: OnHand


class StockOfProduct(StockUpdate):
    """The units that a seller has now, with the product."""

    product_id: ProductId


StockUpdates = Annotated[list[StockOfProduct], Field(min_length=1, max_length=MAX_PRODUCTS)]


class Stock(TypedDict):
    """The stock of a product at a seller. Units on hand that are not reserved can be bought."""

    product_id: ProductId
    seller_id: SellerId
    on_hand: OnHand
    reserved: Annotated[int, Field(description="Units on hand that are reserved for orders.")]
    available: Annotated[int, Field(description="`on_hand − reserved`.")]
    version: Annotated[int, Field(description="The number of changes so far. A higher version is newer.")]
