"""The responses of the recommendation routes."""

from typing import Annotated, Literal, NotRequired

from pydantic import Field
from typing_extensions import TypedDict

from serving.kit.response_types import AsOf, Minor
from serving.recommendations.proposal import Kind
from serving.recommendations.rules.context import Change, RuleName

KindOfRule = Literal["pinned", "sponsored", "discovery"]
"""The reasons of products that a rule of the shop has inserted."""


class Reason(TypedDict):
    """Why a product is recommended."""

    kind: Literal[Kind, KindOfRule]
    product_id: Annotated[
        str | None,
        Field(
            description="`similar`: the product that it goes with; `content`: the product that it is like; "
            "`again`, `new`, `cheaper` and `back`: the product itself."
        ),
    ]
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
    score: Annotated[float, Field(description="Comparable only among items of the same `sources`.")]
    sources: Annotated[
        dict[str, float],
        Field(
            description="The sources that propose it, each with its score relative to that of its best.",
            examples=[{"item_neighbours": 0.81, "trained_neighbours": 0.4}],
        ),
    ]
    sponsored: Annotated[bool, Field(description="Whether somebody pays for this place.")]
    reason: Reason


class RuleEffect(TypedDict):
    """What a rule of the shop did to a list."""

    rule: RuleName
    change: Change
    id: Annotated[str, Field(description="A product, or the seller or category of a pin.")]


class AskedSource(TypedDict):
    """A source of products that was asked."""

    source: Annotated[str, Field(examples=["trained_neighbours"])]
    answered: bool
    reason: Annotated[
        Literal[
            "no_model",
            "loading",
            "incomplete",
            "damaged",
            "other_catalogue",
            "no_history",
            "no_candidates",
            "no_redis",
        ]
        | None,
        Field(
            description="Why it did not answer: no model is published; the model is being read, lacks "
            "values, is damaged, or is of another shop; the visitor has no history; nothing was found; or "
            "Redis does not answer, so that the list has the popular products that were read last."
        ),
    ]


ModelVersion = Annotated[
    str | None,
    Field(
        description="The version of the trained model, if it proposed products.", examples=["20261127T030000"]
    ),
]


class Recommendations(TypedDict):
    """Products for a shopper or session, best first, without viewed, bought or unavailable ones."""

    recommendation_id: Annotated[
        str, Field(description="The id to send with `recommendation_shown`, clicks and views.")
    ]
    strategy: Annotated[
        Literal["live", "trained", "blend", "popular"],
        Field(
            description="What was blended. `live`: what others viewed together until a moment ago. "
            "`trained`: the trained model. `blend`: both, and popular products of the visitor's categories. "
            "`popular` blends nothing: the list has popular products."
        ),
    ]
    model_version: ModelVersion
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
    parts: Annotated[list[AskedSource], Field(description="The sources that were asked, in this order.")]
    items: list[Item]
    rules: NotRequired[Annotated[list[RuleEffect], Field(description="With `explain` only.")]]


class TitledRow(TypedDict):
    """Products for one reason, which the title says."""

    row: Annotated[str, Field(description="The name of the row.", examples=["because_looked"])]
    title: Annotated[str, Field(examples=["Because you looked at Desk lamp"])]
    name: Annotated[str | None, Field(description="The product or category that the title names.")]
    recommendation_id: Annotated[
        str, Field(description="The id to send with `recommendation_shown`, clicks and views.")
    ]
    strategy: Annotated[
        str,
        Field(description="The name of the row, to send with `recommendation_shown`: figures are by row."),
    ]
    model_version: ModelVersion
    parts: Annotated[list[AskedSource], Field(description="The sources that were asked, in this order.")]
    items: list[Item]


class TitledRows(TypedDict):
    """The titled rows of a page. No product is in two of them."""

    page: Literal["home", "cart", "order", "email"]
    as_of: AsOf
    rows: list[TitledRow]


class SimilarProducts(TypedDict):
    """Products that go with a product, best first."""

    product_id: str
    strategy: Literal["similar_products"]
    model_version: ModelVersion
    items: list[Item]
