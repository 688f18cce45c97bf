"""The responses with sales: totals, their changes, and a series."""

from typing import Annotated, Literal

from pydantic import Field
from typing_extensions import TypedDict

from serving.kit.response_types import AsOf, Change, Minor, Moment, Period, Revenue, Stale, deprecated_for


class Cancelled(TypedDict):
    """The part of the sales that was cancelled later, by anyone. The totals include it, net sales do not.

    An order that could not be delivered as sold (`unavailable`) counts as cancelled.
    """

    orders: int
    units: int
    gross_minor: Minor
    discount_minor: Annotated[Minor, Field(description="Discounts on the cancelled lines.")]
    shipping_minor: Minor


class Returned(TypedDict):
    """The part of the sales that was returned and refunded. The totals include it, net sales do not."""

    units: int
    refund_minor: Annotated[
        Minor, Field(description="What sellers gave back: to shoppers, and to the marketplace.")
    ]


class Totals(TypedDict):
    """The sums of a period: confirmed orders that were placed in it, including those cancelled later."""

    orders: Annotated[int, Field(description="Confirmed orders.", examples=[160])]
    lines: Annotated[int, Field(description="Order lines.", examples=[169])]
    units: Annotated[int, Field(description="Units sold: the sum of the quantities.", examples=[171])]
    gross_minor: Annotated[Minor, Field(description="Price times quantity, before discounts.")]
    discount_minor: Minor
    net_sales_minor: Annotated[
        Minor,
        Field(
            description="`gross_minor − discount_minor − (cancelled.gross_minor − cancelled.discount_minor) "
            "− returned.refund_minor`."
        ),
    ]
    revenue_minor: Revenue
    shipping_minor: Annotated[Minor, Field(description="Shipping paid by shoppers.")]
    average_order_minor: Annotated[
        Minor | None,
        Field(description="Net sales per order that was not cancelled, rounded half up; null for no order."),
    ]
    cancelled: Cancelled
    returned: Returned


class Payments(TypedDict):
    """Captured payments, by the time of capture."""

    payments: int
    amount_minor: Minor


class MarketplaceTotals(Totals):
    """The sums of a period over all sellers."""

    active_sellers: Annotated[int, Field(description="Sellers with at least one order.", examples=[3095])]
    payments: Payments


class Changes(TypedDict):
    """Each total against the same total in `compared`."""

    orders: Change
    units: Change
    gross_minor: Change
    net_sales_minor: Change
    revenue_minor: Annotated[Change, deprecated_for("net_sales_minor")]
    shipping_minor: Change
    average_order_minor: Change
    cancelled_orders: Change


class MarketplaceChanges(Changes):
    """Each total of the marketplace against the same total in `compared`."""

    active_sellers: Change
    payments_amount_minor: Change


class Bucket(TypedDict):
    """One hour, day, week (from Monday) or month in the shop's time zone. Empty buckets are included."""

    start: Annotated[Moment, Field(description="Not before the period's `from`.")]
    end: Annotated[Moment, Field(description="Not after the period's `to`.")]
    orders: int
    lines: int
    units: int
    gross_minor: Minor
    discount_minor: Minor
    revenue_minor: Revenue
    shipping_minor: Minor
    cancelled_orders: int
    cancelled_gross_minor: Minor
    cancelled_discount_minor: Minor
    returned_minor: Minor
    net_sales_minor: Minor


class Previous(TypedDict):
    """The period just before: as many months or days if the period has whole ones only, else as long."""

    period: Period
    totals: Totals
    series: list[Bucket]


class MarketplacePrevious(TypedDict):
    """The period just before, over all sellers."""

    period: Period
    totals: MarketplaceTotals
    series: list[Bucket]


class ComparedTotals(TypedDict):
    """The part of the previous period that `change` compares with: all of it once the period is over.

    While the period is not over, the part ends at the moment that corresponds to `as_of`.
    """

    period: Period
    totals: Totals


class MarketplaceCompared(TypedDict):
    """The part of the previous period that `change` compares with, over all sellers."""

    period: Period
    totals: MarketplaceTotals


class Sales(TypedDict):
    """The sales of a period: totals, series, and the previous period."""

    currency: Annotated[str, Field(examples=["BRL"])]
    timezone: Annotated[
        str, Field(description="The time zone of days, weeks and months.", examples=["America/Sao_Paulo"])
    ]
    grain: Literal["hour", "day", "week", "month"]
    period: Period
    series: list[Bucket]
    as_of: AsOf
    stale: Stale


class SellerSales(Sales):
    """The sales of a seller."""

    seller_id: str
    totals: Totals
    previous: Previous
    compared: ComparedTotals
    change: Changes


class MarketplaceSales(Sales):
    """The sales of all sellers."""

    totals: MarketplaceTotals
    previous: MarketplacePrevious
    compared: MarketplaceCompared
    change: MarketplaceChanges
