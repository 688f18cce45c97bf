"""Returns the sales of a seller or of the marketplace in a period, compared with the previous period."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple, TypeVar, cast

from clickhouse.metric_catalogue.queries import two_periods_query
from serving.analytics.presenters import sales as presenter
from serving.analytics.schemas.sales import Bucket, Changes, MarketplaceSales, SellerSales, Totals
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

T = TypeVar("T", bound=Totals)

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

SELLER_TABLES = ("seller_sales_minute",)
SELLER_SQL = two_periods_query(presenter.SOURCE, presenter.COLUMNS)
"""The query of a seller's sales: one for the period and for the one before."""

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
            UNKNOWN_SELLER: the seller never registered and never sold anything.
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
        parameters: dict[str, Value] = {
            **query.parameters,
            "previous_start": max(since, EPOCH),
            "period_end": until,
            "seller_id": seller_id,
        }
        return await self._context.clickhouse.rows_of_sql("seller_sales", SELLER_SQL, parameters)

    def _of_seller(
        self, seller_id: str, query: SalesQuery, rows: list[Row], as_of: datetime | None
    ) -> SellerSales:
        own = [row for row in rows if row["currency"] == self._context.currency]
        content = self._content(
            query, own, as_of, lambda part: presenter.totals(presenter.of_part(own, part)), presenter.changes
        )
        return cast(SellerSales, {"seller_id": seller_id, **content})

    async def of_marketplace(self, requested: PeriodRequest) -> MarketplaceSales:
        """Return what all sellers sold, compared with the previous period."""
        as_of, period = await asyncio.gather(
            self._context.watermarks.as_of(MARKETPLACE_TABLES), self._context.marketplace_period(requested)
        )
        query = self._query(period, requested.grain, as_of)
        rows, paid, active = await self._marketplace_rows(query)
        content = self._content(
            query,
            rows,
            as_of,
            lambda part: presenter.marketplace_totals(rows, paid, active, part),
            presenter.marketplace_changes,
        )
        return cast(MarketplaceSales, content)

    def _content(
        self,
        query: SalesQuery,
        rows: Sequence[Row],
        as_of: datetime | None,
        totals: Callable[[presenter.Part], T],
        changes: Callable[[T, T], Changes],
    ) -> dict[str, Any]:
        """Return the content of a response: `totals` of each part of the time, their changes, and series."""
        zone = self._context.zone
        now, before = totals("current"), totals("previous")
        compared = totals("compared") if query.is_unfinished else before

        def series(period: Period, part: presenter.Part) -> list[Bucket]:
            starts = buckets(period, query.grain, zone)
            return presenter.series(presenter.of_part(rows, part), starts, period, zone)

        return {
            "currency": self._context.currency,
            "timezone": zone.key,
            "grain": query.grain,
            "period": presenter.show_period(query.period, zone),
            "totals": now,
            "change": changes(now, compared),
            "series": series(query.period, "current"),
            "previous": {
                "period": presenter.show_period(query.before, zone),
                "totals": before,
                "series": series(query.before, "previous"),
            },
            "compared": {"period": presenter.show_period(query.compared, zone), "totals": compared},
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
