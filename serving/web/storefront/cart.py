"""A cart as it stands now: lines at today's prices, by seller, and what keeps it from being bought. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from common.ids import PRINTABLE
from serving.products import ProductCard

MOST_LINES = 100
MOST_UNITS = 999


class LineKept(BaseModel):
    """One line as the browser kept it, with the price that was shown when it was put in."""

    model_config = ConfigDict(extra="ignore")

    product_id: Annotated[str, Field(min_length=1, max_length=128, pattern=PRINTABLE)]
    quantity: Annotated[int, Field(ge=1, le=MOST_UNITS)]
    unit_price_minor: Annotated[int, Field(ge=0)] | None = None
    name: Annotated[str | None, Field(max_length=400)] = None
    category: Annotated[str | None, Field(max_length=200)] = None


class CartKept(BaseModel):
    """A cart as the browser kept it."""

    lines: Annotated[list[LineKept], Field(max_length=MOST_LINES)]


@dataclass(frozen=True, slots=True)
class Line:
    """One line as it can be bought now; without a card the product is not on offer."""

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
        """Whether none is left."""
        return self.on_offer and self.available is not None and self.available <= 0

    @property
    def too_many(self) -> bool:
        """Whether fewer are left than are wanted."""
        return (
            self.on_offer
            and not self.sold_out
            and self.available is not None
            and self.available < self.quantity
        )

    @property
    def can_be_bought(self) -> bool:
        """Whether nothing stands in its way."""
        return self.on_offer and not self.sold_out and not self.too_many

    @property
    def total_minor(self) -> int:
        """Price times quantity."""
        return self.price_minor * self.quantity


@dataclass(frozen=True, slots=True)
class Parcel:
    """What comes from one seller."""

    seller_id: str | None
    seller_name: str | None
    lines: list[Line]

    @property
    def total_minor(self) -> int:
        """What of it can be bought."""
        return sum(line.total_minor for line in self.lines if line.can_be_bought)


@dataclass(frozen=True, slots=True)
class Cart:
    """All parcels of a cart; those that nobody offers any more come last."""

    parcels: list[Parcel]

    @property
    def units(self) -> int:
        """Pieces that can be bought."""
        return sum(line.quantity for parcel in self.parcels for line in parcel.lines if line.can_be_bought)

    @property
    def total_minor(self) -> int:
        """What they cost."""
        return sum(parcel.total_minor for parcel in self.parcels)

    @property
    def can_be_bought(self) -> bool:
        """Whether every line can."""
        return self.units > 0 and all(line.can_be_bought for parcel in self.parcels for line in parcel.lines)


def seller_of(card: ProductCard | None) -> str | None:
    """Who sells it; None when it is not on offer."""
    return card.seller_id if card and card.listed else None


def cart(
    kept: Iterable[LineKept],
    cards: Mapping[str, ProductCard],
    sellers: Mapping[str, str | None],
    currency: str,
) -> Cart:
    """The cart at today's prices. What is sold in another currency than the shop's is not on offer."""
    parcels: dict[str | None, list[Line]] = {}
    for line in kept:
        card = cards.get(line.product_id)
        offered = card if card and card.listed and card.currency == currency else None
        parcels.setdefault(seller_of(offered), []).append(_line(line, offered))
    ordered = sorted(parcels.items(), key=lambda parcel: parcel[0] is None)
    return Cart([Parcel(seller, sellers.get(seller or ""), lines) for seller, lines in ordered])


def _line(kept: LineKept, card: ProductCard | None) -> Line:
    price = card.price_minor if card else kept.unit_price_minor or 0
    return Line(
        product_id=kept.product_id,
        name=card.name if card else kept.name,
        category=card.category if card else kept.category,
        quantity=kept.quantity,
        price_minor=price,
        was_minor=kept.unit_price_minor if kept.unit_price_minor not in (None, price) else None,
        available=card.available if card else None,
        on_offer=card is not None,
    )
