"""The offers of a product by its sellers, and the choice of the one that a product card shows. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

import orjson

Stock = Mapping[str, int]
"""seller_id → available units: those that are not reserved for an order."""


@dataclass(frozen=True, slots=True)
class Offer:
    """One seller's newest listing of a product.

    `available` is the number of units that are not reserved for an order; None if this seller's stock was
    never counted. `group_id` is what the variants of one product share; None without variants. `attributes`
    has what the listing says of the product, such as `colour` → `blue`.
    """

    product_id: str
    seller_id: str
    name: str | None
    category: str | None
    currency: str
    price_minor: int
    listed: bool
    available: int | None
    group_id: str | None = None
    attributes: Mapping[str, str] = field(default_factory=dict, hash=False)

    @property
    def sold_out(self) -> bool:
        """Whether the stock was counted and no unit is available."""
        return self.available is not None and self.available <= 0

    @property
    def for_sale(self) -> bool:
        """Whether the offer is listed and not sold out."""
        return self.listed and not self.sold_out


def card_order(offer: Offer) -> tuple[bool, bool, int, str]:
    """Return the sort key of offers: listed first, then in stock, then by price, then by seller id."""
    return not offer.listed, offer.sold_out, offer.price_minor, offer.seller_id


def choose_offer(offers: Iterable[Offer]) -> Offer | None:
    """Return the offer that a product card shows: the first by `card_order`; None if there is none."""
    return min(offers, key=card_order, default=None)


def read_offers(
    product_id: str, listings: bytes | str | None, stock: bytes | str | None = None
) -> tuple[Offer, ...]:
    """Return the offers that job `recommendations` wrote into the hash of a product; none if never listed.

    Args:
        product_id: the product.
        listings: JSON array with the newest listing of each seller (jobs/recommendations/product_offers.sql).
        stock: JSON object from seller to available units (jobs/recommendations/product_stock.sql).
    """
    if listings is None:
        return ()
    available = read_stock(stock)
    return tuple(_offer(product_id, listing, available) for listing in orjson.loads(listings))


def read_stock(stock: bytes | str | None) -> Stock:
    """Parse the JSON object from seller to available units that job `recommendations` wrote. None is {}."""
    return cast(Stock, orjson.loads(stock)) if stock else {}


def _offer(product_id: str, listing: Mapping[str, Any], stock: Stock) -> Offer:
    seller_id = listing["seller_id"]
    return Offer(
        product_id=product_id,
        seller_id=seller_id,
        name=listing.get("name"),
        category=listing.get("category"),
        currency=listing["currency"],
        price_minor=listing["price_minor"],
        listed=listing["listed"] == 1,
        available=stock.get(seller_id),
        group_id=listing.get("group_id"),
        attributes=listing.get("attributes") or {},
    )
