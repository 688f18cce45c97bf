"""The rules of payments, without a database: when to ask for money, and when to give it back."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Literal

from common.errors import Rejected
from producers.how_to_pay import Method

State = Literal["waiting", "due", "voiding", "captured", "failed", "void"]

LEASE = timedelta(seconds=20)
"""For so long whoever asks the provider has a payment to itself; longer than any answer may take."""

_FIRST_RETRY = timedelta(milliseconds=200)
_LONGEST_RETRY = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Payment:
    """What is known of an order's payment.

    `waiting` until the order is both placed and reserved, then `due`. An order cancelled before the provider
    was asked leaves it `void`; cancelled while it may have been asked, `voiding`, until the provider says
    what had become of it.
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
    def to_be_asked_for(self) -> bool:
        """Whether the provider has to be asked."""
        return self.state in ("due", "voiding")

    def next(self) -> "Payment":
        """The payment in the state that what is known of it calls for."""
        if self.state == "waiting" and self.cancelled:
            return replace(self, state="void")
        if self.state == "waiting" and self.reserved and self.amount_minor is not None:
            return replace(self, state="due")
        if self.state == "due" and self.cancelled:
            return replace(self, state="voiding" if self.attempts else "void")
        return self


@dataclass(frozen=True, slots=True)
class DueLine:
    """What is due for a line of an order, and what of it came back."""

    line_number: int
    quantity: int
    amount_minor: int
    returned: int = 0
    refunded_minor: int = 0

    def given_back(self, quantity: int, refund_minor: int) -> "DueLine":
        """The line after a return.

        Raises:
            Rejected: more comes back than was bought, or more is asked for than was paid.
        """
        returned, refunded_minor = self.returned + quantity, self.refunded_minor + refund_minor
        if quantity < 0 or returned > self.quantity:
            left = self.quantity - self.returned
            raise Rejected(f"{quantity} units of line {self.line_number} come back, and {left} are left")
        if refund_minor < 0 or refunded_minor > self.amount_minor:
            left = self.amount_minor - self.refunded_minor
            raise Rejected(f"{refund_minor} is asked for line {self.line_number}, and {left} is left of it")
        return replace(self, returned=returned, refunded_minor=refunded_minor)


def give_back_lines(
    lines: Mapping[int, DueLine], returned: Iterable[tuple[int, int, int]]
) -> Mapping[int, DueLine]:
    """Lines by number after a return of (line number, units, refund); only those that it is about.

    Raises:
        Rejected: it is more than is left of a line, or the order has no such line.
    """
    after: dict[int, DueLine] = {}
    for number, quantity, refund_minor in returned:
        line = after.get(number) or lines.get(number)
        if line is None:
            raise Rejected(f"the order has no line {number}")
        after[number] = line.given_back(quantity, refund_minor)
    return after


def owed_back_minor(payment: Payment, refunded_minor: int) -> int:
    """What goes back for a cancelled order: all that was taken and is not on its way back yet."""
    if payment.state != "captured" or not payment.cancelled or payment.amount_minor is None:
        return 0
    return payment.amount_minor - refunded_minor


def retry_after(attempts: int) -> timedelta:
    """How long to wait before the next attempt: 0.2 s, doubled each time, at most 30 s."""
    doublings = max(0, min(attempts - 1, 10))
    return min(_LONGEST_RETRY, _FIRST_RETRY * (1 << doublings))
