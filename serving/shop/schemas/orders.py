"""An order as it is sent, and as it is followed."""

from datetime import datetime
from typing import Annotated, Literal, NotRequired

from pydantic import ConfigDict, Field, with_config
from typing_extensions import TypedDict

from common.ids import PRINTABLE
from serving.analytics.schemas.basics import Minor

Status = Literal["placed", "confirmed", "shipped", "delivered", "cancelled"]
Method = Literal["credit_card", "debit_card", "boleto", "voucher", "pix", "bank_transfer", "wallet", "cash"]


Id = Annotated[str, Field(min_length=1, max_length=128, pattern=PRINTABLE)]
ALONE = with_config(ConfigDict(extra="forbid"))
"""Takes no field beside its own."""


@ALONE
class LineSent(TypedDict):
    """One product that is bought."""

    product_id: Annotated[Id, Field(examples=["product-000001"])]
    quantity: Annotated[int, Field(ge=1, le=1000)]
    seller_id: NotRequired[Annotated[Id | None, Field(description="Left out: whoever sells it.")]]
    unit_price_minor: NotRequired[
        Annotated[
            Annotated[int, Field(ge=0, le=10_000_000_000)] | None,
            Field(description="The price that was shown. When it has moved, the order is refused."),
        ]
    ]


@ALONE
class PaymentSent(TypedDict):
    """How the order is paid. The provider is simulated: no money moves."""

    method: Method
    token: NotRequired[
        Annotated[
            Id | None,
            Field(
                description="What stands for the card. `tok_decline…` is declined, `tok_slow…` takes its "
                "time, `tok_flaky…` works at the third try; every other is charged.",
                examples=["tok_visa"],
            ),
        ]
    ]
    installments: NotRequired[Annotated[int, Field(ge=1, le=24, description="Left out: one.")]]


@ALONE
class OrderSent(TypedDict):
    """A checkout: lines of any number of sellers make one order."""

    shopper_id: Annotated[Id, Field(examples=["shopper-000001"])]
    session_id: NotRequired[Id | None]
    currency: Annotated[str, Field(pattern="^[A-Z]{3}$", examples=["BRL"])]
    payment: PaymentSent
    lines: Annotated[list[LineSent], Field(min_length=1, max_length=100)]


class OrderStep(TypedDict):
    """Something that happened to an order, or to one seller's part of it."""

    status: Annotated[
        str, Field(description="Its statuses, and `refunded`, `returned`.", examples=["placed"])
    ]
    at: datetime
    seller_id: Annotated[
        str | None, Field(description="Whose parcel left, arrived or came back; null of the whole order.")
    ]


class OrderLine(TypedDict):
    """One line of an order, at the price it was bought for."""

    line_number: int
    product_id: str
    seller_id: str
    quantity: int
    unit_price_minor: Minor
    discount_minor: Minor
    shipping_minor: Minor
    tax_minor: Minor


class OrderPayment(TypedDict):
    """How far the payment has come."""

    status: Annotated[
        str,
        Field(
            description="`pending`, `captured`, `failed`, `refunded` (all of it), or `void` (unasked).",
            examples=["captured"],
        ),
    ]
    method: Method
    amount_minor: Minor
    refunded_minor: Annotated[Minor, Field(description="What of it went back so far.")]


class ShopperOrder(TypedDict):
    """An order, and how it came to be what it is."""

    order_id: str
    shopper_id: str
    status: Status
    cancellation_reason: Annotated[
        str | None,
        Field(
            description="`out_of_stock`, `payment_failed`, `shopper_request` or `timed_out`; null otherwise."
        ),
    ]
    currency: str
    placed_at: datetime
    history: list[OrderStep]
    lines: list[OrderLine]
    payment: OrderPayment
