"""The cart of a browser: its products, its lines at current prices, and what prevents a checkout. Pure."""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import unquote

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from common.ids import Id
from serving.kit.offers import Offer, offer_of

MAX_LINES = 100
MAX_UNITS = 999

CART_COOKIE = "souk_cart"
"""The products in the browser's cart, percent-encoded and separated by commas (`static/shop/storage.js`)."""

_ID: TypeAdapter[str] = TypeAdapter(Id)


def products_in(cookie: str) -> list[str]:
    """Return the products of `CART_COOKIE`. An empty cart has no cookie."""
    found = []
    for each in cookie.split(",")[:MAX_LINES]:
        with suppress(ValidationError):
            found.append(_ID.validate_python(unquote(each)))
    return found


class StoredCartLine(BaseModel):
    """One line as the browser stores it, with the price at the time it was added."""

    model_config = ConfigDict(extra="ignore")

    product_id: Id
    seller_id: Id | None = None
    quantity: Annotated[int, Field(ge=1, le=MAX_UNITS)]
    unit_price_minor: Annotated[int, Field(ge=0)] | None = None
    name: Annotated[str | None, Field(max_length=400)] = None
    category: Annotated[str | None, Field(max_length=200)] = None


class StoredCart(BaseModel):
    """A cart as the browser stores it."""

    lines: Annotated[list[StoredCartLine], Field(max_length=MAX_LINES)]


@dataclass(frozen=True, slots=True)
class CartLine:
    """One line at the current price. `on_offer` is false if no seller offers the product."""

    product_id: str
    name: str | None
    category: str | None
    quantity: int
    price_minor: int
    was_minor: int | None
    available: int | None
    on_offer: bool

    @property
    def sold_out(self) -> bool:
        """Whether no unit is left in stock."""
        return self.on_offer and self.available is not None and self.available <= 0

    @property
    def too_many(self) -> bool:
        """Whether the stock is less than the quantity."""
        return (
            self.on_offer
            and not self.sold_out
            and self.available is not None
            and self.available < self.quantity
        )

    @property
    def can_be_bought(self) -> bool:
        """Whether the line can be bought as it is."""
        return self.on_offer and not self.sold_out and not self.too_many

    @property
    def total_minor(self) -> int:
        """Price times quantity."""
        return self.price_minor * self.quantity


@dataclass(frozen=True, slots=True)
class CartParcel:
    """The lines of one seller."""

    seller_id: str | None
    seller_name: str | None
    lines: list[CartLine]

    @property
    def total_minor(self) -> int:
        """The total of the lines that can be bought."""
        return sum(line.total_minor for line in self.lines if line.can_be_bought)


@dataclass(frozen=True, slots=True)
class Cart:
    """All parcels of a cart. Lines that no seller offers any more come last."""

    parcels: list[CartParcel]

    @property
    def units(self) -> int:
        """The units that can be bought."""
        return sum(line.quantity for parcel in self.parcels for line in parcel.lines if line.can_be_bought)

    @property
    def total_minor(self) -> int:
        """The price of these units."""
        return sum(parcel.total_minor for parcel in self.parcels)

    @property
    def can_be_bought(self) -> bool:
        """Whether every line can be bought."""
        return self.units > 0 and all(line.can_be_bought for parcel in self.parcels for line in parcel.lines)


def price_cart(
    stored: Iterable[StoredCartLine],
    offers: Mapping[str, Iterable[Offer]],
    sellers: Mapping[str, str | None],
    currency: str,
) -> Cart:
    """Return the cart at current prices, split by seller.

    A line stays with the seller that it was added from. If this seller no longer offers the product, the line
    moves to the seller that the product card shows. A product in another currency is not on offer.
    """
    parcels: dict[str | None, list[CartLine]] = {}
    for line in stored:
        listed = [one for one in offers.get(line.product_id, ()) if one.listed and one.currency == currency]
        offer = offer_of(listed, line.seller_id)
        parcels.setdefault(offer.seller_id if offer else None, []).append(_line(line, offer))
    ordered = sorted(parcels.items(), key=lambda parcel: parcel[0] is None)
    return Cart([CartParcel(seller, sellers.get(seller or ""), lines) for seller, lines in ordered])


def _line(stored: StoredCartLine, offer: Offer | None) -> CartLine:
    price = offer.price_minor if offer else stored.unit_price_minor or 0
    return CartLine(
        product_id=stored.product_id,
        name=offer.name if offer else stored.name,
        category=offer.category if offer else stored.category,
        quantity=stored.quantity,
        price_minor=price,
        was_minor=stored.unit_price_minor if stored.unit_price_minor not in (None, price) else None,
        available=offer.available if offer else None,
        on_offer=offer is not None,
    )
