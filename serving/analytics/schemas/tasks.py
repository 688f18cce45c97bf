"""The response with what a seller has to do."""

from typing import Annotated

from pydantic import Field
from typing_extensions import TypedDict

from serving.kit.response_types import AsOf, Moment, Stale


class ParcelLine(TypedDict):
    """A product to pack."""

    product_id: str
    label: Annotated[str | None, Field(description="The name of the product.")]
    quantity: int


class WaitingOrder(TypedDict):
    """A confirmed order of which the seller has shipped nothing."""

    order_id: str
    placed_at: Moment
    confirmed_at: Moment
    units: int
    lines: Annotated[list[ParcelLine], Field(description="The seller's own lines.")]


class ToShip(TypedDict):
    """Confirmed orders that wait for the seller's parcel."""

    days: Annotated[int, Field(description="Orders that were placed earlier before `as_of` are left out.")]
    orders: Annotated[int, Field(description="How many there are.", examples=[12])]
    units: int
    longest_waiting: Annotated[list[WaitingOrder], Field(description="The longest waiting first.")]


class LowStock(TypedDict):
    """A product whose stock will be sold soon."""

    product_id: str
    label: Annotated[str | None, Field(description="The name of the product.")]
    available: Annotated[int, Field(description="Units that are neither sold nor reserved.")]
    units_sold: Annotated[int, Field(description="In the last `days`, without cancelled ones.")]
    days_of_supply: Annotated[
        float, Field(description="`available × days ÷ units_sold`: how long the stock lasts at this rate.")
    ]


class ToReorder(TypedDict):
    """Products that sold in the last days and whose stock lasts for a short time."""

    days: Annotated[int, Field(description="The days before `as_of` whose sales are the rate.")]
    supply_days: Annotated[int, Field(description="Products whose stock lasts longer are not listed.")]
    products: Annotated[list[LowStock], Field(description="Those that are sold out first come first.")]


class SellerTasks(TypedDict):
    """What a seller has to do: orders to ship, and products to reorder."""

    seller_id: str
    timezone: Annotated[str, Field(examples=["America/Sao_Paulo"])]
    to_ship: ToShip
    to_reorder: ToReorder
    as_of: AsOf
    stale: Stale
