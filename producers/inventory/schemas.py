"""Requests and responses of the stock endpoints."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter
from typing_extensions import TypedDict

from common.ids import Id
from producers.inventory.model import MAX_ON_HAND

MAX_PRODUCTS = 5_000
"""Limit of products in one request."""

OnHand = Annotated[int, Field(ge=0, le=MAX_ON_HAND)]


class StockRequest(BaseModel):
    """How many units a seller has now. Units that are reserved for orders stay reserved."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    seller_id: Id
    on_hand: OnHand


class ProductStockRequest(StockRequest):
    """How many units of one product a seller has now, as an entry of a list."""

    product_id: Id


STOCK_REQUEST = TypeAdapter(StockRequest)
STOCK_LIST_REQUEST = TypeAdapter(
    Annotated[list[ProductStockRequest], Field(min_length=1, max_length=MAX_PRODUCTS)]
)


class StockResponse(TypedDict):
    """A seller's stock of a product; `available` units can be bought."""

    product_id: Id
    seller_id: Id
    on_hand: OnHand
    reserved: int
    available: int
    version: int
