"""A seller's orders, with that seller's lines."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field
from typing_extensions import TypedDict

from serving.analytics.schemas.basics import AsOf, Minor, Moment

Status = Literal["placed", "confirmed", "shipped", "delivered", "cancelled"]


class OrderLine(TypedDict):
    """One line of an order that is this seller's."""

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
    """One order with this seller's lines only; money is of those lines."""

    order_id: str
    status: Annotated[Status, Field(description="How far this seller's part of the order has come.")]
    placed_at: Moment
    confirmed_at: datetime | None
    shipped_at: Annotated[datetime | None, Field(description="When this seller's newest parcel left.")]
    delivered_at: Annotated[datetime | None, Field(description="When this seller's newest parcel arrived.")]
    cancelled_at: datetime | None
    currency: str
    units: int
    revenue_minor: Minor
    shipping_minor: Minor
    lines: list[OrderLine]


class Orders(TypedDict):
    """A page of a seller's orders, newest first."""

    seller_id: str
    orders: list[Order]
    next_cursor: Annotated[
        str | None, Field(description="Give it back as `cursor` for the next page; null at the end.")
    ]
    as_of: AsOf
