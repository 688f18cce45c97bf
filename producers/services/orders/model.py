"""The rules of orders, without a database: prices of lines, allowed status changes, and returns."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Literal

from pydantic import Field

from common.errors import Rejected
from common.ids import Id
from producers.kit.http.strict_request import StrictRequest
from producers.kit.listings import MAX_PRICE_MINOR
from producers.kit.offers import Offer
from producers.services.orders.problems import OTHER_CURRENCY, PRICE_MOVED, UNKNOWN_PRODUCT
from schemas.codec import Record

Status = Literal["placed", "confirmed", "shipped", "delivered", "cancelled"]
Reason = Literal["shopper_request", "out_of_stock", "payment_failed", "timed_out"]
PaymentStatus = Literal["pending", "failed", "captured", "refunded"]

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


Minor = Annotated[int, Field(description="Money in minor units (cents) of `currency`.", examples=[1299000])]


class OrderLineRequest(StrictRequest):
    """One product to buy."""

    product_id: Annotated[Id, Field(examples=["product-000001"])]
    quantity: Annotated[int, Field(ge=1, le=MAX_UNITS)]
    seller_id: Annotated[Id | None, Field(description="Default: the cheapest seller.")] = None
    unit_price_minor: Annotated[
        Annotated[int, Field(ge=0, le=MAX_PRICE_MINOR)] | None,
        Field(description="The price that the shopper saw. If it has changed, the order is refused."),
    ] = None


@dataclass(frozen=True, slots=True)
class LineOffer:
    """A listed offer for one line of a checkout."""

    line_number: int
    offer: Offer
    commission_bp: int
    """What the marketplace keeps of the line if this offer is bought, in basis points (sellers' rules)."""


@dataclass(frozen=True, slots=True)
class OrderLine:
    """One line of an order, at the price that was paid.

    Discount, shipping and tax are for the whole line, not for each unit. `discount_minor` is what the seller
    gives; `marketplace_minor` is what the marketplace pays the seller in the shopper's place, null without.
    """

    line_number: int
    product_id: str
    seller_id: str
    quantity: int
    unit_price_minor: Minor
    discount_minor: Minor
    shipping_minor: Minor
    tax_minor: Minor
    marketplace_minor: Minor | None
    line_voucher_id: Annotated[
        str | None, Field(description="The voucher for its category or product that lowered the line.")
    ]
    order_voucher_id: Annotated[
        str | None, Field(description="The voucher that lowered the order, this line included.")
    ]

    @property
    def due_minor(self) -> int:
        """The amount that the shopper pays for the line."""
        gross = self.quantity * self.unit_price_minor
        discount = self.discount_minor + (self.marketplace_minor or 0)
        return gross - discount + self.shipping_minor + self.tax_minor


@dataclass(frozen=True, slots=True)
class OrderedLine(OrderLine):
    """A line of an order, as a record of `order_placed`."""

    commission_bp: int
    """The marketplace's commission in basis points, frozen at the checkout."""


def priced(
    lines: Sequence[OrderLineRequest], offers: Iterable[LineOffer], currency: str
) -> list[OrderedLine]:
    """Return the lines at the catalogue's prices, numbered from 1. `offers` are those of their products.

    Raises:
        UNKNOWN_PRODUCT: a product is not listed, or not by that seller.
        OTHER_CURRENCY: a product is sold in another currency.
        PRICE_MOVED: the price is not the one that the shopper saw.
    """
    by_line: dict[int, list[LineOffer]] = {}
    for each in offers:
        by_line.setdefault(each.line_number, []).append(each)
    return [
        _line(number, line, by_line.get(number, []), currency) for number, line in enumerate(lines, start=1)
    ]


def _line(number: int, line: OrderLineRequest, offers: Sequence[LineOffer], currency: str) -> OrderedLine:
    candidates = [each for each in offers if line.seller_id in (None, each.offer.seller_id)]
    if not candidates:
        by_seller = f"by seller {line.seller_id!r} " if line.seller_id else ""
        raise UNKNOWN_PRODUCT(line=number, product_id=line.product_id, by_seller=by_seller)
    payable = [each for each in candidates if each.offer.currency == currency]
    if not payable:
        sold_in = candidates[0].offer.currency
        raise OTHER_CURRENCY(line=number, product_id=line.product_id, sold_in=sold_in, currency=currency)
    chosen = min(payable, key=lambda each: (each.offer.price_minor, each.offer.seller_id))
    offer = chosen.offer
    if line.unit_price_minor not in (None, offer.price_minor):
        raise PRICE_MOVED(
            line=number, product_id=line.product_id, price_minor=offer.price_minor, currency=currency
        )
    return OrderedLine(
        line_number=number,
        product_id=line.product_id,
        seller_id=offer.seller_id,
        quantity=line.quantity,
        unit_price_minor=offer.price_minor,
        discount_minor=0,
        shipping_minor=0,
        tax_minor=0,
        marketplace_minor=None,
        line_voucher_id=None,
        order_voucher_id=None,
        commission_bp=chosen.commission_bp,
    )


def amount_minor(lines: Iterable[OrderLine]) -> int:
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


@dataclass(frozen=True, slots=True)
class SoldLine:
    """A line of an order, and what came back of it: units, money, the marketplace's part of a discount."""

    line_number: int
    product_id: str
    seller_id: str
    quantity: int
    amount_minor: int
    """The amount due for the line."""
    marketplace_minor: int = 0
    returned: int = 0
    refunded_minor: int = 0
    returned_marketplace_minor: int = 0

    def after_return(self, quantity: int, refund_minor: int) -> "SoldLine":
        """Return the line after a return. The marketplace gets its part back in proportion to the refund.

        Of a line for which the shopper paid nothing, it gets it back in proportion to the units.

        Raises:
            Rejected: more units are returned than are left, or more is refunded than is left of the amount.
        """
        returnable = self.quantity - self.returned
        if not 0 <= quantity <= returnable:
            raise Rejected(
                f"the return has {quantity} units of line {self.line_number}, but {returnable} can be "
                "returned"
            )
        refundable = self.amount_minor - self.refunded_minor
        if not 0 <= refund_minor <= refundable:
            raise Rejected(
                f"the return refunds {refund_minor} minor units for line {self.line_number}, but "
                f"{refundable} can be refunded"
            )
        returned, refunded = self.returned + quantity, self.refunded_minor + refund_minor
        done, whole = (refunded, self.amount_minor) if self.amount_minor else (returned, self.quantity)
        return replace(
            self,
            returned=returned,
            refunded_minor=refunded,
            returned_marketplace_minor=self.marketplace_minor * done // whole,
        )


@dataclass(frozen=True, slots=True)
class CheckedReturn:
    """An accepted return: the lines of the order after it, and those of its `return_settled`."""

    after: Mapping[int, SoldLine]
    lines: Sequence[Record]


def check_return(sold: Iterable[SoldLine], event: Record) -> CheckedReturn:
    """Check an `order_returned` against its order's lines.

    Raises:
        Rejected: the order has no such line, the line is of another product or seller, or it has fewer units
            or less money left than the return takes.
    """
    lines = {line.line_number: line for line in sold}
    after: dict[int, SoldLine] = {}
    settled: list[Record] = []
    for returned in event["lines"]:
        number = returned["line_number"]
        line = after.get(number) or lines.get(number)
        if line is None:
            raise Rejected(f"order {event['order_id']} has no line {number}")
        if line.product_id != returned["product_id"]:
            raise Rejected(f"line {number} is of product {line.product_id}, not of {returned['product_id']}")
        if line.seller_id != event["seller_id"]:
            raise Rejected(f"line {number} was sold by {line.seller_id}, not by {event['seller_id']}")
        after[number] = line.after_return(returned["quantity"], returned["refund_minor"])
        part = after[number].returned_marketplace_minor - line.returned_marketplace_minor
        settled.append({**returned, "marketplace_minor": part if line.marketplace_minor else None})
    return CheckedReturn(after, settled)
