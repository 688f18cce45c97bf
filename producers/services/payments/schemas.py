"""Responses of the payment endpoint."""

from typing_extensions import TypedDict


class RefundResponse(TypedDict):
    """A refund, done or in progress."""

    refund_id: str
    amount_minor: int
    reason: str
    return_id: str | None
    done: bool


class PaymentResponse(TypedDict):
    """The payment of an order."""

    payment_id: str
    order_id: str
    state: str
    method: str | None
    installments: int | None
    currency: str | None
    amount_minor: int | None
    attempts: int
    failure: str | None
    refunds: list[RefundResponse]


class ClosingResponse(TypedDict):
    """Whether nothing was taken for an order, and nothing will be."""

    closed: bool
