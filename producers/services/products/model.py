"""What a listing is, what a seller may say in one, and when it is on offer. Pure."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, AwareDatetime, Field, StringConstraints, model_validator
from typing_extensions import TypedDict

from common.access_policy import allow
from common.ids import PRINTABLE, Id
from common.problems import problem
from producers.kit.http.strict_request import StrictRequest
from producers.kit.listings import MAX_PRICE_MINOR
from producers.kit.tables.characters import without_accents
from producers.kit.text import require_visible
from schemas.codec import Record
from schemas.events import all_events
from schemas.product_categories import ProductAttribute, ProductCategory, with_ancestors

NAME = "products"

LIST = allow(
    "seller",
    "admin",
    "platform",
    traffic="write",
    staff=("owner", "manager"),
    seller_parameter="seller_id",
    scope="listings:write",
)
READ = allow("seller", "admin", traffic="read", seller_parameter="seller_id", scope="listings:read")

Status = Literal["draft", "listed", "delisted", "blocked"]
"""`draft` was never on offer. An administrator has taken off what is `blocked`: no seller can list it."""

Condition = Literal["new", "used", "refurbished"]

BlockReason = Literal["prohibited", "counterfeit", "misleading", "unsafe", "other"]
"""Why an administrator has taken a listing off."""

MAX_NAME_CHARS = 200
MAX_DESCRIPTION_CHARS = 5_000
MAX_VALUE_CHARS = 80
MAX_ATTRIBUTES = 30
MAX_VARIANTS = 100
MAX_PICTURES = 12
MAX_HANDLING_DAYS = 60
MAX_SIZE = 100_000

UNKNOWN_LISTING = problem(
    404,
    "unknown-listing",
    "Unknown listing",
    "Seller {seller_id} has no listing of product {product_id}. GET /v1/sellers/{seller_id}/listings has "
    "those that there are. Nothing was changed.",
)
UNKNOWN_PRODUCT_TO_OFFER = problem(
    404,
    "unknown-product",
    "Unknown product",
    "No product {product_id} was ever listed. List it as a product of your own. Nothing was saved.",
)
ALREADY_LISTED = problem(
    409,
    "already-listed",
    "You have a listing of it",
    "Seller {seller_id} has a listing of product {product_id} already. Change that one. Nothing was saved.",
)
CONTENTS_OF_OWNER = problem(
    409,
    "contents-of-owner",
    "Another seller describes this product",
    "The contents of product {product_id} are those of the seller who listed it first. Send only what your "
    "offer says to PUT /v1/sellers/{seller_id}/offers/{product_id}, or list a product of your own. Nothing "
    "was changed.",
)
CHANGED_SINCE = problem(
    409,
    "changed-since",
    "The listing has changed",
    "The listing of product {product_id} was changed after you had read it, by a file or by somebody else. "
    "Read it again, and send what shall be different now. Nothing was changed.",
)
SKU_TAKEN = problem(
    409,
    "sku-taken",
    "You have another listing with this SKU",
    "Your listing of product {product_id} has the SKU {sku!r}. A SKU names one listing of a seller. "
    "Nothing was saved.",
    members={"product_id": "product_id"},
)
UNKNOWN_CATEGORY = problem(
    422,
    "unknown-category",
    "Unknown category",
    "There is no category {category!r}. GET /v1/category_tree lists them. Nothing was saved.",
)
UNKNOWN_ATTRIBUTE = problem(
    422,
    "unknown-attribute",
    "Unknown attribute",
    "Products of the category {category!r} have no attribute {attribute!r}. They have: {known}. Nothing was "
    "saved.",
)
BAD_VARIANTS = problem(
    422,
    "bad-variants",
    "The variants can't be told apart",
    "{why} Give each variant its own values of: {known}. Nothing was saved.",
)
TOO_MANY_VARIANTS = problem(
    409,
    "too-many-variants",
    "The product has too many variants",
    f"Product {{product_id}} has {MAX_VARIANTS} variants, and may have no more. List another product. "
    "Nothing was saved.",
)
BLOCKED = problem(
    409,
    "blocked-listing",
    "The listing is blocked",
    "An administrator has taken product {product_id} off: {reason}. Ask the marketplace. Nothing was "
    "changed.",
)
SELLER_NOT_APPROVED = problem(
    409,
    "seller-not-approved",
    "The seller may not sell now",
    "Seller {seller_id} is not approved, or is suspended. Nothing was saved.",
)
CATEGORY_CYCLE = problem(
    409,
    "category-cycle",
    "A category can't be below itself",
    "The category {parent_id!r} is {category_id!r} itself, or below it. Choose another parent. Nothing "
    "was saved.",
)
CATEGORY_IN_USE = problem(
    409,
    "category-in-use",
    "The category is in use",
    "The category {category_id!r} has products or categories below it. Move them first. Nothing was changed.",
)

Name = Annotated[
    str,
    StringConstraints(max_length=MAX_NAME_CHARS, pattern=PRINTABLE),
    AfterValidator(require_visible),
]
Value = Annotated[
    str,
    StringConstraints(min_length=1, max_length=MAX_VALUE_CHARS, pattern=PRINTABLE),
    AfterValidator(require_visible),
]
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
"""The name of a picture: the digest of its content."""

Key = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
Language = Annotated[str, StringConstraints(pattern=r"^(en|pt_BR)$")]
Size = Annotated[int, Field(ge=0, le=MAX_SIZE)]
PriceMinor = Annotated[int, Field(ge=0, le=MAX_PRICE_MINOR, description="Price of one unit, in minor units.")]


def _texts(text: str) -> str:
    if any((ord(each) < 32 and each not in "\n\r\t") or each == "\x7f" for each in text):
        raise ValueError("must have no control characters besides line breaks and tabs")
    return text


class OfferTerms(StrictRequest):
    """What each seller of a product says of their own offer."""

    price_minor: PriceMinor
    status: Annotated[
        Literal["draft", "listed"], Field(description="A draft is not on offer. What was listed is no draft.")
    ] = "listed"
    condition: Condition = "new"
    handling_days: Annotated[
        int | None,
        Field(ge=0, le=MAX_HANDLING_DAYS, description="Working days until it is handed over, at most."),
    ] = None
    sku: Annotated[Name | None, Field(max_length=64, description="The seller's own number of it.")] = None


class Contents(StrictRequest):
    """What the seller who listed a product first says of it. Every text is kept as it is; markup is text."""

    name: Name
    category: Annotated[Id, Field(examples=["Lamps"])]
    description: Annotated[
        str, AfterValidator(_texts), Field(max_length=MAX_DESCRIPTION_CHARS, description="Plain text.")
    ] = ""
    attributes: Annotated[
        dict[Key, Value], Field(max_length=MAX_ATTRIBUTES, examples=[{"colour": "blue", "brand": "Aurora"}])
    ] = Field(default_factory=dict)
    pictures: Annotated[
        list[Sha256],
        Field(max_length=MAX_PICTURES, description="The SHA-256 of each picture, the first one first."),
    ] = Field(default_factory=list)
    weight_g: Size | None = None
    length_cm: Size | None = None
    height_cm: Size | None = None
    width_cm: Size | None = None


class ListingChange(Contents, OfferTerms):
    """A listing as its seller writes it anew."""


class VariantRequest(StrictRequest):
    """A variant of a new product: its own attributes, and what differs from the other fields."""

    attributes: Annotated[dict[Key, Value], Field(min_length=1, max_length=3)]
    price_minor: PriceMinor | None = None
    sku: Annotated[Name | None, Field(max_length=64)] = None
    pictures: Annotated[list[Sha256] | None, Field(max_length=MAX_PICTURES)] = None


class ListingRequest(ListingChange):
    """A new product, alone or with variants."""

    variants: Annotated[
        list[VariantRequest],
        Field(max_length=MAX_VARIANTS, description="Each variant is a product with an id of its own."),
    ] = Field(default_factory=list)
    variant_of: Annotated[
        Id | None, Field(description="A product of your own, of which this one is a further variant.")
    ] = None

    @model_validator(mode="after")
    def _has_one_kind_of_variants(self) -> Self:
        if self.variants and self.variant_of is not None:
            raise ValueError("variants and variant_of exclude each other")
        if self.variants and self.sku is not None:
            raise ValueError("sku: each variant has its own")
        return self


class OfferRequest(OfferTerms):
    """An offer of a product that another seller has listed."""

    product_id: Id


class PriceRequest(StrictRequest):
    """The price of a listing from now on."""

    price_minor: PriceMinor


class HolidayRequest(StrictRequest):
    """When a seller's offers are taken off. Without `until`, the seller ends the holiday."""

    since: AwareDatetime
    until: AwareDatetime | None = None

    @model_validator(mode="after")
    def _ends_after_it_begins(self) -> Self:
        if self.until is not None and self.until <= self.since:
            raise ValueError("until must be later than since")
        return self


class BlockRequest(StrictRequest):
    """Why an administrator takes a listing off."""

    reason: BlockReason


class CategoryRequest(StrictRequest):
    """A category of the tree."""

    names: Annotated[
        dict[Language, Name], Field(min_length=1, examples=[{"en": "Lamps", "pt_BR": "Luminárias"}])
    ]
    parent_id: Id | None = None
    attributes: Annotated[list[Key], Field(max_length=MAX_ATTRIBUTES)] = Field(default_factory=list)


class AttributeRequest(StrictRequest):
    """An attribute of products, and its usual values."""

    names: Annotated[dict[Language, Name], Field(min_length=1)]
    is_variant: bool = False
    values: Annotated[dict[Value, dict[Language, Name]], Field(max_length=500)] = Field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """An offer of a product by a seller.

    `on_offer` is false for what is listed by a seller who is on holiday, or may not sell. `owner_id` is the
    seller who listed the product first, and writes its contents.
    """

    product_id: str
    seller_id: str
    status: Status
    hidden: bool
    block_reason: str | None
    name: str | None
    category: str | None
    description: str | None
    group_id: str | None
    attributes: Mapping[str, str]
    currency: str
    price_minor: int
    condition: Condition
    handling_days: int | None
    sku: str | None
    pictures: Sequence[str]
    photos: int | None
    weight_g: int | None
    length_cm: int | None
    height_cm: int | None
    width_cm: int | None
    created_at: datetime
    changed_at: datetime
    owner_id: str | None = None

    @property
    def on_offer(self) -> bool:
        """Whether shoppers can buy it, if there is stock."""
        return self.status == "listed" and not self.hidden

    @property
    def plain(self) -> str:
        """The text in which a seller's list is searched."""
        return without_accents(" ".join(filter(None, (self.name, self.sku, self.product_id))))

    @property
    def said(self) -> dict[str, Any]:
        """The fields of the listing in its events."""
        return {name: getattr(self, name) for name in SAID}

    @property
    def contents(self) -> dict[str, Any]:
        """The fields that all offers of a product have in common; its owner writes them."""
        return {name: getattr(self, name) for name in CONTENTS}

    def differs_in(self, other: "Listing") -> list[str]:
        """Return the names of the fields of events in which two versions differ."""
        return [name for name in SAID if getattr(self, name) != getattr(other, name)]

    def next_moment(self, now: datetime) -> datetime:
        """Return the time of its next event: later than its last one by a millisecond at least."""
        return max(now, self.changed_at + timedelta(milliseconds=1))

    def next_status(self, wanted: Status) -> Status:
        """Return its status if its seller wants another one.

        What was on offer can't be a draft again, and a draft can't be taken off.
        """
        if self.status in ("listed", "delisted"):
            return "delisted" if wanted == "draft" else wanted
        return "draft" if wanted == "delisted" else wanted

    def with_terms(self, terms: OfferTerms) -> "Listing":
        """Return the listing with other terms."""
        said = {name: getattr(terms, name) for name in OfferTerms.model_fields}
        return replace(self, **said | {"status": self.next_status(terms.status)})

    def with_contents(self, contents: Contents) -> "Listing":
        """Return the listing with other contents; its group stays."""
        said = {name: getattr(contents, name) for name in Contents.model_fields}
        derived = {"description": contents.description or None, "photos": len(contents.pictures)}
        return replace(self, **said | derived)

    def changed_contents(self, after: "Listing") -> dict[str, Any]:
        """Return the contents of `after` in which it differs from this one."""
        return {name: value for name, value in after.contents.items() if value != getattr(self, name)}


SAID: tuple[str, ...] = tuple(
    field["name"]
    for field in all_events()["product_listed"].fields
    if field["name"] not in ("event_id", "occurred_at")
)
"""The fields of a listing that its events have."""

CONTENTS = (*Contents.model_fields, "group_id", "photos")
"""See `Listing.contents`."""


class Listings(TypedDict):
    """Listings of a seller. `next_cursor` continues; null at the end."""

    listings: list[Listing]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class Price:
    """The price of an offer from a time on."""

    since: datetime
    price_minor: int


@dataclass(frozen=True, slots=True)
class Holiday:
    """When a seller's offers are taken off; nulls without a holiday."""

    since: datetime | None
    until: datetime | None


class CategoryTree(TypedDict):
    """Categories, each after its parent, and the attributes that they name."""

    categories: list[ProductCategory]
    attributes: list[ProductAttribute]


def listing_of(event: Record) -> Listing:
    """Return the listing that a `product_listed` or a `product_changed` of a producer says."""
    return Listing(
        **{name: event[name] for name in SAID},
        status="listed",
        hidden=False,
        block_reason=None,
        created_at=event["occurred_at"],
        changed_at=event["occurred_at"],
    )


def new_listing(
    product_id: str, seller_id: str, currency: str, now: datetime, group_id: str | None
) -> Listing:
    """Return a draft of a new product, of which nothing is said yet."""
    nothing: dict[str, Any] = dict.fromkeys((*CONTENTS, "handling_days", "sku", "block_reason"))
    nothing |= {"attributes": {}, "pictures": [], "photos": 0, "group_id": group_id}
    return Listing(
        product_id=product_id,
        seller_id=seller_id,
        owner_id=seller_id,
        status="draft",
        hidden=False,
        currency=currency,
        price_minor=0,
        condition="new",
        created_at=now,
        changed_at=now,
        **nothing,
    )


def new_offer(offers: Sequence[Listing], seller_id: str, currency: str, now: datetime) -> Listing | None:
    """Return a draft of a seller's offer of a product that others offer, with the contents of its owner.

    It is None if no seller lists the product now. `offers` are all offers of it.
    """
    first = next((offer for offer in offers if offer.seller_id == offer.owner_id), None)
    if first is None or not any(offer.status == "listed" for offer in offers):
        return None
    blank = new_listing(first.product_id, seller_id, currency, now, first.group_id)
    return replace(blank, owner_id=first.owner_id, **first.contents)


def attributes_of(category: ProductCategory, categories: Mapping[str, ProductCategory]) -> list[str]:
    """Return the keys of the attributes of a category's products: its own, and those of what it is below."""
    above = with_ancestors(category.category_id, categories)
    return [
        *dict.fromkeys(key for each in above if each in categories for key in categories[each].attributes)
    ]


def check_contents(
    category_id: str,
    attributes: Collection[str],
    categories: Mapping[str, ProductCategory],
) -> list[str]:
    """Return the attributes that products of the category may have.

    Raises:
        UNKNOWN_CATEGORY: there is no such category.
        UNKNOWN_ATTRIBUTE: its products have no such attribute.
    """
    category = categories.get(category_id)
    if category is None:
        raise UNKNOWN_CATEGORY(category=category_id)
    known = attributes_of(category, categories)
    for attribute in attributes:
        if attribute not in known:
            raise UNKNOWN_ATTRIBUTE(
                category=category_id, attribute=attribute, known=", ".join(known) or "none"
            )
    return known


def variant_keys_of(keys: Iterable[str], attributes: Mapping[str, ProductAttribute]) -> list[str]:
    """Return those of the attributes that tell variants apart."""
    return [key for key in keys if key in attributes and attributes[key].is_variant]


def check_variants(variants: Sequence[Mapping[str, str]], variant_keys: Collection[str]) -> None:
    """Check that the variants of a product differ in attributes by which variants differ.

    `variants` are the attributes of each; `variant_keys` those of the category that tell variants apart.

    Raises:
        BAD_VARIANTS: one has none of them, or two have the same values.
    """
    known = ", ".join(variant_keys) or "(this category has no such attributes)"
    seen: set[frozenset[tuple[str, str]]] = set()
    for variant in variants:
        values = frozenset((key, value) for key, value in variant.items() if key in variant_keys)
        if not values:
            raise BAD_VARIANTS(why="A variant has no attribute that tells it apart.", known=known)
        if values in seen:
            raise BAD_VARIANTS(why="Two variants have the same attributes.", known=known)
        seen.add(values)


STORED = tuple(field.name for field in fields(Listing) if field.name != "owner_id")
"""The columns of a listing."""
