"""What payments asks a provider. Every question has a key: asked again, it is answered, not done again."""

from dataclasses import dataclass
from typing import Literal, Protocol

from common.errors import Retryable


class ProviderUnavailable(Retryable):
    """The provider did not answer, or not for good: nobody knows what became of the question. Ask again."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A payment that is asked for. `payment_id` is the idempotency key."""

    payment_id: str
    amount_minor: int
    currency: str
    method: str
    token: str
    installments: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a payment, for good."""

    kind: Literal["captured", "declined", "voided"]
    reason: str = ""
    """Why it was declined, in the words of `payment_failed`."""


class Provider(Protocol):
    """A payment provider. Every method may raise ProviderUnavailable: then ask the same again."""

    async def capture(self, asked: Asked) -> Outcome:
        """Take the money: `captured` or `declined`; `voided` if `void` came first."""

    async def void(self, asked: Asked) -> Outcome:
        """See to it that the money is not taken any more: `voided`, or what had become of it before."""

    async def refund(self, refund_id: str, payment_id: str, amount_minor: int) -> None:
        """Give money back of a captured payment; `refund_id` is the idempotency key."""
