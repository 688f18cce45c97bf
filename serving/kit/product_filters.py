"""What products of a list must have besides its words, and the parameters of requests for it."""

from dataclasses import dataclass, replace
from typing import Annotated

from fastapi import Depends, Query

from common.ids import PRINTABLE, Id
from serving.kit.problems import UNUSABLE_PARAMETER

MAX_CHOSEN = 20
"""The largest number of values of attributes that a list is filtered by."""


@dataclass(frozen=True, slots=True)
class Filters:
    """What products must have besides the words of a search; an empty value stands for any.

    Prices are in minor units, inclusive. `attributes` has the wanted values of each attribute, of which a
    product has one.
    """

    category: str = ""
    seller_id: str = ""
    price_min: int | None = None
    price_max: int | None = None
    stars: int | None = None
    in_stock: bool = False
    attributes: tuple[tuple[str, tuple[str, ...]], ...] = ()

    @property
    def needs_index(self) -> bool:
        """Whether something besides the category is wanted: only the index knows that."""
        return replace(self, category="") != ANY


ANY = Filters()
"""The filters that leave every product."""

Price = Annotated[
    int | None,
    Query(
        ge=0,
        lt=2**53,
        description="In minor units of the shop's currency, inclusive: of any offer of a product.",
    ),
]


async def filters(
    seller: Annotated[Id | None, Query(description="Only products of this seller.")] = None,
    price_min: Price = None,
    price_max: Price = None,
    rating: Annotated[int | None, Query(ge=1, le=5, description="At least so many stars on average.")] = None,
    in_stock: Annotated[bool, Query(description="Only products of which a unit is in stock.")] = False,
    attribute: Annotated[
        list[Annotated[str, Query(max_length=300, pattern=PRINTABLE)]],
        Query(
            max_length=MAX_CHOSEN,
            description="An attribute and a value, such as `colour:blue`; may be repeated. A product has one "
            "of the values of each attribute. If variants differ in them, one variant has them all.",
        ),
    ] = [],  # noqa: B006 (FastAPI copies it)
) -> Filters:
    """Return what products must have besides the words and the category.

    Raises:
        UNUSABLE_PARAMETER: an attribute has no value.
    """
    chosen: dict[str, tuple[str, ...]] = {}
    for each in attribute:
        key, colon, value = each.partition(":")
        if not (key and colon and value):
            raise UNUSABLE_PARAMETER(detail=f"{each!r} is not an attribute and a value, such as colour:blue.")
        chosen[key] = (*chosen.get(key, ()), value)
    return Filters("", seller or "", price_min, price_max, rating, in_stock, tuple(sorted(chosen.items())))


FiltersDep = Annotated[Filters, Depends(filters)]
