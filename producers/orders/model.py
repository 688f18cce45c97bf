"""The rules of orders, without a database: the prices of lines, and the allowed status changes."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from producers.orders.problems import OtherCurrency, PriceMoved, UnknownProduct

Status = Literal["placed", "confirmed", "cancelled", "shipped", "delivered"]
Reason = Literal["shopper_request", "out_of_stock", "payment_failed", "timed_out"]
PaymentStatus = Literal["pending", "failed", "captured", "refunded"]

MAX_LINES = 100
MAX_UNITS = 1_000
"""Units of one line."""

COMMISSION_BP = 1_000
"""The marketplace's commission in basis points. Each order line stores the value at its checkout."""

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


@dataclass(frozen=True, slots=True)
class OrderedLine:
    """A line of an order. Discount, shipping and tax are for the whole line, not for each unit."""

    line_number: int
    product_id: str
    seller_id: str
    quantity: int
    unit_price_minor: int
    discount_minor: int = 0
    shipping_minor: int = 0
    tax_minor: int = 0
    commission_bp: int = COMMISSION_BP

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


def priced(lines: Sequence[RequestedLine], offers: Iterable[Offer], currency: str) -> list[OrderedLine]:
    """Return the lines at the catalogue's prices, numbered from 1.

    Raises:
        UnknownProduct: a product is not listed, or not by that seller.
        OtherCurrency: a product is sold in another currency.
        PriceMoved: the price is not the one that the shopper saw.
    """
    listed = [offer for offer in offers if offer.listed]
    return [_line(number, line, listed, currency) for number, line in enumerate(lines, start=1)]


def _line(number: int, line: RequestedLine, offers: Sequence[Offer], currency: str) -> OrderedLine:
    candidates = [
        offer
        for offer in offers
        if offer.product_id == line.product_id and line.seller_id in (None, offer.seller_id)
    ]
    if not candidates:
        raise UnknownProduct(number, line.product_id, line.seller_id)
    payable = [offer for offer in candidates if offer.currency == currency]
    if not payable:
        raise OtherCurrency(number, line.product_id, candidates[0].currency, currency)
    offer = min(payable, key=lambda offer: (offer.price_minor, offer.seller_id))
    if line.unit_price_minor not in (None, offer.price_minor):
        raise PriceMoved(number, line.product_id, offer.price_minor, currency)
    return OrderedLine(number, line.product_id, offer.seller_id, line.quantity, offer.price_minor)


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
