"""The request that places an order, and the order as the API returns it."""

from datetime import datetime
from typing import Annotated, Literal, NotRequired

from pydantic import ConfigDict, Field, with_config
from typing_extensions import TypedDict

from common.ids import PRINTABLE, Id
from serving.kit.response_types import Minor

Status = Literal["placed", "confirmed", "shipped", "delivered", "cancelled"]
Method = Literal["credit_card", "debit_card", "boleto", "voucher", "pix", "bank_transfer", "wallet", "cash"]


FORBID_EXTRA_FIELDS = with_config(ConfigDict(extra="forbid"))
"""Makes a model refuse fields that it does not have."""


@FORBID_EXTRA_FIELDS
class OrderLineRequest(TypedDict):
    """One product to buy."""

    product_id: Annotated[Id, Field(examples=["product-000001"])]
    quantity: Annotated[int, Field(ge=1, le=1000)]
    seller_id: NotRequired[Annotated[Id | None, Field(description="Default: the cheapest seller.")]]
    unit_price_minor: NotRequired[
        Annotated[
            Annotated[int, Field(ge=0, le=10_000_000_000)] | None,
            Field(description="The price that the shopper saw. If it has changed, the order is refused."),
        ]
    ]


@FORBID_EXTRA_FIELDS
class PaymentRequest(TypedDict):
    """How the order is paid. The provider is simulated: no money moves."""

    method: Method
    token: NotRequired[
        Annotated[
            Annotated[str, Field(min_length=1, max_length=128, pattern=PRINTABLE)] | None,
            Field(
                description="The token of the card. The simulated provider declines `tok_decline…`, charges "
                "`tok_slow…` slowly and `tok_flaky…` at the third attempt, and charges every other token.",
                examples=["tok_visa"],
            ),
        ]
    ]
    installments: NotRequired[Annotated[int, Field(ge=1, le=24, description="Default: 1.")]]


@FORBID_EXTRA_FIELDS
class OrderRequest(TypedDict):
    """A checkout. It becomes one order, even if its lines are of several sellers."""

    shopper_id: NotRequired[
        Annotated[
            Id | None,
            Field(description="Default: the sender. Another one is refused.", examples=["shopper-000001"]),
        ]
    ]
    session_id: NotRequired[
        Annotated[
            Id | None,
            Field(description="The visit, from its cookie or `guest_sessions`. Ignored if it is another's."),
        ]
    ]
    currency: Annotated[str, Field(pattern="^[A-Z]{3}$", examples=["BRL"])]
    payment: PaymentRequest
    lines: Annotated[list[OrderLineRequest], Field(min_length=1, max_length=100)]


class OrderStep(TypedDict):
    """One step of an order, or of one seller's part of it."""

    status: Annotated[
        str, Field(description="A status of the order, `refunded` or `returned`.", examples=["placed"])
    ]
    at: datetime
    seller_id: Annotated[
        str | None,
        Field(
            description="The seller whose parcel was shipped, arrived or returned; null for the whole order."
        ),
    ]
    carrier: Annotated[str | None, Field(description="Who carries a parcel that was shipped, if known.")]
    tracking_code: Annotated[str | None, Field(description="The carrier's code of the parcel, if known.")]


class OrderLine(TypedDict):
    """One line of an order, at the price that was paid."""

    line_number: int
    product_id: str
    seller_id: str
    quantity: int
    unit_price_minor: Minor
    discount_minor: Minor
    shipping_minor: Minor
    tax_minor: Minor


class OrderPayment(TypedDict):
    """The state of the payment."""

    status: Annotated[
        str,
        Field(
            description="`pending`, `captured`, `failed`, `refunded` (all of it), or `void` (never charged).",
            examples=["captured"],
        ),
    ]
    method: Method
    amount_minor: Minor
    refunded_minor: Annotated[Minor, Field(description="The amount that was refunded so far.")]


class ShopperOrder(TypedDict):
    """An order and its history."""

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


class ListedOrderLine(TypedDict):
    """A product of an order in a list, and its units."""

    product_id: str
    quantity: int


class ListedOrder(TypedDict):
    """An order in a list. `GET /v1/orders/{order_id}` has all of it."""

    order_id: str
    status: Status
    cancellation_reason: str | None
    currency: str
    amount_minor: Minor
    refunded_minor: Minor
    payment_status: str
    placed_at: datetime
    lines: list[ListedOrderLine]


class ShopperOrders(TypedDict):
    """A page of the sender's orders, the newest first."""

    orders: list[ListedOrder]
    next_cursor: Annotated[str | None, Field(description="For the next page; null on the last one.")]
