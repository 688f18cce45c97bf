"""What a seller, and the whole marketplace, sold in a period and in the one before it."""

import asyncio
from datetime import UTC, datetime

from serving.analytics import sales as shape
from serving.analytics.periods import Grain, Period, buckets, choose_grain, previous_period
from serving.analytics.schemas.sales import MarketplaceSales, Previous, SellerSales
from serving.analytics.service.shop import Asked, Shop
from serving.clickhouse import Row, Value

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

SELLER_TABLES = ("seller_sales_minute", "seller_cancellations_minute")
MARKETPLACE_TABLES = ("marketplace_sales_minute", "marketplace_cancellations_minute", "payments_minute")


class SalesService:
    """Totals, series, the period before, and the change."""

    def __init__(self, shop: Shop) -> None:
        self._shop = shop

    async def of_seller(self, seller_id: str, asked: Asked) -> SellerSales:
        """What a seller sold, against the period before."""
        as_of, period = await asyncio.gather(
            self._shop.progress.as_of(SELLER_TABLES), self._shop.sellers_period(seller_id, asked)
        )
        before, grain, parameters = self._plan(period, asked.grain)
        sold, cancelled = await self._shop.clickhouse.together(
            ("seller_sales", {"seller_id": seller_id, **parameters}),
            ("seller_cancellations", {"seller_id": seller_id, **parameters}),
        )
        now, then = (
            self._sales(when, grain, sold, cancelled, current=current)
            for when, current in ((period, True), (before, False))
        )
        return {
            "seller_id": seller_id,
            "currency": self._shop.currency,
            "timezone": self._shop.zone.key,
            "grain": grain,
            "period": now["period"],
            "totals": now["totals"],
            "change": shape.changes(now["totals"], then["totals"]),
            "series": now["series"],
            "previous": then,
            "as_of": self._shop.local(as_of),
        }

    async def of_marketplace(self, asked: Asked) -> MarketplaceSales:
        """What all sellers sold, against the period before."""
        as_of, span = await asyncio.gather(self._shop.progress.as_of(MARKETPLACE_TABLES), self._shop.span())
        period = self._shop.period(asked, span["newest_minute"])
        before, grain, parameters = self._plan(period, asked.grain)
        spans = {name: value for name, value in parameters.items() if name not in ("grain", "timezone")}
        sold, cancelled, paid, active = await self._shop.clickhouse.together(
            ("marketplace_sales", parameters),
            ("marketplace_cancellations", parameters),
            ("marketplace_payments", spans),
            ("marketplace_sellers", spans),
        )
        now, then = (
            self._sales(when, grain, sold, cancelled, current=current)
            for when, current in ((period, True), (before, False))
        )
        totals, totals_before = (
            shape.marketplace_totals(part["totals"], paid, active, current=current)
            for part, current in ((now, True), (then, False))
        )
        return {
            "currency": self._shop.currency,
            "timezone": self._shop.zone.key,
            "grain": grain,
            "period": now["period"],
            "totals": totals,
            "change": shape.marketplace_changes(totals, totals_before),
            "series": now["series"],
            "previous": {"period": then["period"], "totals": totals_before, "series": then["series"]},
            "as_of": self._shop.local(as_of),
        }

    def _plan(self, period: Period, asked: Grain | None) -> tuple[Period, Grain, dict[str, Value]]:
        grain = asked or choose_grain(period)
        buckets(
            period, grain, self._shop.zone
        )  # refuses a series that would be too long before anything is run
        before = previous_period(period, self._shop.zone)
        return (
            before,
            grain,
            {
                "currency": self._shop.currency,
                "previous_start": max(before.start, EPOCH),
                "period_start": period.start,
                "period_end": period.end,
                "grain": grain,
                "timezone": self._shop.zone.key,
            },
        )

    def _sales(
        self, period: Period, grain: Grain, sold: list[Row], cancelled: list[Row], *, current: bool
    ) -> Previous:
        sold_here = [row for row in sold if bool(int(row["is_current"])) is current]
        cancelled_here = [row for row in cancelled if bool(int(row["is_current"])) is current]
        starts = buckets(period, grain, self._shop.zone)
        return {
            "period": shape.show_period(period, self._shop.zone),
            "totals": shape.totals(sold_here, cancelled_here),
            "series": shape.series(sold_here, cancelled_here, starts, period, self._shop.zone),
        }
