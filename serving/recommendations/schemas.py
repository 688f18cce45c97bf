"""What recommendations look like."""

from typing import Annotated, Literal

from pydantic import Field
from typing_extensions import TypedDict

from serving.analytics.schemas.basics import AsOf, Minor


class Reason(TypedDict):
    """Why a product is there."""

    kind: Literal["similar", "category", "popular"]
    product_id: Annotated[str | None, Field(description="`similar`: the product that it goes with.")]
    category: Annotated[str | None, Field(description="`category`: where it is popular.")]
    text: Annotated[str, Field(examples=["Because you looked at Desk lamp"])]


class Item(TypedDict):
    """One product that is for sale."""

    product_id: str
    seller_id: str
    name: str | None
    category: str | None
    price_minor: Minor
    currency: str
    score: Annotated[float, Field(description="Comparable among the list's items of one `kind` only.")]
    reason: Reason


class Recommendations(TypedDict):
    """Products for one shopper or session, best first: none that they saw or bought, or that is gone."""

    recommendation_id: Annotated[
        str, Field(description="What `recommendation_shown`, clicks and views refer to.")
    ]
    strategy: Annotated[
        str,
        Field(
            description="What gave the first item.",
            examples=["item_neighbours", "popular_in_category", "popular_products"],
        ),
    ]
    as_of: AsOf
    items: list[Item]


class SimilarProducts(TypedDict):
    """Products that go with one, best first."""

    product_id: str
    strategy: str
    items: list[Item]
