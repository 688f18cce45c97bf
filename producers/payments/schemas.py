"""What the payments' address answers."""

from typing_extensions import TypedDict


class RefundShown(TypedDict):
    """Money on its way back, or back."""

    refund_id: str
    amount_minor: int
    reason: str
    return_id: str | None
    done: bool


class PaymentShown(TypedDict):
    """How far the payment of an order has come."""

    payment_id: str
    order_id: str
    state: str
    method: str | None
    installments: int | None
    currency: str | None
    amount_minor: int | None
    attempts: int
    failure: str | None
    refunds: list[RefundShown]
