"""Requests and responses of the order endpoints."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from pydantic import Field
from typing_extensions import TypedDict

from common.ids import Id
from producers.kit.http.strict_request import StrictRequest
from producers.kit.listings import MAX_ORDER_LINES
from producers.kit.payment_details import Method, PaymentDetails
from producers.services.orders.model import Minor, OrderLine, OrderLineRequest, Status
from producers.services.orders.vouchers import Codes, VoucherOutcome

Shopper = Annotated[
    Id | None, Field(description="Default: the sender. Another one is refused.", examples=["shopper-000001"])
]
Currency = Annotated[str, Field(pattern="^[A-Z]{3}$", examples=["BRL"])]
OrderedLines = Annotated[list[OrderLineRequest], Field(min_length=1, max_length=MAX_ORDER_LINES)]


class PaymentRequest(PaymentDetails):
    """How the order is paid. The provider is simulated: no money moves."""

    model_config = StrictRequest.model_config


class OrderRequest(StrictRequest):
    """A checkout. It becomes one order, even if its lines are of several sellers."""

    shopper_id: Shopper = None
    session_id: Annotated[
        Id | None,
        Field(description="The visit, from its cookie or `guest_sessions`. Ignored if it is another's."),
    ] = None
    currency: Currency
    payment: PaymentRequest
    lines: OrderedLines
    voucher_codes: Codes = Field(default_factory=list)
    amount_minor: Annotated[
        int | None,
        Field(ge=0, description="What the shopper saw in all. If the order would cost more, it is refused."),
    ] = None


class QuoteRequest(StrictRequest):
    """What an order would have."""

    shopper_id: Shopper = None
    currency: Currency
    lines: OrderedLines
    voucher_codes: Codes = Field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Quote:
    """What an order would cost now, and what each voucher does to it. Nothing is reserved.

    `discount_minor` is what shoppers do not pay: the parts of the sellers and of the marketplace.
    """

    currency: str
    lines: list[OrderLine]
    items_minor: Minor
    discount_minor: Minor
    shipping_minor: Minor
    tax_minor: Minor
    total_minor: Minor
    vouchers: list[VoucherOutcome]


class PaymentDetailsRequest(StrictRequest):
    """The orders that payments is about to charge."""

    order_ids: list[Id]


class PaymentDetailsResponse(TypedDict):
    """Order id → how the order is paid. Orders that are confirmed or cancelled are left out."""

    payments: dict[str, PaymentDetails]


@dataclass(frozen=True, slots=True)
class OrderStep:
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


@dataclass(frozen=True, slots=True)
class OrderPayment:
    """The state of the payment."""

    status: Annotated[
        str,
        Field(
            description="`pending`, `captured`, `failed`, `refunded` (all of it), `void` (never charged), or "
            "`free` (nothing to pay).",
            examples=["captured"],
        ),
    ]
    method: Method
    amount_minor: Minor
    refunded_minor: Annotated[Minor, Field(description="The amount that was refunded so far.")]


@dataclass(frozen=True, slots=True)
class ShopperOrder:
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


@dataclass(frozen=True, slots=True)
class ListedOrderLine:
    """A product of an order in a list, and its units."""

    product_id: str
    quantity: int


@dataclass(frozen=True, slots=True)
class ListedOrder:
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


@dataclass(frozen=True, slots=True)
class ExportedOrder:
    """An order of an exported person."""

    order_id: str
    currency: str
    status: Status
    amount_minor: int
    refunded_minor: int
    payment_method: Method
    payment_status: str
    placed_at: datetime
    lines: list[OrderLine]


class ExportResponse(TypedDict):
    """Every order of a person, the oldest first."""

    orders: list[ExportedOrder]
