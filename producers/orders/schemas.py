"""Requests and responses of the order endpoints."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter
from typing_extensions import TypedDict

from common.ids import Id
from producers.listings import MAX_PRICE_MINOR
from producers.orders.model import MAX_LINES, MAX_UNITS, RequestedLine, Status
from producers.payment_details import Method, PaymentDetails

STRICT = ConfigDict(extra="forbid", strict=True, frozen=True)


class _Request(BaseModel):
    model_config = STRICT


class LineRequest(_Request):
    """A product to buy."""

    product_id: Id
    quantity: Annotated[int, Field(ge=1, le=MAX_UNITS)]
    seller_id: Id | None = None
    unit_price_minor: Annotated[int, Field(ge=0, le=MAX_PRICE_MINOR)] | None = None

    def requested(self) -> RequestedLine:
        """Return the line for `model.priced`."""
        return RequestedLine(self.product_id, self.quantity, self.seller_id, self.unit_price_minor)


class PaymentRequest(PaymentDetails):
    """The payment method of an order."""

    model_config = STRICT


class OrderRequest(_Request):
    """A checkout. It becomes one order, even if its lines are of several sellers."""

    shopper_id: Id | None = None
    session_id: Id | None = None
    currency: Annotated[str, Field(pattern="^[A-Z]{3}$")]
    payment: PaymentRequest
    lines: Annotated[list[LineRequest], Field(min_length=1, max_length=MAX_LINES)]


ORDER_REQUEST = TypeAdapter(OrderRequest)


class ExportRequest(_Request):
    """The shopper ids of a person, who gets all that is kept of them."""

    shopper_ids: list[Id]


EXPORT_REQUEST = TypeAdapter(ExportRequest)


class PaymentDetailsRequest(_Request):
    """The orders that payments is about to charge."""

    order_ids: list[Id]


PAYMENT_DETAILS_REQUEST = TypeAdapter(PaymentDetailsRequest)


class PaymentDetailsResponse(TypedDict):
    """Order id → how the order is paid. Orders that are confirmed or cancelled are left out."""

    payments: dict[str, PaymentDetails]


class StepResponse(TypedDict):
    """A step of the whole order, or of one seller's part of it."""

    status: str
    at: datetime
    seller_id: str | None
    carrier: str | None
    tracking_code: str | None


class LineResponse(TypedDict):
    """A line as it was bought."""

    line_number: int
    product_id: str
    seller_id: str
    quantity: int
    unit_price_minor: int
    discount_minor: int
    shipping_minor: int
    tax_minor: int


class OrderPaymentResponse(TypedDict):
    """The payment's status and the refunded amount. The status `refunded` means a refund in full."""

    status: str
    method: Method
    amount_minor: int
    refunded_minor: int


class OrderResponse(TypedDict):
    """An order with its history."""

    order_id: str
    shopper_id: str
    status: Status
    cancellation_reason: str | None
    currency: str
    placed_at: datetime
    history: list[StepResponse]
    lines: list[LineResponse]
    payment: OrderPaymentResponse


class ListedLineResponse(TypedDict):
    """A product of an order in a list, and its units."""

    product_id: str
    quantity: int


class ListedOrderResponse(TypedDict):
    """An order in a list. `GET /v1/orders/{order_id}` has all of it."""

    order_id: str
    status: Status
    cancellation_reason: str | None
    currency: str
    amount_minor: int
    refunded_minor: int
    payment_status: str
    placed_at: datetime
    lines: list[ListedLineResponse]


class OrdersResponse(TypedDict):
    """A page of the sender's orders, the newest first. `next_cursor` is null on the last page."""

    orders: list[ListedOrderResponse]
    next_cursor: str | None


class ExportedOrderResponse(TypedDict):
    """An order of an exported person."""

    order_id: str
    currency: str
    status: Status
    amount_minor: int
    refunded_minor: int
    payment_method: Method
    payment_status: str
    placed_at: datetime
    lines: list[LineResponse]


class ExportResponse(TypedDict):
    """Every order of a person, the oldest first."""

    orders: list[ExportedOrderResponse]
