"""The rules of payments, without a database: when to charge, and when to refund."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Literal

from common.errors import Rejected
from producers.payment_details import Method
from producers.returns import SoldLine

State = Literal["waiting", "due", "voiding", "captured", "failed", "void"]

LEASE = timedelta(seconds=20)
"""How long no other worker can claim a claimed payment. A call to the provider never takes that long."""

_FIRST_RETRY = timedelta(milliseconds=200)
_MAX_RETRY = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Payment:
    """The payment of an order. A field is None until the event with its value has arrived.

    A payment is `waiting` until the order is both placed and reserved, and then `due`. If the order is
    cancelled before the provider was called, the payment becomes `void`. If the provider may have been
    called, the payment becomes `voiding` until the provider reports the outcome.
    """

    order_id: str
    payment_id: str
    shopper_id: str | None = None
    method: Method | None = None
    token: str | None = None
    installments: int | None = None
    currency: str | None = None
    amount_minor: int | None = None
    reserved: bool = False
    cancelled: bool = False
    state: State = "waiting"
    attempts: int = 0

    @property
    def needs_provider_call(self) -> bool:
        """Whether the provider has to be called."""
        return self.state in ("due", "voiding")

    def next(self) -> "Payment":
        """Return the payment in the state that follows from its fields."""
        if self.state == "waiting" and self.cancelled:
            return replace(self, state="void")
        if self.state == "waiting" and self.reserved and self.amount_minor is not None:
            return replace(self, state="due")
        if self.state == "due" and self.cancelled:
            return replace(self, state="voiding" if self.attempts else "void")
        return self


@dataclass(frozen=True, slots=True)
class DueLine:
    """The amount due for a line of an order, and how much of the line was returned and refunded."""

    line_number: int
    quantity: int
    amount_minor: int
    returned: int = 0
    refunded_minor: int = 0
    product_id: str | None = None
    """None, like `seller_id`, for orders that were recorded before these columns existed."""
    seller_id: str | None = None

    def as_sold(self) -> SoldLine:
        """Return the line for `check_return`."""
        return SoldLine(self.line_number, self.product_id, self.seller_id, self.quantity, self.returned)

    def after_return(self, quantity: int, refund_minor: int) -> "DueLine":
        """Return the line after a return.

        Raises:
            Rejected: more units are returned than were sold, or the refund exceeds the amount paid.
        """
        returned, refunded_minor = self.returned + quantity, self.refunded_minor + refund_minor
        if quantity < 0 or returned > self.quantity:
            left = self.quantity - self.returned
            raise Rejected(
                f"the return has {quantity} units of line {self.line_number}, but {left} can be returned"
            )
        if refund_minor < 0 or refunded_minor > self.amount_minor:
            left = self.amount_minor - self.refunded_minor
            raise Rejected(
                f"the return refunds {refund_minor} for line {self.line_number}, but {left} can be refunded"
            )
        return replace(self, returned=returned, refunded_minor=refunded_minor)


def apply_return(
    lines: Mapping[int, DueLine], returned: Iterable[tuple[int, int, int]]
) -> Mapping[int, DueLine]:
    """Apply a return of (line number, units, refund); return the changed lines by number.

    Raises:
        Rejected: the return exceeds what can be returned of a line, or the order has no such line.
    """
    after: dict[int, DueLine] = {}
    for number, quantity, refund_minor in returned:
        line = after.get(number) or lines.get(number)
        if line is None:
            raise Rejected(f"the order has no line {number}")
        after[number] = line.after_return(quantity, refund_minor)
    return after


def refund_due_minor(payment: Payment, refunded_minor: int) -> int:
    """Return the amount to refund for a cancelled order: the captured amount minus earlier refunds."""
    if payment.state != "captured" or not payment.cancelled or payment.amount_minor is None:
        return 0
    return payment.amount_minor - refunded_minor


def retry_after(attempts: int) -> timedelta:
    """Return the delay before the next attempt: 0.2 s, doubled each time, at most 30 s."""
    doublings = max(0, min(attempts - 1, 10))
    return min(_MAX_RETRY, _FIRST_RETRY * (1 << doublings))
