"""The rules of payments, without a database: when to charge, and when to refund."""

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Literal

from producers.kit.payment_details import Method

State = Literal["waiting", "due", "voiding", "captured", "failed", "void", "free"]

LEASE = timedelta(seconds=20)
"""How long no other worker can claim a claimed payment. A call to the provider never takes that long."""

_FIRST_RETRY = timedelta(milliseconds=200)
_MAX_RETRY = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Payment:
    """The payment of an order. A field is None until the event with its value has arrived.

    A payment is `waiting` until the order is both placed and reserved, and then `due`. If the order is
    cancelled before the provider was called, the payment becomes `void`. If the provider may have been
    called, the payment becomes `voiding` until the provider reports the outcome. The payment of an order that
    costs nothing becomes `free` instead of `due`: the provider is never called.
    """

    order_id: str
    payment_id: str
    shopper_id: str | None = None
    method: Method | None = None
    """None, like `installments`, until the payment is first charged."""
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

    @property
    def is_closed(self) -> bool:
        """Whether nothing was taken for the order, and nothing will be."""
        return self.state in ("void", "failed")

    def next(self) -> "Payment":
        """Return the payment in the state that follows from its fields."""
        if self.state == "waiting" and self.cancelled:
            return replace(self, state="void")
        if self.state == "waiting" and self.reserved and self.amount_minor is not None:
            return replace(self, state="due" if self.amount_minor else "free")
        if self.state == "due" and self.cancelled:
            return replace(self, state="voiding" if self.attempts else "void")
        return self

    def expired(self) -> "Payment":
        """Return the payment after the reservation of its order has expired.

        It is closed if the provider was not called. If the provider may have taken the money, the payment
        becomes `voiding`, and the outcome decides: a captured amount stays, because its order is confirmed.
        """
        after = replace(self, cancelled=True).next()
        return after if after.is_closed else replace(after, cancelled=self.cancelled)


def refund_due_minor(payment: Payment, refunded_minor: int) -> int:
    """Return the amount to refund for a cancelled order: the captured amount minus earlier refunds."""
    if payment.state != "captured" or not payment.cancelled or payment.amount_minor is None:
        return 0
    return payment.amount_minor - refunded_minor


def retry_after(attempts: int) -> timedelta:
    """Return the delay before the next attempt: 0.2 s, doubled each time, at most 30 s."""
    doublings = max(0, min(attempts - 1, 10))
    return min(_MAX_RETRY, _FIRST_RETRY * (1 << doublings))
