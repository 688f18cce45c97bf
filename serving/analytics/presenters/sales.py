"""Shapes rows of the sales queries into totals, a series without gaps, and changes. Pure."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Literal, cast
from zoneinfo import ZoneInfo

from clickhouse.metric_catalogue.definition import read_catalogue
from clickhouse.metric_catalogue.values import value_of
from serving.analytics.schemas.sales import (
    Bucket,
    Changes,
    MarketplaceChanges,
    MarketplaceTotals,
    Totals,
)
from serving.kit.periods import CACHED_SERIES, Grain, Period, bucket_of, midnight
from serving.kit.response_types import Period as PeriodShown

CACHED_DAYS = 4_096
"""Days for which `_begins_a_day` is cached: 11 years."""

Row = Mapping[str, Any]
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
    bounds = bucket_bounds(starts, period, zone)
    return [
        cast(Bucket, {"start": start, "end": end, **sums, "net_sales_minor": sums[NET_SALES]})
        for (start, end), sums in zip(bounds, filled, strict=True)
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
    ends = (*starts[1:], period.end)
    return tuple(
        (max(start, period.start).astimezone(zone), min(end, period.end).astimezone(zone))
        for start, end in zip(starts, ends, strict=True)
    )
