"""The stock of a product at a seller."""

from typing import Annotated

from pydantic import Field
from typing_extensions import TypedDict

from common.ids import Id
from serving.commerce.schemas.orders import FORBID_EXTRA_FIELDS

OnHand = Annotated[
    int,
    Field(
        ge=0, le=1_000_000, description="Units that the seller has, including reserved ones.", examples=[25]
    ),
]


SellerId = Annotated[Id, Field(examples=["seller-0001"])]
ProductId = Annotated[Id, Field(examples=["product-000001"])]


@FORBID_EXTRA_FIELDS
class StockUpdate(TypedDict):
    """The units of a product that a seller has now."""

    seller_id: SellerId
    on_hand: OnHand


@FORBID_EXTRA_FIELDS
class StockOfProduct(TypedDict):
    """The units that a seller has now, with the product."""

    product_id: ProductId
    seller_id: SellerId
    on_hand: OnHand


StockUpdates = Annotated[list[StockOfProduct], Field(min_length=1, max_length=5_000)]


class Stock(TypedDict):
    """The stock of a product at a seller. Units on hand that are not reserved can be bought."""

    product_id: ProductId
    seller_id: SellerId
    on_hand: OnHand
    reserved: Annotated[int, Field(description="Units on hand that are reserved for orders.")]
    available: Annotated[int, Field(description="`on_hand − reserved`.")]
    version: Annotated[int, Field(description="The number of changes so far. A higher version is newer.")]
