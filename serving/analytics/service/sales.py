"""What a seller, and the whole marketplace, sold in a period and in the one before it."""

import asyncio
from datetime import UTC, datetime
from typing import NamedTuple

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


class Plan(NamedTuple):
    """What is asked of ClickHouse for a period and the one before it."""

    period: Period
    before: Period
    grain: Grain
    parameters: dict[str, Value]


class SalesService:
    """Totals, series, the period before, and the change."""

    def __init__(self, shop: Shop) -> None:
        self._shop = shop

    async def of_seller(self, seller_id: str, asked: Asked) -> SellerSales:
        """What a seller sold, against the period before.

        Most sellers need not be looked up first: the figures themselves say that there is such a seller, and
        whether the day of their newest sale, on which a period that is left open ends, was guessed rightly.

        Raises:
            UnknownSeller: neither registered nor seen in a sale.
        """
        as_of = await self._shop.progress.as_of(SELLER_TABLES)
        if likely := self._shop.likely_period(seller_id, asked):
            plan = self._plan(likely, asked.grain)
            rows = await self._rows(seller_id, plan, LATEST)
            newest = newest_minute(rows)
            if newest and self._shop.period(asked, newest) == likely:
                return self._of_seller(seller_id, plan, rows, as_of)
        if asked.end is None:
            period = await self._shop.sellers_period(seller_id, asked)
        else:
            period = self._shop.period(asked, None)
        plan = self._plan(period, asked.grain)
        rows = await self._rows(seller_id, plan, period.end)
        if not rows:
            await self._shop.check(seller_id)
        return self._of_seller(seller_id, plan, rows, as_of)

    async def _rows(self, seller_id: str, plan: Plan, end: datetime) -> list[Row]:
        parameters = {**plan.parameters, "seller_id": seller_id, "period_end": end}
        return await self._shop.clickhouse.rows("seller_sales", **parameters)

    def _of_seller(self, seller_id: str, plan: Plan, rows: list[Row], as_of: datetime | None) -> SellerSales:
        period, before, grain, _ = plan
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
        _, before, grain, parameters = self._plan(period, asked.grain)
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

    def _plan(self, period: Period, asked: Grain | None) -> Plan:
        grain = asked or choose_grain(period)
        buckets(
            period, grain, self._shop.zone
        )  # refuses a series that would be too long before anything is run
        before = previous_period(period, self._shop.zone)
        return Plan(
            period,
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
