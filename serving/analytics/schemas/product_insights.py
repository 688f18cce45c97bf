"""The responses about price changes of a seller's products, and about products bought together."""

from datetime import datetime
from typing import Annotated

from pydantic import Field
from typing_extensions import TypedDict

from serving.kit.response_types import AsOf, Minor, Period, Stale, deprecated_for


class PriceWindow(TypedDict):
    """What was sold of a product in the days before or after a price change."""

    orders: int
    units: int
    revenue: Annotated[Minor, deprecated_for("net_sales")]
    viewing_sessions: Annotated[int, Field(description="Visits in which its page was opened.")]
    units_per_day: Annotated[
        float | None, Field(description="Rounded to four decimals; null without a whole day.")
    ]
    revenue_per_day: Annotated[Minor | None, deprecated_for("net_sales_per_day")]
    orders_per_session: Annotated[
        float | None,
        Field(description="All orders ÷ sessions with a view, to four decimals; null without a view."),
    ]
    net_sales: Annotated[
        Minor, Field(description="After discounts and cancellations; returns are not taken off.")
    ]
    net_sales_per_day: Annotated[
        Minor | None, Field(description="In minor units, rounded half up; null without a whole day.")
    ]


class PriceChange(TypedDict):
    """A new price of a product, and what was sold in as many whole days before and after it."""

    product_id: str
    label: Annotated[str | None, Field(description="The product's name.")]
    changed_at: datetime
    old_price: Minor
    new_price: Minor
    price_change: Annotated[
        float | None, Field(description="Relative change of the price; null if it was 0.")
    ]
    days: Annotated[
        int,
        Field(
            description="The length of each window in days of 24 hours: as many as asked for, but neither "
            "window reaches beyond another price change, a listing or delisting, or now.",
        ),
    ]
    complete: Annotated[bool, Field(description="Whether the windows are as long as asked for.")]
    before: PriceWindow
    after: PriceWindow
    units_change: Annotated[
        float | None, Field(description="Relative change of the units; null if none were sold before.")
    ]
    revenue_change: Annotated[float | None, deprecated_for("net_sales_change")]
    net_sales_change: Annotated[
        float | None, Field(description="Relative change of the net sales; null if there were none before.")
    ]


class PriceChanges(TypedDict):
    """The price changes of a seller's products in a period, the newest first."""

    seller_id: str
    currency: Annotated[str, Field(examples=["BRL"])]
    timezone: str
    period: Period
    days: Annotated[int, Field(description="The days that were asked for.")]
    changes: list[PriceChange]
    notes: Annotated[list[str], Field(description="What biases the comparison.")]
    as_of: AsOf
    stale: Stale


class ProductPair(TypedDict):
    """Two products of a seller that were in the same orders."""

    product_a: str
    label_a: str | None
    product_b: str
    label_b: str | None
    orders: Annotated[int, Field(description="Orders with both.")]
    orders_a: Annotated[int, Field(description="Orders with the first product.")]
    orders_b: Annotated[int, Field(description="Orders with the second product.")]
    support: Annotated[float, Field(description="`orders` ÷ all orders of the seller.")]
    confidence_a: Annotated[
        float, Field(description="Share of the orders with the first that have the second.")
    ]
    confidence_b: Annotated[
        float, Field(description="Share of the orders with the second that have the first.")
    ]
    lift: Annotated[
        float,
        Field(
            description="How many times as often as if the two were bought independently of each other: "
            "`orders` × all orders ÷ (`orders_a` × `orders_b`)."
        ),
    ]


class BoughtTogether(TypedDict):
    """Pairs of a seller's own products in the orders of a period, the most frequent first."""

    seller_id: str
    currency: Annotated[str, Field(examples=["BRL"])]
    timezone: str
    period: Period
    orders: Annotated[int, Field(description="Confirmed orders of the seller that were not cancelled.")]
    min_orders: Annotated[int, Field(description="Pairs in fewer orders are not listed.")]
    pairs: list[ProductPair]
    as_of: AsOf
    stale: Stale
