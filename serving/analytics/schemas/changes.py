"""The response that explains why the sales of a seller changed."""

from typing import Annotated, Literal

from pydantic import Field
from typing_extensions import TypedDict

from serving.kit.response_types import AsOf, Minor, Period, Stale


class Compared(TypedDict):
    """A sum in both periods, and the difference."""

    value: Minor
    compared: Minor
    difference: Annotated[Minor, Field(description="`value − compared`.")]


class ChangeEffects(TypedDict):
    """The parts of a difference of net sales. They add up to it exactly."""

    new: Annotated[Minor, Field(description="Products whose first sale ever is after the compared period.")]
    gone: Annotated[
        Minor, Field(description="Products that were sold in the compared period only, and are delisted.")
    ]
    only_now: Annotated[
        Minor,
        Field(description="Products that were sold in the period and before the compared one only."),
    ]
    only_before: Annotated[
        Minor,
        Field(description="Products that were sold in the compared period only, and are still on offer."),
    ]
    price: Annotated[Minor, Field(description="Higher or lower average prices of products sold in both.")]
    quantity: Annotated[Minor, Field(description="More or fewer units, at the average price of all of them.")]
    mix: Annotated[Minor, Field(description="Units that moved to dearer or cheaper products.")]
    discounts: Annotated[Minor, Field(description="Larger or smaller discounts.")]
    cancellations: Annotated[Minor, Field(description="More or fewer cancellations.")]
    returns: Annotated[Minor, Field(description="More or fewer refunded returns.")]


class ChangeFactor(TypedDict):
    """One factor of gross sales: orders × units per order × average price of a unit."""

    name: Literal["orders", "units_per_order", "average_unit_price"]
    value: Annotated[
        float, Field(description="In the period; a price is in the smallest unit of `currency`.")
    ]
    compared: float
    effect: Annotated[Minor, Field(description="Its part of the difference of gross sales, by LMDI-I.")]


class ChangedPart(Compared):
    """The net sales of a product, or of a category."""

    id: Annotated[str, Field(description="The product or the category; empty without a category.")]
    label: Annotated[str | None, Field(description="The name of a product; else null.")]
    effects: ChangeEffects


class OtherParts(Compared):
    """All products or categories that are not listed, together."""

    count: int
    effects: ChangeEffects


class SalesChange(TypedDict):
    """Why the net sales of a seller differ between two periods."""

    seller_id: str
    currency: Annotated[str, Field(examples=["BRL"])]
    timezone: Annotated[str, Field(examples=["America/Sao_Paulo"])]
    period: Period
    compare: Literal["previous", "year"]
    compared_period: Annotated[
        Period,
        Field(description="If `period` is unfinished, only the corresponding part of the earlier one."),
    ]
    net_sales: Compared
    gross_sales: Compared
    effects: ChangeEffects
    factors: Annotated[
        list[ChangeFactor] | None,
        Field(
            description="The effects add up to the difference of gross sales. Null if nothing was sold in "
            "one of the periods."
        ),
    ]
    products: Annotated[list[ChangedPart], Field(description="The largest differences first, up or down.")]
    other_products: OtherParts | None
    categories: list[ChangedPart]
    other_categories: OtherParts | None
    as_of: AsOf
    stale: Stale
