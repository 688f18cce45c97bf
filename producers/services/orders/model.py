"""The rules of orders, without a database: the prices of lines, and the allowed status changes."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from producers.services.orders.problems import OtherCurrency, PriceMoved, UnknownProduct

Status = Literal["placed", "confirmed", "shipped", "delivered", "cancelled"]
Reason = Literal["shopper_request", "out_of_stock", "payment_failed", "timed_out"]
PaymentStatus = Literal["pending", "failed", "captured", "refunded"]

MAX_LINES = 100
MAX_UNITS = 1_000
"""Units of one line."""

PREDECESSORS: dict[Status, frozenset[Status]] = {
    "placed": frozenset(),
    "confirmed": frozenset({"placed"}),
    "cancelled": frozenset({"placed", "confirmed"}),
    "shipped": frozenset({"confirmed"}),
    "delivered": frozenset({"confirmed", "shipped"}),
}
_PAYMENT_ORDER: dict[PaymentStatus, int] = {"pending": 0, "failed": 1, "captured": 2, "refunded": 3}


@dataclass(frozen=True, slots=True)
class RequestedLine:
    """A line of a checkout request."""

    product_id: str
    quantity: int
    seller_id: str | None = None
    """None means the cheapest seller."""
    unit_price_minor: int | None = None
    """The price that the shopper saw."""


@dataclass(frozen=True, slots=True)
class Offer:
    """A seller's offer of a product, from the catalogue's events."""

    product_id: str
    seller_id: str
    currency: str
    price_minor: int
    listed: bool
    category: str | None = None


@dataclass(frozen=True, slots=True)
class LineOffer:
    """A listed offer for one line of a checkout."""

    line_number: int
    offer: Offer
    commission_bp: int
    """What the marketplace keeps of the line if this offer is bought, in basis points (sellers' rules)."""


@dataclass(frozen=True, slots=True)
class OrderedLine:
    """A line of an order. Discount, shipping and tax are for the whole line, not for each unit."""

    line_number: int
    product_id: str
    seller_id: str
    quantity: int
    unit_price_minor: int
    commission_bp: int
    """The marketplace's commission in basis points, frozen at the checkout."""
    discount_minor: int = 0
    shipping_minor: int = 0
    tax_minor: int = 0

    def as_event(self) -> dict[str, int | str]:
        """Return the line as a record of `order_placed`."""
        return {
            "line_number": self.line_number,
            "product_id": self.product_id,
            "seller_id": self.seller_id,
            "quantity": self.quantity,
            "unit_price_minor": self.unit_price_minor,
            "discount_minor": self.discount_minor,
            "shipping_minor": self.shipping_minor,
            "tax_minor": self.tax_minor,
            "commission_bp": self.commission_bp,
        }

    @property
    def due_minor(self) -> int:
        """The amount that the shopper pays for the line."""
        gross = self.quantity * self.unit_price_minor
        return gross - self.discount_minor + self.shipping_minor + self.tax_minor


def priced(lines: Sequence[RequestedLine], offers: Iterable[LineOffer], currency: str) -> list[OrderedLine]:
    """Return the lines at the catalogue's prices, numbered from 1. `offers` are those of their products.

    Raises:
        UnknownProduct: a product is not listed, or not by that seller.
        OtherCurrency: a product is sold in another currency.
        PriceMoved: the price is not the one that the shopper saw.
    """
    by_line: dict[int, list[LineOffer]] = {}
    for each in offers:
        by_line.setdefault(each.line_number, []).append(each)
    return [
        _line(number, line, by_line.get(number, []), currency) for number, line in enumerate(lines, start=1)
    ]


def _line(number: int, line: RequestedLine, offers: Sequence[LineOffer], currency: str) -> OrderedLine:
    candidates = [each for each in offers if line.seller_id in (None, each.offer.seller_id)]
    if not candidates:
        raise UnknownProduct(number, line.product_id, line.seller_id)
    payable = [each for each in candidates if each.offer.currency == currency]
    if not payable:
        raise OtherCurrency(number, line.product_id, candidates[0].offer.currency, currency)
    chosen = min(payable, key=lambda each: (each.offer.price_minor, each.offer.seller_id))
    offer = chosen.offer
    if line.unit_price_minor not in (None, offer.price_minor):
        raise PriceMoved(number, line.product_id, offer.price_minor, currency)
    return OrderedLine(
        number, line.product_id, offer.seller_id, line.quantity, offer.price_minor, chosen.commission_bp
    )


def amount_minor(lines: Iterable[OrderedLine]) -> int:
    """Return the amount that the shopper pays for these lines."""
    return sum(line.due_minor for line in lines)


def can_become(status: Status, to: Status) -> bool:
    """Return whether an order may change from `status` to `to`.

    A confirmed order may become delivered at once, because `order_delivered` may arrive before
    `order_shipped`.
    """
    return status in PREDECESSORS[to]


def can_be_cancelled(status: Status, has_returns: bool) -> bool:
    """Return whether an order may be cancelled.

    A partly returned order may not: its cancellation would take off the returned units a second time.
    """
    return can_become(status, "cancelled") and not has_returns


def payment_can_become(status: PaymentStatus, to: PaymentStatus) -> bool:
    """Return whether a payment may change from `status` to `to`.

    A pending payment may become refunded at once, because `payment_refunded` may arrive before
    `payment_captured`.
    """
    return _PAYMENT_ORDER[to] > _PAYMENT_ORDER[status]
