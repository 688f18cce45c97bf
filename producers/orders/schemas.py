"""What the orders' addresses take and answer."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter
from typing_extensions import TypedDict

from common.ids import PRINTABLE
from producers.how_to_pay import HowToPay, Method
from producers.orders.model import HIGHEST_PRICE_MINOR, MOST_LINES, MOST_UNITS, Status, Wanted

Id = Annotated[str, Field(min_length=1, max_length=128, pattern=PRINTABLE)]
STRICT = ConfigDict(extra="forbid", strict=True, frozen=True)


class _Sent(BaseModel):
    model_config = STRICT


class LineSent(_Sent):
    """One product that is bought."""

    product_id: Id
    quantity: Annotated[int, Field(ge=1, le=MOST_UNITS)]
    seller_id: Id | None = None
    unit_price_minor: Annotated[int, Field(ge=0, le=HIGHEST_PRICE_MINOR)] | None = None

    def wanted(self) -> Wanted:
        """As the rules take it."""
        return Wanted(self.product_id, self.quantity, self.seller_id, self.unit_price_minor)


class PaymentSent(HowToPay):
    """How the order is paid."""

    model_config = STRICT


class OrderSent(_Sent):
    """A checkout: lines of any number of sellers make one order."""

    shopper_id: Id
    session_id: Id | None = None
    currency: Annotated[str, Field(pattern="^[A-Z]{3}$")]
    payment: PaymentSent
    lines: Annotated[list[LineSent], Field(min_length=1, max_length=MOST_LINES)]


ORDER_SENT = TypeAdapter(OrderSent)


class StepShown(TypedDict):
    """Something that happened to an order, or to one seller's part of it."""

    status: str
    at: datetime
    seller_id: str | None


class LineShown(TypedDict):
    """A line as it was bought."""

    line_number: int
    product_id: str
    seller_id: str
    quantity: int
    unit_price_minor: int
    discount_minor: int
    shipping_minor: int
    tax_minor: int


class PaymentShown(TypedDict):
    """How far the payment has come, and what of it went back: `refunded` is one of which all did."""

    status: str
    method: Method
    amount_minor: int
    refunded_minor: int


class OrderShown(TypedDict):
    """An order, and how it came to be what it is."""

    order_id: str
    shopper_id: str
    status: Status
    cancellation_reason: str | None
    currency: str
    placed_at: datetime
    history: list[StepShown]
    lines: list[LineShown]
    payment: PaymentShown
