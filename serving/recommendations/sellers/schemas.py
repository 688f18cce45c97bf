"""The response with sellers to follow."""

from typing import Annotated

from pydantic import Field
from typing_extensions import TypedDict

from serving.kit.response_types import AsOf
from serving.recommendations.schemas import AskedSource, ModelVersion, Reason


class SellerProduct(TypedDict):
    """A product of the seller that fits the visitor and is for sale."""

    product_id: str
    name: str | None
    category: str | None


class SellerToFollow(TypedDict):
    """A seller whom the visitor does not follow."""

    seller_id: Annotated[str, Field(examples=["seller-0001"])]
    seller_name: str | None
    score: Annotated[float, Field(description="Relative to that of the first seller, from 0 to 1.")]
    reason: Annotated[Reason, Field(description="The product of the visitor that contributed most.")]
    products: list[SellerProduct]


class SellersToFollow(TypedDict):
    """Sellers to follow, best first."""

    model_version: ModelVersion
    as_of: AsOf
    parts: Annotated[list[AskedSource], Field(description="The sources that were asked, in this order.")]
    sellers: list[SellerToFollow]
