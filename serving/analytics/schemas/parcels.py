"""The response with the parcels that a seller must ship."""

from datetime import datetime
from typing import Annotated

from pydantic import Field
from typing_extensions import TypedDict

from serving.analytics.schemas.tasks import ParcelLine
from serving.kit.response_types import AsOf, Moment, Stale


class DueParcel(TypedDict):
    """A confirmed order of which the seller has shipped nothing."""

    order_id: str
    placed_at: Moment
    confirmed_at: Moment
    promised_at: Annotated[
        datetime | None,
        Field(description="When the shopper was promised to have it; null if nothing was promised."),
    ]
    is_overdue: Annotated[bool, Field(description="Whether the day of the promise is over at `as_of`.")]
    units: int
    lines: Annotated[list[ParcelLine], Field(description="The seller's own lines.")]


class DueParcels(TypedDict):
    """What a seller must ship: the earliest promise first. Orders without a promise are the last ones.

    The counts are of all orders, also of those that the list is too short for.
    """

    seller_id: str
    timezone: Annotated[str, Field(examples=["America/Sao_Paulo"])]
    days: Annotated[int, Field(description="Orders that were placed earlier before `as_of` are left out.")]
    orders: Annotated[int, Field(description="How many there are.", examples=[12])]
    units: int
    overdue: Annotated[int, Field(description="How many of the orders are overdue.")]
    due_soon: Annotated[int, Field(description="How many were promised for the day of `as_of` or the next.")]
    parcels: list[DueParcel]
    as_of: AsOf
    stale: Stale
