"""The responses of the recommendation routes."""

from typing import Annotated, Literal

from pydantic import Field
from typing_extensions import TypedDict

from serving.analytics.schemas.basics import AsOf, Minor


class Reason(TypedDict):
    """Why a product is recommended."""

    kind: Literal["similar", "category", "popular"]
    product_id: Annotated[str | None, Field(description="`similar`: the product that it goes with.")]
    category: Annotated[str | None, Field(description="`category`: the category in which it is popular.")]
    text: Annotated[str, Field(examples=["Because you looked at Desk lamp"])]


class Item(TypedDict):
    """A recommended product that is for sale."""

    product_id: str
    seller_id: str
    name: str | None
    category: str | None
    price_minor: Minor
    currency: str
    score: Annotated[float, Field(description="Comparable only among items of the same `kind`.")]
    reason: Reason


class Recommendations(TypedDict):
    """Products for a shopper or session, best first, without viewed, bought or unavailable ones."""

    recommendation_id: Annotated[
        str, Field(description="The id to send with `recommendation_shown`, clicks and views.")
    ]
    strategy: Annotated[
        str,
        Field(
            description="The recommender of the first item.",
            examples=["item_neighbours", "popular_in_category", "popular_products"],
        ),
    ]
    experiment: Annotated[
        str | None,
        Field(
            description="The experiment of the visitor, to send with `recommendation_shown`.", examples=[None]
        ),
    ]
    variant: Annotated[
        str | None, Field(description="Its arm, to send with `recommendation_shown`.", examples=[None])
    ]
    as_of: AsOf
    items: list[Item]


class SimilarProducts(TypedDict):
    """Products that go with a product, best first."""

    product_id: str
    strategy: str
    items: list[Item]
