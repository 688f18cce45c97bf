"""The sales of a seller or of the marketplace in a period, compared with the previous period."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, Literal, NamedTuple, TypeVar, cast
from zoneinfo import ZoneInfo

from clickhouse.metric_catalogue.definition import read_catalogue
from clickhouse.metric_catalogue.queries import two_periods_query
from clickhouse.metric_catalogue.values import value_of
from serving.analytics.sales_schemas import (
    Bucket,
    Changes,
    MarketplaceChanges,
    MarketplaceSales,
    MarketplaceTotals,
    SellerSales,
    Totals,
)
from serving.kit.analytics_context import AnalyticsContext, PeriodRequest
from serving.kit.clickhouse import Row, Value
from serving.kit.periods import (
    CACHED_SERIES,
    LATEST,
    Grain,
    Period,
    bucket_of,
    buckets,
    choose_grain,
    choose_period,
    compared_period,
    midnight,
    previous_period,
)
from serving.kit.response_types import Period as PeriodShown

CACHED_DAYS = 4_096
"""Days for which `_begins_a_day` is cached: 11 years."""

Part = Literal["current", "previous", "compared"]
"""The requested period, the one before, and the part of that one with which the requested one is compared."""

SOURCE = read_catalogue()["net_sales"].source
"""The source of the catalogue whose measures are the sums of sales."""

AVERAGE_ORDER = read_catalogue()["average_order_value"]

MEASURES = (
    "orders",
    "lines",
    "units",
    "gross",
    "discount",
    "shipping",
    "cancelled_orders",
    "cancelled_units",
    "cancelled_gross",
    "cancelled_discount",
    "cancelled_shipping",
    "returned_units",
    "returned",
    "revenue",
)
COLUMNS: Mapping[str, str] = {
    f"{name}_minor" if SOURCE.measures[name].unit == "money" else name: name for name in MEASURES
}
"""Column of a query of sales → the measure of the catalogue that it is."""

NET_SALES = "revenue_minor"
"""The column with the net sales."""

OF_BUCKETS = tuple(name for name in Bucket.__annotations__ if name in COLUMNS)
_COMPARED = (
    "orders",
    "units",
    "gross_minor",
    "net_sales_minor",
    "revenue_minor",
    "shipping_minor",
    "average_order_minor",
)


def show_period(period: Period, zone: ZoneInfo) -> PeriodShown:
    """Return a period in the shop's time zone."""
    return {"from": period.start.astimezone(zone), "to": period.end.astimezone(zone)}


def of_part(rows: Sequence[Row], part: Part) -> list[Row]:
    """Return the rows of a part of the time. They say in `is_current` and `is_compared` where they belong."""
    if part == "current":
        return [row for row in rows if int(row["is_current"])]
    earlier = [row for row in rows if not int(row["is_current"])]
    return earlier if part == "previous" else [row for row in earlier if int(row["is_compared"])]


def totals(rows: Sequence[Row]) -> Totals:
    """Return the sums over all rows of a part of the time."""
    sums = {name: sum(int(row[name]) for row in rows) for name in COLUMNS}
    average = value_of(AVERAGE_ORDER, {measure: sums[name] for name, measure in COLUMNS.items()})
    return {
        "orders": sums["orders"],
        "lines": sums["lines"],
        "units": sums["units"],
        "gross_minor": sums["gross_minor"],
        "discount_minor": sums["discount_minor"],
        "net_sales_minor": sums[NET_SALES],
        "revenue_minor": sums[NET_SALES],
        "shipping_minor": sums["shipping_minor"],
        "average_order_minor": None if average is None else int(average),
        "cancelled": {
            "orders": sums["cancelled_orders"],
            "units": sums["cancelled_units"],
            "gross_minor": sums["cancelled_gross_minor"],
            "discount_minor": sums["cancelled_discount_minor"],
            "shipping_minor": sums["cancelled_shipping_minor"],
        },
        "returned": {"units": sums["returned_units"], "refund_minor": sums["returned_minor"]},
    }


def series(rows: Sequence[Row], starts: tuple[datetime, ...], period: Period, zone: ZoneInfo) -> list[Bucket]:
    """Return one bucket per start, empty ones included. A row's `bucket` is its start in Unix seconds."""
    filled = [dict.fromkeys(OF_BUCKETS, 0) for _ in starts]
    for row in rows:
        sums = filled[bucket_of(datetime.fromtimestamp(int(row["bucket"]), UTC), starts)]
        for name in OF_BUCKETS:
            sums[name] += int(row[name])
    return [
        cast(Bucket, {"start": start, "end": end, **sums, "net_sales_minor": sums[NET_SALES]})
        for (start, end), sums in zip(bucket_bounds(starts, period, zone), filled, strict=True)
    ]


def days_match_zone(rows: Sequence[Row], grain: Grain, zone: ZoneInfo) -> bool:
    """Return whether ClickHouse's days begin when Python's do.

    Each has its own time zone database. After a recent change of a country's time zone rules, one of the
    databases may be outdated.
    """
    return grain == "hour" or all(_begins_a_day(int(row["bucket"]), zone) for row in rows)


def repartition(rows: Sequence[Row], period: Period, before: Period) -> list[dict[str, Any]]:
    """Return hourly or daily rows with `is_current` set for two periods of whole days, without older rows."""
    now, then = period.start.timestamp(), before.start.timestamp()
    return [{**row, "is_current": int(row["bucket"]) >= now} for row in rows if int(row["bucket"]) >= then]


def change(now: float | None, before: float | None) -> float | None:
    """Return the relative change to four decimals; None if `before` is 0 or a value is missing."""
    if not before or now is None:
        return None
    return round((now - before) / abs(before), 4)


def changes(now: Totals, before: Totals) -> Changes:
    """Return the change of each total."""
    changed = {name: change(now[name], before[name]) for name in _COMPARED}  # type: ignore[literal-required]
    cancelled = change(now["cancelled"]["orders"], before["cancelled"]["orders"])
    return cast(Changes, {**changed, "cancelled_orders": cancelled})


def marketplace_totals(
    sold: Sequence[Row], paid: Sequence[Row], active: Sequence[Row], part: Part
) -> MarketplaceTotals:
    """Return the totals over all sellers of a part of the time, with the active sellers and the payments."""
    sellers = "compared_sellers" if part == "compared" else "active_sellers"
    when: Part = "current" if part == "current" else "previous"
    payments = of_part(paid, part)
    return {
        **totals(of_part(sold, part)),
        "active_sellers": sum(int(row[sellers]) for row in of_part(active, when)),
        "payments": {
            "payments": sum(int(row["payments"]) for row in payments),
            "amount_minor": sum(int(row["amount_minor"]) for row in payments),
        },
    }


def marketplace_changes(now: MarketplaceTotals, before: MarketplaceTotals) -> MarketplaceChanges:
    """Return the change of each total of the marketplace."""
    return {
        **changes(now, before),
        "active_sellers": change(now["active_sellers"], before["active_sellers"]),
        "payments_amount_minor": change(now["payments"]["amount_minor"], before["payments"]["amount_minor"]),
    }


@lru_cache(CACHED_DAYS)
def _begins_a_day(seconds: int, zone: ZoneInfo) -> bool:
    at = datetime.fromtimestamp(seconds, zone)
    return midnight(at.date(), zone) == at


@lru_cache(CACHED_SERIES)
def bucket_bounds(
    starts: tuple[datetime, ...], period: Period, zone: ZoneInfo
) -> tuple[tuple[datetime, datetime], ...]:
    """Return the start and end of each bucket within the period, in the zone."""
    return tuple(
        (max(start, period.start).astimezone(zone), min(end, period.end).astimezone(zone))
        for start, end in zip(starts, (*starts[1:], period.end), strict=True)
    )


T = TypeVar("T", bound=Totals)

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

SELLER_TABLES = ("seller_sales_minute",)
SELLER_SQL = two_periods_query(SOURCE, COLUMNS)
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


async def of_seller(context: AnalyticsContext, seller_id: str, requested: PeriodRequest) -> SellerSales:
    """Return what a seller sold, compared with the previous period.

    Without bounds, the period ends with the day of the seller's newest sale. For most sellers this is one
    of the marketplace's newest days. These days are queried first, without looking up the newest sale.

    Raises:
        UNKNOWN_SELLER: the seller never registered and never sold anything.
    """
    as_of = await context.watermarks.as_of(SELLER_TABLES)
    if as_of and requested.is_open and requested.grain in GRAINS_WITHIN_A_DAY:
        sales = await _of_newest_days(context, seller_id, requested, as_of)
        if sales:
            return sales
    query = _query(context, await context.seller_period(seller_id, requested), requested.grain, as_of)
    rows = await _rows(context, seller_id, query, query.before.start, query.period.end)
    await context.require_seller(seller_id, rows)
    return _content_of_seller(context, seller_id, query, rows, as_of)


async def _of_newest_days(
    context: AnalyticsContext, seller_id: str, requested: PeriodRequest, as_of: datetime
) -> SellerSales | None:
    """Return a seller's sales in the default period; None if the queried days do not cover the period."""
    newest_days = _query(context, choose_period(None, None, as_of, context.zone), requested.grain, as_of)
    since = newest_days.before.start - RECENT_SALES_WINDOW
    rows = await _rows(context, seller_id, newest_days, since, LATEST)
    newest = newest_minute(rows)
    if newest is None:
        return None
    query = _query(context, context.period(requested, newest), requested.grain, as_of)
    if since > query.before.start or (query.is_unfinished and query.period != newest_days.period):
        return None
    if not days_match_zone(rows, query.grain, context.zone):
        return None
    return _content_of_seller(context, seller_id, query, repartition(rows, query.period, query.before), as_of)


async def _rows(
    context: AnalyticsContext, seller_id: str, query: SalesQuery, since: datetime, until: datetime
) -> list[Row]:
    parameters: dict[str, Value] = {
        **query.parameters,
        "previous_start": max(since, EPOCH),
        "period_end": until,
        "seller_id": seller_id,
    }
    return await context.clickhouse.rows_of_sql("seller_sales", SELLER_SQL, parameters)


def _content_of_seller(
    context: AnalyticsContext, seller_id: str, query: SalesQuery, rows: list[Row], as_of: datetime | None
) -> SellerSales:
    own = [row for row in rows if row["currency"] == context.currency]
    content = _content(context, query, own, as_of, lambda part: totals(of_part(own, part)), changes)
    return cast(SellerSales, {"seller_id": seller_id, **content})


async def of_marketplace(context: AnalyticsContext, requested: PeriodRequest) -> MarketplaceSales:
    """Return what all sellers sold, compared with the previous period."""
    as_of, period = await asyncio.gather(
        context.watermarks.as_of(MARKETPLACE_TABLES), context.marketplace_period(requested)
    )
    query = _query(context, period, requested.grain, as_of)
    rows, paid, active = await _marketplace_rows(context, query)
    content = _content(
        context,
        query,
        rows,
        as_of,
        lambda part: marketplace_totals(rows, paid, active, part),
        marketplace_changes,
    )
    return cast(MarketplaceSales, content)


def _content(
    context: AnalyticsContext,
    query: SalesQuery,
    rows: Sequence[Row],
    as_of: datetime | None,
    totals_of: Callable[[Part], T],
    changes_of: Callable[[T, T], Changes],
) -> dict[str, Any]:
    """Return the content of a response: totals of each part of the time, their changes, and series."""
    zone = context.zone
    now, before = totals_of("current"), totals_of("previous")
    compared = totals_of("compared") if query.is_unfinished else before

    def series_of(period: Period, part: Part) -> list[Bucket]:
        return series(of_part(rows, part), buckets(period, query.grain, zone), period, zone)

    return {
        "currency": context.currency,
        "timezone": zone.key,
        "grain": query.grain,
        "period": show_period(query.period, zone),
        "totals": now,
        "change": changes_of(now, compared),
        "series": series_of(query.period, "current"),
        "previous": {
            "period": show_period(query.before, zone),
            "totals": before,
            "series": series_of(query.before, "previous"),
        },
        "compared": {"period": show_period(query.compared, zone), "totals": compared},
        "as_of": context.local(as_of),
        "stale": False,
    }


async def _marketplace_rows(context: AnalyticsContext, query: SalesQuery) -> list[list[Row]]:
    """Return the rows of the queries for sales, payments and active sellers."""
    parameters = {**query.parameters, "currency": context.currency}
    bounds = {name: value for name, value in parameters.items() if name not in ("grain", "timezone")}
    return await context.clickhouse.rows_of_all(
        ("marketplace_sales", parameters),
        ("marketplace_payments", bounds),
        ("marketplace_sellers", bounds),
    )


def _query(
    context: AnalyticsContext, period: Period, requested: Grain | None, as_of: datetime | None
) -> SalesQuery:
    grain = requested or choose_grain(period)
    buckets(period, grain, context.zone)  # raises BAD_PERIOD if the series would be too long
    before = previous_period(period, context.zone)
    compared = compared_period(period, before, as_of, context.zone) if as_of else before
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
            "timezone": context.zone.key,
        },
    )
