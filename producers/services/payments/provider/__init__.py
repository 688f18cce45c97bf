"""A payment provider: the calls to it, and a simulated one with its own tables.

Each call has an idempotency key, so that it takes effect once.
"""

from dataclasses import dataclass
from typing import Literal, Protocol

from common.errors import Retryable


class ProviderUnavailable(Retryable):
    """The provider did not answer, so the outcome of the call is unknown. Repeat the call."""


@dataclass(frozen=True, slots=True)
class ChargeRequest:
    """A payment to charge. `payment_id` is the idempotency key."""

    payment_id: str
    amount_minor: int
    currency: str
    method: str
    token: str
    installments: int


@dataclass(frozen=True, slots=True)
class ChargeOutcome:
    """The final outcome of a payment."""

    kind: Literal["captured", "declined", "voided"]
    reason: str = ""
    """Why the payment was declined: the field `reason` of `payment_failed`."""


class Provider(Protocol):
    """A payment provider. If a method raises ProviderUnavailable, repeat the call."""

    async def capture(self, charge: ChargeRequest) -> ChargeOutcome:
        """Charge the payment: `captured` or `declined`, or `voided` if `void` was called first."""

    async def void(self, charge: ChargeRequest) -> ChargeOutcome:
        """Prevent a later capture: `voided`, or the earlier outcome if there is one."""

    async def refund(self, refund_id: str, payment_id: str, amount_minor: int) -> None:
        """Refund a captured payment; `refund_id` is the idempotency key."""
