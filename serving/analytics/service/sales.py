"""Returns the sales of a seller or of the marketplace in a period, compared with the previous period."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from serving.analytics.presenters import sales as presenter
from serving.analytics.schemas.sales import MarketplaceSales, Previous, SellerSales
from serving.kit.analytics_context import AnalyticsContext, PeriodRequest
from serving.kit.clickhouse import Row, Value
from serving.kit.periods import (
    LATEST,
    Grain,
    Period,
    buckets,
    choose_grain,
    compared_period,
    previous_period,
)

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

SELLER_TABLES = ("seller_sales_minute",)
MARKETPLACE_TABLES = ("marketplace_sales_minute", "payments_minute")

GRAINS_WITHIN_A_DAY: tuple[Grain | None, ...] = (None, "day", "hour")
"""Requested grains whose buckets never span two days. With None, the default period is drawn by day."""

RECENT_SALES_WINDOW = timedelta(days=30)
"""If a seller's newest sale is at most this much older than the marketplace's, one query is enough."""


def newest_minute(rows: list[Row]) -> str | None:
    """Return the newest minute (UTC text) in rows of the query `seller_sales`, in any currency."""
    return max((row["newest_minute"] for row in rows), default=None)


class SalesQuery(NamedTuple):
    """A period, the previous period, its part to compare with, and the parameters of the query."""

    period: Period
    before: Period
    compared: Period
    grain: Grain
    parameters: dict[str, Value]

    @property
    def is_unfinished(self) -> bool:
        """Whether only a part of the previous period is compared."""
        return self.compared != self.before


class SalesService:
    """Returns totals, series, the previous period, and the change."""

    def __init__(self, context: AnalyticsContext) -> None:
        self._context = context

    async def of_seller(self, seller_id: str, requested: PeriodRequest) -> SellerSales:
        """Return what a seller sold, compared with the previous period.

        Without bounds, the period ends with the day of the seller's newest sale. For most sellers this is one
        of the marketplace's newest days. These days are queried first, without looking up the newest sale.

        Raises:
            UnknownSeller: the seller never registered and never sold anything.
        """
        as_of = await self._context.watermarks.as_of(SELLER_TABLES)
        if as_of and requested.is_open and requested.grain in GRAINS_WITHIN_A_DAY:
            sales = await self._of_newest_days(seller_id, requested, as_of)
            if sales:
                return sales
        query = self._query(await self._context.seller_period(seller_id, requested), requested.grain, as_of)
        rows = await self._rows(seller_id, query, query.before.start, query.period.end)
        await self._context.require_seller(seller_id, rows)
        return self._of_seller(seller_id, query, rows, as_of)

    async def _of_newest_days(
        self, seller_id: str, requested: PeriodRequest, as_of: datetime
    ) -> SellerSales | None:
        """Return a seller's sales in the default period; None if the queried days do not cover the period."""
        newest_days = self._query(self._context.newest_days(as_of), requested.grain, as_of)
        since = newest_days.before.start - RECENT_SALES_WINDOW
        rows = await self._rows(seller_id, newest_days, since, LATEST)
        newest = newest_minute(rows)
        if newest is None:
            return None
        query = self._query(self._context.period(requested, newest), requested.grain, as_of)
        if since > query.before.start or (query.is_unfinished and query.period != newest_days.period):
            return None
        if not presenter.days_match_zone(rows, query.grain, self._context.zone):
            return None
        own = presenter.repartition(rows, query.period, query.before)
        return self._of_seller(seller_id, query, own, as_of)

    async def _rows(self, seller_id: str, query: SalesQuery, since: datetime, until: datetime) -> list[Row]:
        parameters = {
            **query.parameters,
            "previous_start": max(since, EPOCH),
            "period_end": until,
            "seller_id": seller_id,
        }
        return await self._context.clickhouse.rows("seller_sales", **parameters)

    def _of_seller(
        self,
        seller_id: str,
        query: SalesQuery,
        rows: list[Row],
        as_of: datetime | None,
    ) -> SellerSales:
        own = self._in_currency(rows)
        current = self._sales(query.period, query.grain, own, current=True)
        previous = self._sales(query.before, query.grain, own, current=False)
        compared = previous["totals"]
        if query.is_unfinished:
            compared = presenter.totals(presenter.compared_rows(own))
        return {
            "seller_id": seller_id,
            "currency": self._context.currency,
            "timezone": self._context.zone.key,
            "grain": query.grain,
            "period": current["period"],
            "totals": current["totals"],
            "change": presenter.changes(current["totals"], compared),
            "series": current["series"],
            "previous": previous,
            "compared": {
                "period": presenter.show_period(query.compared, self._context.zone),
                "totals": compared,
            },
            "as_of": self._context.local(as_of),
            "stale": False,
        }

    async def of_marketplace(self, requested: PeriodRequest) -> MarketplaceSales:
        """Return what all sellers sold, compared with the previous period."""
        as_of, period = await asyncio.gather(
            self._context.watermarks.as_of(MARKETPLACE_TABLES), self._context.marketplace_period(requested)
        )
        query = self._query(period, requested.grain, as_of)
        rows, paid, active = await self._marketplace_rows(query)
        current = self._sales(query.period, query.grain, rows, current=True)
        previous = self._sales(query.before, query.grain, rows, current=False)
        totals = presenter.marketplace_totals(current["totals"], paid, active, current=True)
        totals_before = presenter.marketplace_totals(previous["totals"], paid, active, current=False)
        compared = totals_before
        if query.is_unfinished:
            compared = presenter.compared_marketplace_totals(rows, paid, active)
        return {
            "currency": self._context.currency,
            "timezone": self._context.zone.key,
            "grain": query.grain,
            "period": current["period"],
            "totals": totals,
            "change": presenter.marketplace_changes(totals, compared),
            "series": current["series"],
            "previous": {"period": previous["period"], "totals": totals_before, "series": previous["series"]},
            "compared": {
                "period": presenter.show_period(query.compared, self._context.zone),
                "totals": compared,
            },
            "as_of": self._context.local(as_of),
            "stale": False,
        }

    async def _marketplace_rows(self, query: SalesQuery) -> list[list[Row]]:
        """Return the rows of the queries for sales, payments and active sellers."""
        parameters = {**query.parameters, "currency": self._context.currency}
        bounds = {name: value for name, value in parameters.items() if name not in ("grain", "timezone")}
        return await self._context.clickhouse.rows_of_all(
            ("marketplace_sales", parameters),
            ("marketplace_payments", bounds),
            ("marketplace_sellers", bounds),
        )

    def _in_currency(self, rows: list[Row]) -> list[Row]:
        return [row for row in rows if row["currency"] == self._context.currency]

    def _query(self, period: Period, requested: Grain | None, as_of: datetime | None) -> SalesQuery:
        grain = requested or choose_grain(period)
        buckets(period, grain, self._context.zone)  # raises BadPeriod if the series would be too long
        before = previous_period(period, self._context.zone)
        compared = compared_period(period, before, as_of, self._context.zone) if as_of else before
        return SalesQuery(
            period,
            before,
            compared,
            grain,
            {
                "previous_start": max(before.start, EPOCH),
                "compared_end": max(compared.end, EPOCH),
                "period_start": period.start,
                "period_end": period.end,
                "grain": grain,
                "timezone": self._context.zone.key,
            },
        )

    def _sales(self, period: Period, grain: Grain, rows: list[Row], *, current: bool) -> Previous:
        here = [row for row in rows if bool(int(row["is_current"])) is current]
        starts = buckets(period, grain, self._context.zone)
        return {
            "period": presenter.show_period(period, self._context.zone),
            "totals": presenter.totals(here),
            "series": presenter.series(here, starts, period, self._context.zone),
        }
