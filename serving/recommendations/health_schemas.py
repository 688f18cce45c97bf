"""The response of the route about the health of recommendations."""

from datetime import date
from typing import Annotated, Literal

from pydantic import Field
from typing_extensions import TypedDict

from serving.kit.response_types import AsOf, Period

Dimension = Literal["seller", "category", "price_band"]
Share = Annotated[float, Field(description="0 to 1.")]


class Lacking(TypedDict):
    """A reason for which a source did not answer."""

    reason: Annotated[str, Field(examples=["no_model"])]
    answers: Annotated[int, Field(description="The answers in which it kept at least one source away.")]
    share: Annotated[float, Field(description="Of all answers.")]


class AnswerFigures(TypedDict):
    """What was answered, whether or not anybody saw it."""

    answers: int
    clicked: Annotated[
        int,
        Field(description="The answers with a click, also if it is not known that they were seen: mails."),
    ]
    clicked_share: Annotated[float | None, Field(description="Of all answers.")]
    p50_ms: Annotated[
        float | None,
        Field(description="Time from the request until the list was chosen; null if it is not known."),
    ]
    p99_ms: float | None
    empty_share: Annotated[float | None, Field(description="Of all answers: those without any product.")]
    popular_only_share: Annotated[
        float | None,
        Field(
            description="Of the answers of live, trained and blend: those with popular products alone. What "
            "is popular in the visitor's categories is a source of the blend, and not meant."
        ),
    ]
    lacking: list[Lacking]


class ListFigures(TypedDict):
    """The lists that came into view. Robots, with over 1,000 lists on a day, are left out."""

    lists: int
    clicked: int
    click_rate: Annotated[float | None, Field(description="Clicked lists per list.")]
    diversity: Annotated[
        float | None,
        Field(description="Mean share of pairs of products of a list that differ in category."),
    ]
    largest_category: Annotated[
        float | None,
        Field(description="Mean share of the largest category in what a visitor was shown on a day."),
    ]


class ProductFigures(TypedDict):
    """The products of these lists that were on offer at the end of the period."""

    products: int
    coverage: Annotated[
        float | None, Field(description="`products` per product on offer; null if none was shown.")
    ]
    gini: Annotated[
        float | None,
        Field(description="Of exposure over all products on offer: 0 is equal, near 1 is one product."),
    ]
    popularity: Annotated[
        float | None,
        Field(description="Visits that viewed a product in the period, mean weighted by exposure."),
    ]
    popularity_lift: Annotated[
        float | None, Field(description="`popularity` relative to the catalogue's: 0.5 is 50 % more.")
    ]


class HealthFigures(TypedDict):
    """All figures of a day or of the whole period."""

    answered: AnswerFigures
    seen: ListFigures
    shown: ProductFigures


class HealthOfDay(HealthFigures):
    """The figures of a day of the shop's time zone."""

    day: date


class GroupShare(TypedDict):
    """A seller, a category or a price band: its share of exposure beside its share of the offers."""

    value: Annotated[
        str,
        Field(
            description="The seller's id, the category, or the band: 1 has the cheapest fifth of the offers, "
            "5 the dearest. Empty: no category, or no longer on offer."
        ),
    ]
    name: Annotated[str | None, Field(description="The seller's name, if it is known.")]
    exposure_share: Share
    catalogue_share: Share
    ratio: Annotated[
        float | None, Field(description="Exposure per catalogue share; null if the catalogue has none.")
    ]
    lowest_minor: Annotated[int | None, Field(description="The lowest price of these offers.")]
    highest_minor: int | None


class Groups(TypedDict):
    """The groups of a dimension, the most exposed first; `rest` has those beyond `top` together."""

    dimension: Dimension
    count: Annotated[int, Field(description="The number of groups.")]
    distance: Annotated[
        float,
        Field(description="The share of exposure that would have to move so that all ratios are 1."),
    ]
    gini: Annotated[float | None, Field(description="Of exposure over the groups.")]
    values: list[GroupShare]
    rest: GroupShare | None


class Catalogue(TypedDict):
    """The products on offer at the end of the period."""

    products: int
    popularity: Annotated[
        float | None, Field(description="Visits that viewed a product in the period, mean of all products.")
    ]


class HealthFilters(TypedDict):
    """What the figures are restricted to."""

    surface: str | None
    strategy: str | None
    experiment: str | None
    arm: str | None


class RecommendationHealth(TypedDict):
    """The health of recommendations in a period."""

    period: Period
    currency: str
    filters: HealthFilters
    catalogue: Catalogue
    total: HealthFigures
    days: list[HealthOfDay]
    groups: list[Groups]
    as_of: AsOf
