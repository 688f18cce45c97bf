"""What the figures look like: the shapes of the answers, as the API describes them."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field
from typing_extensions import TypedDict

Minor = Annotated[int, Field(description="Money in minor units (cents) of `currency`.", examples=[1299000])]
Moment = Annotated[datetime, Field(examples=["2018-08-01T00:00:00-03:00"])]
AsOf = Annotated[
    datetime | None,
    Field(
        description="Up to this event time every event is in these figures; null while nothing has flowed.",
        examples=["2018-08-29T12:14:35-03:00"],
    ),
]
Change = Annotated[
    float | None,
    Field(
        description="Relative change against the previous period (0.12 is 12 % more); null if that was 0.",
        examples=[0.1183],
    ),
]
Status = Literal["placed", "confirmed", "shipped", "delivered", "cancelled"]

Period = TypedDict(
    "Period",
    {
        "from": Annotated[Moment, Field(description="Inclusive.")],
        "to": Annotated[Moment, Field(description="Exclusive.")],
    },
)


class Cancelled(TypedDict):
    """What of the sales was cancelled since; the sales above still hold it."""

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


class TopProduct(TypedDict):
    """One product of a seller in a period."""

    product_id: str
    name: str | None
    category: Annotated[str | None, Field(examples=["watches_gifts"])]
    orders: int
    units: int
    gross_minor: Minor
    revenue_minor: Minor
    shipping_minor: Minor


class TopProducts(TypedDict):
    """A seller's best products of a period."""

    seller_id: str
    currency: str
    by: Literal["revenue", "units", "orders"]
    period: Period
    products: list[TopProduct]
    as_of: AsOf


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
    status: Annotated[Status, Field(description="How far the order has come.")]
    placed_at: Moment
    confirmed_at: datetime | None
    shipped_at: datetime | None
    delivered_at: datetime | None
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


class PopularProduct(TypedDict):
    """One product of a ranking."""

    rank: Annotated[int, Field(examples=[1])]
    product_id: str
    name: str | None
    category: str | None
    score: Annotated[
        float, Field(description="Recency-weighted units, relative to the first of the ranking (1.0).")
    ]


class PopularProducts(TypedDict):
    """The marketplace's most popular products right now."""

    ranking: Literal["popular", "trending"]
    half_life_days: Annotated[int, Field(description="After so many days a unit counts half.")]
    products: list[PopularProduct]


class SellerFound(TypedDict):
    """One seller of a search."""

    seller_id: str
    name: str | None
    city: Annotated[str | None, Field(examples=["sao paulo"])]
    state: Annotated[str | None, Field(examples=["SP"])]
    orders: int
    revenue_minor: Minor


class Sellers(TypedDict):
    """Sellers that match, best-selling first."""

    currency: str
    sellers: list[SellerFound]
