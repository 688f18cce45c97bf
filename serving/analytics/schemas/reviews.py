"""The response with a seller's reviews."""

from typing import Annotated, Literal

from pydantic import Field
from typing_extensions import TypedDict

from serving.kit.response_types import AsOf, Moment, Period, Stale


_TEXT = (
    "Null unless it is published, and of reviews that were written in the shop: `published_reviews` has their "
    "texts."
)


class Review(TypedDict):
    """A review of the seller, or of a product of theirs. It does not say who wrote it."""

    review_id: str
    order_id: str
    written_at: Annotated[Moment, Field(description="To the minute.")]
    score: Annotated[int, Field(ge=1, le=5, description="1 (worst) to 5 (best).")]
    product_id: Annotated[str | None, Field(description="Null if it is about no single product.")]
    label: Annotated[str | None, Field(description="The name of the product.")]
    status: Annotated[
        Literal["submitted", "published", "rejected"], Field(description="Whether everybody may read it.")
    ]
    title: Annotated[str | None, Field(description=_TEXT)]
    comment: Annotated[str | None, Field(description=_TEXT)]
    reply: Annotated[
        str | None, Field(description="What the seller answered in public. Null unless it is published.")
    ]


class Reviews(TypedDict):
    """A page of a seller's reviews, the newest first."""

    seller_id: str
    period: Period
    reviews: list[Review]
    next_cursor: Annotated[
        str | None, Field(description="The `cursor` of the next page; null on the last page.")
    ]
    as_of: AsOf
    stale: Stale
