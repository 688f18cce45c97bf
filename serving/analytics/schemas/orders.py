"""The response with a seller's orders."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field
from typing_extensions import TypedDict

from serving.kit.response_types import AsOf, Minor, Moment, Stale

Status = Literal["placed", "confirmed", "shipped", "delivered", "cancelled"]


class SellerOrderLine(TypedDict):
    """One order line of this seller."""

    line_number: int
    product_id: str
    name: str | None
    category: str | None
    quantity: int
    unit_price_minor: Minor
    gross_minor: Minor
    discount_minor: Minor
    shipping_minor: Minor


class Order(TypedDict):
    """One order with this seller's lines only. The amounts are the sums of these lines."""

    order_id: str
    status: Annotated[Status, Field(description="The status of this seller's part of the order.")]
    placed_at: Moment
    confirmed_at: datetime | None
    shipped_at: Annotated[datetime | None, Field(description="When this seller's latest parcel was shipped.")]
    delivered_at: Annotated[datetime | None, Field(description="When this seller's latest parcel arrived.")]
    cancelled_at: datetime | None
    currency: str
    units: int
    revenue_minor: Annotated[
        Minor,
        Field(
            description="`gross_minor − discount_minor` of the lines, whatever became of them; not net sales."
        ),
    ]
    shipping_minor: Minor
    lines: list[SellerOrderLine]


class Orders(TypedDict):
    """A page of a seller's orders, newest first."""

    seller_id: str
    orders: list[Order]
    next_cursor: Annotated[
        str | None, Field(description="The `cursor` of the next page; null on the last page.")
    ]
    as_of: AsOf
    stale: Stale
