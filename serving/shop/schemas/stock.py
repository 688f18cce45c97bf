"""What a seller has of a product."""

from typing import Annotated

from pydantic import Field
from typing_extensions import TypedDict

OnHand = Annotated[int, Field(ge=0, le=1_000_000, description="Units in the seller's hands.", examples=[25])]


class StockSet(TypedDict):
    """How many units a seller has now."""

    seller_id: Annotated[str, Field(min_length=1, max_length=128, examples=["seller-0001"])]
    on_hand: OnHand


class StockOfProduct(StockSet):
    """How many units of which product a seller has now."""

    product_id: Annotated[str, Field(min_length=1, max_length=128, examples=["product-000001"])]


class Stock(StockOfProduct):
    """The stock of a product; what is on hand and not reserved can be bought."""

    reserved: Annotated[int, Field(description="Of them, units held for orders.")]
    available: Annotated[int, Field(description="`on_hand − reserved`.")]
    version: Annotated[int, Field(description="Counts the changes; the highest is the current state.")]
