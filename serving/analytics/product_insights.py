"""What followed a seller's price changes, and which of its products are bought together."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import Field
from typing_extensions import TypedDict

from common.clock import from_millis
from common.money import divide_half_up
from serving.analytics.customers import share
from serving.analytics.sales import change, show_period
from serving.kit.analytics_context import AnalyticsContext, PeriodRequest
from serving.kit.csv_writer import money_fields
from serving.kit.names import UNNAMED, ProductName
from serving.kit.response_types import AsOf, Minor, Period, Stale, deprecated_for
from serving.kit.responses import CsvFormat


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


Row = Mapping[str, Any]

NOTES = (
    "A comparison of before and after, not an experiment: whatever else changed at that time counts, too.",
    "Seasons, holidays, campaigns, offers of other sellers and times without stock change sales, too.",
    "A price that is cut because sales were low, or raised because they were high, seems to work even if it "
    "does nothing: extreme weeks are followed by ordinary ones.",
    "A lower price can bring forward what would have been bought later.",
    "Windows that are not whole weeks have different weekdays before and after.",
    "Returns are left out: those of the days after have not all come back.",
)
"""What biases the comparison of the days before and after a price change."""


def price_change(row: Row, days: int, names: Mapping[str, ProductName], zone: ZoneInfo) -> PriceChange:
    """Return a price change from its row of `seller_price_changes`; `days` were asked for."""
    before, after = _window(row, "before"), _window(row, "after")
    old_price, new_price = int(row["old_price_minor"]), int(row["new_price_minor"])
    changed = change(after["net_sales"], before["net_sales"])
    return {
        "product_id": row["product_id"],
        "label": names.get(row["product_id"], UNNAMED).name,
        "changed_at": from_millis(int(row["changed_ms"])).astimezone(zone),
        "old_price": old_price,
        "new_price": new_price,
        "price_change": change(new_price, old_price),
        "days": int(row["days"]),
        "complete": int(row["days"]) == days,
        "before": before,
        "after": after,
        "units_change": change(after["units"], before["units"]),
        "revenue_change": changed,
        "net_sales_change": changed,
    }


def _window(row: Row, side: Literal["before", "after"]) -> PriceWindow:
    days, orders, units = (int(row[name]) for name in ("days", f"orders_{side}", f"units_{side}"))
    net_sales, sessions = int(row[f"revenue_{side}_minor"]), int(row[f"sessions_{side}"])
    per_day = divide_half_up(net_sales, days) if days else None
    return {
        "orders": orders,
        "units": units,
        "revenue": net_sales,
        "viewing_sessions": sessions,
        "units_per_day": share(units, days),
        "revenue_per_day": per_day,
        "orders_per_session": share(orders, sessions),
        "net_sales": net_sales,
        "net_sales_per_day": per_day,
    }


def pairs(rows: Sequence[Row], names: Mapping[str, ProductName]) -> list[ProductPair]:
    """Return the pairs of `seller_bought_together`; a row without products is about a seller without one."""
    return [_pair(row, names) for row in rows if row["product_a"]]


def _pair(row: Row, names: Mapping[str, ProductName]) -> ProductPair:
    every, both = int(row["orders"]), int(row["together"])
    orders_a, orders_b = int(row["orders_a"]), int(row["orders_b"])
    return {
        "product_a": row["product_a"],
        "label_a": names.get(row["product_a"], UNNAMED).name,
        "product_b": row["product_b"],
        "label_b": names.get(row["product_b"], UNNAMED).name,
        "orders": both,
        "orders_a": orders_a,
        "orders_b": orders_b,
        "support": _ratio(both, every),
        "confidence_a": _ratio(both, orders_a),
        "confidence_b": _ratio(both, orders_b),
        "lift": _ratio(both * every, orders_a * orders_b),
    }


def _ratio(part: int, whole: int) -> float:
    """Return a ratio of orders with four decimals; there is at least one order."""
    return share(part, whole) or 0.0


_WINDOW_COLUMNS = tuple(PriceWindow.__annotations__)


def price_change_rows(content: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield the rows of the CSV form: a row for each price change."""
    for each in content["changes"]:
        windows = {
            f"{name}_{side}": each[side][name] for side in ("before", "after") for name in _WINDOW_COLUMNS
        }
        yield {**each, **windows, "complete": "true" if each["complete"] else "false"}


PRICE_CHANGES_CSV = CsvFormat(
    (
        *("product_id", "label", "changed_at", "old_price", "new_price", "price_change", "days", "complete"),
        *(f"{name}_{side}" for side in ("before", "after") for name in _WINDOW_COLUMNS),
        *("units_change", "revenue_change", "net_sales_change"),
    ),
    price_change_rows,
    money_fields(PriceChange)
    | {f"{name}_{side}" for side in ("before", "after") for name in money_fields(PriceWindow)},
)

WINDOW_DAYS = 14
"""The default length of a window: whole weeks, because weekdays differ."""

MIN_ORDERS = 5
"""By default, a pair in fewer orders is not listed: it says nothing."""

MAX_PRODUCTS = 100
"""An order with more products of the seller makes no pairs. It would make more than 4,950."""


@dataclass(frozen=True, slots=True)
class PriceChangesRequest:
    """What is asked: the period of the changes, the longest windows in days, and how many changes."""

    period: PeriodRequest
    days: int = WINDOW_DAYS
    limit: int = 20


@dataclass(frozen=True, slots=True)
class PairsRequest:
    """What is asked: the period of the orders, the fewest orders of a pair, and how many pairs."""

    period: PeriodRequest
    min_orders: int = MIN_ORDERS
    limit: int = 20


async def price_changes(
    context: AnalyticsContext, seller_id: str, request: PriceChangesRequest
) -> PriceChanges:
    """Return the price changes of a period, the newest first.

    Raises:
        UNKNOWN_SELLER: the seller never registered and never sold anything.
    """
    as_of = await context.watermarks.as_of(("offer_changes", "sales_lines", "product_views"))
    period = await context.seller_period(seller_id, request.period)
    rows = await context.clickhouse.rows(
        "seller_price_changes",
        seller_id=seller_id,
        currency=context.currency,
        period_start=period.start,
        period_end=period.end,
        until=(as_of or context.clock()).replace(second=0, microsecond=0),
        days=request.days,
        limit=request.limit,
    )
    await context.require_seller(seller_id, rows)
    names = await context.product_names(row["product_id"] for row in rows)
    return {
        "seller_id": seller_id,
        "currency": context.currency,
        "timezone": context.zone.key,
        "period": show_period(period, context.zone),
        "days": request.days,
        "changes": [price_change(row, request.days, names, context.zone) for row in rows],
        "notes": list(NOTES),
        "as_of": context.local(as_of),
        "stale": False,
    }


async def bought_together(context: AnalyticsContext, seller_id: str, request: PairsRequest) -> BoughtTogether:
    """Return the pairs of products in the orders of a period, the most frequent first.

    Raises:
        UNKNOWN_SELLER: the seller never registered and never sold anything.
    """
    as_of = await context.watermarks.as_of(("sales_lines",))
    period = await context.seller_period(seller_id, request.period)
    rows = await context.clickhouse.rows(
        "seller_bought_together",
        seller_id=seller_id,
        currency=context.currency,
        period_start=period.start,
        period_end=period.end,
        max_products=MAX_PRODUCTS,
        min_orders=request.min_orders,
        limit=request.limit,
    )
    await context.require_seller(seller_id, rows)
    products = {row[name] for row in rows for name in ("product_a", "product_b") if row[name]}
    return {
        "seller_id": seller_id,
        "currency": context.currency,
        "timezone": context.zone.key,
        "period": show_period(period, context.zone),
        "orders": int(rows[0]["orders"]) if rows else 0,
        "min_orders": request.min_orders,
        "pairs": pairs(rows, await context.product_names(products)),
        "as_of": context.local(as_of),
        "stale": False,
    }
