"""What a seller, and the whole marketplace, sold in a period and in the one before it."""

import asyncio
from datetime import UTC, datetime

from serving.analytics import sales as shape
from serving.analytics.periods import LATEST, Grain, Period, buckets, choose_grain, previous_period
from serving.analytics.schemas.sales import MarketplaceSales, Previous, SellerSales
from serving.analytics.service.shop import Asked, Shop
from serving.clickhouse import Row, Value

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

SELLER_TABLES = ("seller_sales_minute",)
MARKETPLACE_TABLES = ("marketplace_sales_minute", "payments_minute")


def newest_minute(rows: list[Row]) -> str | None:
    """The newest minute (UTC text) of rows of the query `seller_sales`, in whatever currency."""
    return max((row["newest_minute"] for row in rows), default=None)


class SalesService:
    """Totals, series, the period before, and the change."""

    def __init__(self, shop: Shop) -> None:
        self._shop = shop

    async def of_seller(self, seller_id: str, asked: Asked) -> SellerSales:
        """What a seller sold, against the period before.

        A seller who was looked up before is not looked up again: the figures themselves say whether the day
        of the newest sale, on which a period that is left open ends, is still the same.
        """
        as_of, (period, sure) = await asyncio.gather(
            self._shop.progress.as_of(SELLER_TABLES), self._shop.likely_period(seller_id, asked)
        )
        before, grain, parameters = self._plan(period, asked.grain)
        if not sure:
            parameters["period_end"] = LATEST
        rows = await self._shop.clickhouse.rows("seller_sales", seller_id=seller_id, **parameters)
        if not sure and self._shop.period(asked, newest_minute(rows)) != period:
            self._shop.forget(seller_id)
            return await self.of_seller(seller_id, asked)
        ours = [row for row in rows if row["currency"] == self._shop.currency]
        now, then = (
            self._sales(when, grain, ours, current=current)
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
        parameters = {**parameters, "currency": self._shop.currency}
        spans = {name: value for name, value in parameters.items() if name not in ("grain", "timezone")}
        rows, paid, active = await self._shop.clickhouse.together(
            ("marketplace_sales", parameters),
            ("marketplace_payments", spans),
            ("marketplace_sellers", spans),
        )
        now, then = (
            self._sales(when, grain, rows, current=current)
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
                "previous_start": max(before.start, EPOCH),
                "period_start": period.start,
                "period_end": period.end,
                "grain": grain,
                "timezone": self._shop.zone.key,
            },
        )

    def _sales(self, period: Period, grain: Grain, rows: list[Row], *, current: bool) -> Previous:
        here = [row for row in rows if bool(int(row["is_current"])) is current]
        starts = buckets(period, grain, self._shop.zone)
        return {
            "period": shape.show_period(period, self._shop.zone),
            "totals": shape.totals(here),
            "series": shape.series(here, starts, period, self._shop.zone),
        }
