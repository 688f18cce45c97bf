"""What the stock's addresses take and answer."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter
from typing_extensions import TypedDict

from common.ids import PRINTABLE
from producers.inventory.model import MOST_ON_HAND

MOST_PRODUCTS = 5_000
"""Of one list."""

Id = Annotated[str, Field(min_length=1, max_length=128, pattern=PRINTABLE)]
OnHand = Annotated[int, Field(ge=0, le=MOST_ON_HAND)]


class StockSent(BaseModel):
    """How many units a seller has now; units that orders hold stay held."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    seller_id: Id
    on_hand: OnHand


class StockOfProductSent(StockSent):
    """The same in a list."""

    product_id: Id


STOCK_SENT = TypeAdapter(StockSent)
STOCKS_SENT = TypeAdapter(Annotated[list[StockOfProductSent], Field(min_length=1, max_length=MOST_PRODUCTS)])


class StockShown(TypedDict):
    """The stock of a product of a seller; `available` is what can be bought."""

    product_id: Id
    seller_id: Id
    on_hand: OnHand
    reserved: int
    available: int
    version: int
