"""The response with a personal list of products."""

from typing import Annotated

from pydantic import Field
from typing_extensions import TypedDict

from serving.kit.product_lists import Product
from serving.kit.response_types import AsOf
from serving.recommendations.schemas import AskedSource, ModelVersion, Reason


class PersonalProduct(Product):
    """A product of a list, and the product of the visitor from which its place follows most."""

    reason: Annotated[
        Reason | None,
        Field(description="Null if no product of the visitor is the main reason for its place."),
    ]


class PersonalProducts(TypedDict):
    """A page of a search or a category."""

    personalised: Annotated[
        bool,
        Field(
            description="Whether the order fits the visitor. If not, it is that of `/v1/products`, because "
            "the visitor has no history or belongs to the hold-out, or because Redis does not answer."
        ),
    ]
    model_version: ModelVersion
    as_of: AsOf
    parts: Annotated[list[AskedSource], Field(description="The sources that were asked, in this order.")]
    found: Annotated[int, Field(description="The number of products on all pages.")]
    products: list[PersonalProduct]
    next_cursor: Annotated[
        str | None, Field(description="The `cursor` of the next page; null on the last page.")
    ]
