"""What was sold: totals, their changes, and a series."""

from typing import Annotated, Literal

from pydantic import Field
from typing_extensions import TypedDict

from serving.analytics.schemas.basics import AsOf, Change, Minor, Moment, Period


class Cancelled(TypedDict):
    """What of the sales was cancelled since, by whoever; the sales above still hold it.

    An order that could not be delivered as sold (`unavailable`) is a cancelled order too.
    """

    orders: int
    units: int
    gross_minor: Minor
    shipping_minor: Minor


class Totals(TypedDict):
    """The sums of a period, cancelled orders included (see `cancelled`)."""

    orders: Annotated[int, Field(description="Orders placed.", examples=[160])]
    lines: Annotated[int, Field(description="Order lines.", examples=[169])]
    units: Annotated[int, Field(description="Pieces sold: the quantities of the lines.", examples=[171])]
    gross_minor: Annotated[Minor, Field(description="Price times quantity, before discounts.")]
    discount_minor: Minor
    revenue_minor: Annotated[Minor, Field(description="`gross_minor − discount_minor`.")]
    shipping_minor: Annotated[Minor, Field(description="What shoppers paid for shipping.")]
    average_order_minor: Annotated[
        int | None, Field(description="Revenue per order, rounded half up; null without orders.")
    ]
    cancelled: Cancelled


class Payments(TypedDict):
    """What was captured, by the time of capture."""

    payments: int
    amount_minor: Minor


class MarketplaceTotals(Totals):
    """The sums of a period over all sellers."""

    active_sellers: Annotated[int, Field(description="Sellers that sold something.", examples=[3095])]
    payments: Payments


class Changes(TypedDict):
    """Each total against the previous period."""

    orders: Change
    units: Change
    gross_minor: Change
    revenue_minor: Change
    shipping_minor: Change
    average_order_minor: Change
    cancelled_orders: Change


class MarketplaceChanges(Changes):
    """Each total of the marketplace against the previous period."""

    active_sellers: Change
    payments_amount_minor: Change


class Bucket(TypedDict):
    """One hour, day, week (from Monday) or month of the shop's time zone; empty ones are there too."""

    start: Annotated[Moment, Field(description="Not before the period's `from`.")]
    end: Annotated[Moment, Field(description="Not after the period's `to`.")]
    orders: int
    lines: int
    units: int
    gross_minor: Minor
    discount_minor: Minor
    revenue_minor: Minor
    shipping_minor: Minor
    cancelled_orders: int
    cancelled_gross_minor: Minor


class Previous(TypedDict):
    """The period just before, as many whole months or days long where the period is made of them."""

    period: Period
    totals: Totals
    series: list[Bucket]


class MarketplacePrevious(TypedDict):
    """The period just before, over all sellers."""

    period: Period
    totals: MarketplaceTotals
    series: list[Bucket]


class Sales(TypedDict):
    """A period's sales: totals, series, and the period before it."""

    currency: Annotated[str, Field(examples=["BRL"])]
    timezone: Annotated[str, Field(description="Where days begin.", examples=["America/Sao_Paulo"])]
    grain: Literal["hour", "day", "week", "month"]
    period: Period
    series: list[Bucket]
    as_of: AsOf


class SellerSales(Sales):
    """What a seller sold."""

    seller_id: str
    totals: Totals
    previous: Previous
    change: Changes


class MarketplaceSales(Sales):
    """What all sellers sold."""

    totals: MarketplaceTotals
    previous: MarketplacePrevious
    change: MarketplaceChanges
