"""Explains why the net sales of a seller differ between two periods."""

from dataclasses import dataclass
from typing import Literal

from serving.analytics.presenters import changes as presenter
from serving.analytics.presenters.sales import show_period
from serving.analytics.schemas.changes import SalesChange
from serving.kit.analytics_context import AnalyticsContext, PeriodRequest
from serving.kit.periods import earlier_period

TABLES = ("sales_lines",)

Compare = Literal["previous", "year"]


@dataclass(frozen=True, slots=True)
class ChangeRequest:
    """What is asked: a period, the one to compare with, and how many products and categories to list."""

    period: PeriodRequest
    compare: Compare = "previous"
    top: int = 10


class ChangesService:
    """Returns the parts of a difference of net sales; they add up to it exactly."""

    def __init__(self, context: AnalyticsContext) -> None:
        self._context = context

    async def of_seller(self, seller_id: str, request: ChangeRequest) -> SalesChange:
        """Return the effects of prices, quantities, products of one period only, discounts and lost sales.

        Raises:
            UNKNOWN_SELLER: the seller never registered and never sold anything.
        """
        zone, currency = self._context.zone, self._context.currency
        as_of = await self._context.watermarks.as_of(TABLES)
        period = await self._context.seller_period(seller_id, request.period)
        before = earlier_period(request.compare, period, as_of, zone)
        rows = await self._context.clickhouse.rows(
            "seller_sales_change",
            seller_id=seller_id,
            currency=currency,
            period_start=period.start,
            period_end=period.end,
            compared_start=before.start,
            compared_end=before.end,
        )
        await self._context.require_seller(seller_id, rows)
        products = presenter.by_product(rows)
        categories = presenter.by_category(products)
        listed = products[: request.top]
        names = await self._context.product_names(part.name for part in listed)
        gross = presenter.compared(rows, "gross_minor")
        return {
            "seller_id": seller_id,
            "currency": currency,
            "timezone": zone.key,
            "period": show_period(period, zone),
            "compare": request.compare,
            "compared_period": show_period(before, zone),
            "net_sales": presenter.compared(rows, "revenue_minor"),
            "gross_sales": gross,
            "effects": presenter.together(products).effects,
            "factors": presenter.factors(
                gross, presenter.compared(rows, "orders"), presenter.compared(rows, "units")
            ),
            "products": [presenter.show_part(part, names) for part in listed],
            "other_products": presenter.show_others(products[request.top :]),
            "categories": [presenter.show_part(part, {}) for part in categories[: request.top]],
            "other_categories": presenter.show_others(categories[request.top :]),
            "as_of": self._context.local(as_of),
            "stale": False,
        }
