"""What sellers offer of a product, and which of their offers a product card shows. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

Stock = Mapping[str, int]
"""seller_id → the units that no order holds."""


@dataclass(frozen=True, slots=True)
class Offer:
    """One seller's newest listing of a product.

    `available` is the units that no order holds; None if this seller's stock was never counted.
    """

    product_id: str
    seller_id: str
    name: str | None
    category: str | None
    currency: str
    price_minor: int
    listed: bool
    available: int | None

    @property
    def sold_out(self) -> bool:
        """Whether the stock was counted and nothing is left of it."""
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


def offer_of(offers: Iterable[Offer], seller_id: str | None) -> Offer | None:
    """Return the listed offer of this seller, or the one that a card shows if this seller lists none."""
    known = list(offers)
    own = [one for one in known if one.seller_id == seller_id and one.listed]
    return own[0] if own else choose_offer(known)


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
    """Return the JSON object of sellers and available units that job `recommendations` wrote; {} for none."""
    units: Stock = orjson.loads(stock) if stock else {}
    return units


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
    )
