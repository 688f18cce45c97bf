"""Returns what followed a seller's price changes, and which of its products are bought together."""

from dataclasses import dataclass

from serving.analytics.presenters import product_insights as presenter
from serving.analytics.presenters.sales import show_period
from serving.analytics.schemas.product_insights import BoughtTogether, PriceChanges
from serving.kit.analytics_context import AnalyticsContext, PeriodRequest

PRICE_TABLES = ("offer_changes", "sales_lines", "product_views")
PAIR_TABLES = ("sales_lines",)

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


class ProductInsightsService:
    """Returns figures of a seller's own products."""

    def __init__(self, context: AnalyticsContext) -> None:
        self._context = context

    async def price_changes(self, seller_id: str, request: PriceChangesRequest) -> PriceChanges:
        """Return the price changes of a period, the newest first.

        Raises:
            UNKNOWN_SELLER: the seller never registered and never sold anything.
        """
        context = self._context
        as_of = await context.watermarks.as_of(PRICE_TABLES)
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
            "changes": [presenter.price_change(row, request.days, names, context.zone) for row in rows],
            "notes": list(presenter.NOTES),
            "as_of": context.local(as_of),
            "stale": False,
        }

    async def bought_together(self, seller_id: str, request: PairsRequest) -> BoughtTogether:
        """Return the pairs of products in the orders of a period, the most frequent first.

        Raises:
            UNKNOWN_SELLER: the seller never registered and never sold anything.
        """
        context = self._context
        as_of = await context.watermarks.as_of(PAIR_TABLES)
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
            "pairs": presenter.pairs(rows, await context.product_names(products)),
            "as_of": context.local(as_of),
            "stale": False,
        }
