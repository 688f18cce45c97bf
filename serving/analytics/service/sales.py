"""What a seller, and the whole marketplace, sold in a period and in the one before it."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from serving.analytics import sales as shape
from serving.analytics.periods import LATEST, Grain, Period, buckets, choose_grain, previous_period
from serving.analytics.schemas.sales import MarketplaceSales, Previous, SellerSales
from serving.analytics.service.shop import Asked, Shop
from serving.clickhouse import Row, Value

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

SELLER_TABLES = ("seller_sales_minute",)
MARKETPLACE_TABLES = ("marketplace_sales_minute", "payments_minute")

WITHIN_A_DAY: tuple[Grain | None, ...] = (None, "day", "hour")
"""Grains whose buckets never lie in two days; the grain of a month that none is asked for is the day."""

SOLD_WITHIN = timedelta(days=30)
"""Who has sold something so lately is answered at the first question."""


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

        Most sellers need not be looked up first. A period that is left open ends with the day of their newest
        sale: where that is one of the newest days of the shop, the days that are asked for hold it.

        Raises:
            UnknownSeller: neither registered nor seen in a sale.
        """
        as_of = await self._shop.progress.as_of(SELLER_TABLES)
        if as_of and asked.is_open and asked.grain in WITHIN_A_DAY:
            newest_days = self._plan(self._shop.newest_days(as_of), asked.grain)
            since = newest_days.before.start - SOLD_WITHIN
            rows = await self._rows(seller_id, newest_days, since, LATEST)
            if newest := newest_minute(rows):
                plan = self._plan(self._shop.period(asked, newest), asked.grain)
                if since <= plan.before.start and shape.of_our_days(rows, plan.grain, self._shop.zone):
                    return self._of_seller(
                        seller_id, plan, shape.told_anew(rows, plan.period, plan.before), as_of
                    )
        plan = self._plan(await self._shop.sellers_period(seller_id, asked), asked.grain)
        rows = await self._rows(seller_id, plan, plan.before.start, plan.period.end)
        await self._shop.check(seller_id, rows)
        return self._of_seller(seller_id, plan, rows, as_of)

    async def _rows(self, seller_id: str, plan: Plan, since: datetime, until: datetime) -> list[Row]:
        bounds = {"previous_start": max(since, EPOCH), "period_end": until}
        parameters = {**plan.parameters, **bounds, "seller_id": seller_id}
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
        period = self._shop.period(asked, span.newest)
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
