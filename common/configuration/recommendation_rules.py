"""The settings of the shop's rules for recommendations: boosts, pins, blocks, sponsored products, limits.

The lists have entries with dates. `serving/recommendations/rules/` says what each setting does, and applies
those that are valid at the time of a request.
"""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, TypeAdapter, model_validator

from common.configuration.setting import CountSetting, ListSetting, NumberSetting, Setting

MAX_ENTRIES = 200
"""The largest number of entries in a list."""

LONGEST_LIST = 50
"""The largest number of products that a request for recommendations may ask for."""

LONGEST_TIME = timedelta(days=366)
"""The longest time between the dates of an entry. Nothing stays in force because it was forgotten."""

Target = Literal["product", "seller", "category"]
Surface = Literal["any", "home", "product", "cart"]
"""The page on which an entry applies, as the parameter `context` of recommendations names it."""


def _is_printable(text: str) -> str:
    if not text.isprintable() or text.strip() != text:
        raise ValueError("must be one line of text without blanks around it")
    return text


def _in_utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC)


Name = Annotated[str, Field(min_length=1, max_length=128), AfterValidator(_is_printable)]
Moment = Annotated[AwareDatetime, AfterValidator(_in_utc)]
Place = Annotated[int, Field(ge=1, le=LONGEST_LIST)]
"""A place in a list: 1 is the first."""


class _Dated(BaseModel):
    """An entry that applies from one moment until before another."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    surface: Surface = "any"
    start: Moment = Field(alias="from")
    until: Moment

    @model_validator(mode="after")
    def _ends_after_it_starts(self) -> Self:
        if not self.start < self.until <= self.start + LONGEST_TIME:
            raise ValueError(f"`until` must be later than `from`, and at most {LONGEST_TIME.days} days later")
        return self


class Block(_Dated):
    """Products that are never recommended: one, those of a seller, or those of a category."""

    target: Target
    id: Name


class Boost(Block):
    """Products whose place in a ranking is divided by `factor`; a factor below 1 moves them down."""

    factor: Annotated[float, Field(ge=0.1, le=10)]


class Pin(Block):
    """The product, or the best-ranked product of a seller or category, at a fixed place of a list."""

    place: Place


class SponsoredProduct(_Dated):
    """A product for whose place in lists somebody pays."""

    product_id: Name


def _list_of(entry: Any) -> TypeAdapter[Any]:
    return TypeAdapter(Annotated[list[entry], Field(max_length=MAX_ENTRIES)])


_DATES = (
    "`from` and `until` (times with a time zone, at most 366 days apart), and, if it is not for all pages, "
    "`surface` (home, product or cart)"
)
_TARGET = "`target` (product, seller or category), `id`"

BOOSTS = ListSetting(
    "recommendation_boosts",
    [],
    "Products, sellers and categories that recommendations show higher or lower.",
    "entries",
    schema=_list_of(Boost),
    takes=f"a list of at most {MAX_ENTRIES} boosts, each with {_TARGET}, `factor` (0.1 to 10), {_DATES}",
)
PINS = ListSetting(
    "recommendation_pins",
    [],
    "Products, sellers and categories with a fixed place in recommendations.",
    "entries",
    schema=_list_of(Pin),
    takes=f"a list of at most {MAX_ENTRIES} pins, each with {_TARGET}, "
    f"`place` (1 to {LONGEST_LIST}), {_DATES}",
)
BLOCKS = ListSetting(
    "recommendation_blocks",
    [],
    "Products, sellers and categories that are not recommended.",
    "entries",
    schema=_list_of(Block),
    takes=f"a list of at most {MAX_ENTRIES} blocks, each with {_TARGET}, {_DATES}",
)
SPONSORED = ListSetting(
    "recommendation_sponsored",
    [],
    "Products for whose place in recommendations somebody pays.",
    "entries",
    schema=_list_of(SponsoredProduct),
    takes=f"a list of at most {MAX_ENTRIES} products, each with `product_id`, {_DATES}",
)
SPONSORED_PLACES = ListSetting(
    "recommendation_sponsored_places",
    [4, 10],
    "Places of a list of recommendations that sponsored products may have.",
    "entries",
    schema=_list_of(Place),
    takes=f"a list of places, each a whole number from 1 to {LONGEST_LIST}",
)
MAX_SPONSORED = CountSetting(
    "recommendation_max_sponsored",
    2,
    "How many products of one list of recommendations may be sponsored.",
    "products",
    minimum=0,
    maximum=LONGEST_LIST,
)
MAX_PER_SELLER = CountSetting(
    "recommendation_max_per_seller",
    25,
    "How many products of one list of recommendations may be of the same seller.",
    "products",
    minimum=1,
    maximum=LONGEST_LIST,
)
MAX_PER_CATEGORY = CountSetting(
    "recommendation_max_per_category",
    25,
    "How many products of one list of recommendations may be of the same category.",
    "products",
    minimum=1,
    maximum=LONGEST_LIST,
)
RESTRICTED_CATEGORIES = ListSetting(
    "recommendation_restricted_categories",
    ["adult", "alcohol", "tobacco", "weapons"],
    "Categories that are recommended only on pages of their own products.",
    "entries",
    schema=_list_of(Name),
    takes=f"a list of at most {MAX_ENTRIES} categories",
)
CONSUMABLE_CATEGORIES = ListSetting(
    "recommendation_consumable_categories",
    [],
    "Categories whose products are bought again and may be recommended again.",
    "entries",
    schema=_list_of(Name),
    takes=f"a list of at most {MAX_ENTRIES} categories",
)
REPURCHASE_DAYS = CountSetting(
    "recommendation_repurchase_days",
    30,
    "Days after a purchase until a consumable product is recommended again.",
    "days",
    minimum=1,
    maximum=365,
)
EXPOSURE_SHARE = NumberSetting(
    "recommendation_exposure_share",
    0.1,
    "Share of the places of recommendations that are drawn for new products and small sellers.",
    minimum=0,
    maximum=0.5,
)
NEW_PRODUCT_DAYS = CountSetting(
    "recommendation_new_product_days",
    14,
    "Days after its listing for which a product counts as new in recommendations.",
    "days",
    minimum=0,
    maximum=365,
)
SMALL_SELLER_UNITS = CountSetting(
    "recommendation_small_seller_units",
    20,
    "A seller that sold at most so many units in 30 days counts as small in recommendations.",
    "units",
    minimum=0,
    maximum=1_000_000,
)

RECOMMENDATION_RULES: tuple[Setting[Any], ...] = (
    BOOSTS,
    PINS,
    BLOCKS,
    SPONSORED,
    SPONSORED_PLACES,
    MAX_SPONSORED,
    MAX_PER_SELLER,
    MAX_PER_CATEGORY,
    RESTRICTED_CATEGORIES,
    CONSUMABLE_CATEGORIES,
    REPURCHASE_DAYS,
    EXPOSURE_SHARE,
    NEW_PRODUCT_DAYS,
    SMALL_SELLER_UNITS,
)
"""All settings of the rules."""
