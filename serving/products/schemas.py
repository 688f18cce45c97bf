"""The response with one product and its offers."""

from typing import Annotated

from pydantic import Field
from typing_extensions import TypedDict

from serving.kit.product_lists import Product
from serving.kit.response_types import Minor


class ProductOffer(TypedDict):
    """One seller's offer of a product."""

    seller_id: Annotated[str, Field(examples=["seller-0001"])]
    seller_name: str | None
    price_minor: Minor
    currency: str
    available: Annotated[
        int | None, Field(description="Units of this seller; null if the stock was never counted.")
    ]
    sold_out: bool
    on_offer: Annotated[bool, Field(description="False once the seller has delisted the product.")]


class ProductInDetail(Product):
    """A product as its best offer shows it, and the offers of all its sellers."""

    on_offer: Annotated[bool, Field(description="Whether at least one seller offers it.")]
    offers: Annotated[
        list[ProductOffer],
        Field(
            description="Listed offers first, then those in stock, then by price. The first in the shop's "
            "currency is the best offer."
        ),
    ]
