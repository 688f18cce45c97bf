"""Shapes rows of the sales queries into totals, a series without gaps, and changes. Pure."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from common.money import divide_half_up
from serving.analytics.schemas.sales import (
    Bucket,
    Cancelled,
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
SOLD = ("orders", "lines", "units", "gross_minor", "discount_minor", "shipping_minor")
CANCELLED = (
    "cancelled_orders",
    "cancelled_units",
    "cancelled_gross_minor",
    "cancelled_discount_minor",
    "cancelled_shipping_minor",
)
RETURNED = ("returned_units", "returned_minor")


def show_period(period: Period, zone: ZoneInfo) -> PeriodShown:
    """Return a period in the shop's time zone."""
    return {"from": period.start.astimezone(zone), "to": period.end.astimezone(zone)}


def totals(rows: Sequence[Row]) -> Totals:
    """Return the sums over all rows of a period."""
    names = (*SOLD, *CANCELLED, *RETURNED, "revenue_minor")
    sums = {name: sum(int(row[name]) for row in rows) for name in names}
    revenue, orders = sums["revenue_minor"], sums["orders"] - sums["cancelled_orders"]
    cancelled: Cancelled = {
        "orders": sums["cancelled_orders"],
        "units": sums["cancelled_units"],
        "gross_minor": sums["cancelled_gross_minor"],
        "discount_minor": sums["cancelled_discount_minor"],
        "shipping_minor": sums["cancelled_shipping_minor"],
    }
    return {
        "orders": sums["orders"],
        "lines": sums["lines"],
        "units": sums["units"],
        "gross_minor": sums["gross_minor"],
        "discount_minor": sums["discount_minor"],
        "revenue_minor": revenue,
        "shipping_minor": sums["shipping_minor"],
        "average_order_minor": divide_half_up(revenue, orders) if orders > 0 else None,
        "cancelled": cancelled,
        "returned": {"units": sums["returned_units"], "refund_minor": sums["returned_minor"]},
    }


def series(rows: Sequence[Row], starts: tuple[datetime, ...], period: Period, zone: ZoneInfo) -> list[Bucket]:
    """Return one bucket per start, empty ones included. A row's `bucket` is its start in Unix seconds."""
    filled: list[Bucket] = [
        {
            "start": start,
            "end": end,
            "orders": 0,
            "lines": 0,
            "units": 0,
            "gross_minor": 0,
            "discount_minor": 0,
            "revenue_minor": 0,
            "shipping_minor": 0,
            "cancelled_orders": 0,
            "cancelled_gross_minor": 0,
            "cancelled_discount_minor": 0,
            "returned_minor": 0,
        }
        for start, end in bucket_bounds(starts, period, zone)
    ]
    for row in rows:
        bucket = filled[_bucket_index(row, starts)]
        bucket["orders"] += int(row["orders"])
        bucket["lines"] += int(row["lines"])
        bucket["units"] += int(row["units"])
        bucket["gross_minor"] += int(row["gross_minor"])
        bucket["discount_minor"] += int(row["discount_minor"])
        bucket["revenue_minor"] += int(row["revenue_minor"])
        bucket["shipping_minor"] += int(row["shipping_minor"])
        bucket["cancelled_orders"] += int(row["cancelled_orders"])
        bucket["cancelled_gross_minor"] += int(row["cancelled_gross_minor"])
        bucket["cancelled_discount_minor"] += int(row["cancelled_discount_minor"])
        bucket["returned_minor"] += int(row["returned_minor"])
    return filled


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


def compared_rows(rows: Sequence[Row]) -> list[Row]:
    """Return the rows of the part of the previous period that the current period is compared with."""
    return [row for row in rows if int(row["is_compared"]) and not int(row["is_current"])]


def change(now: float | None, before: float | None) -> float | None:
    """Return the relative change to four decimals; None if `before` is 0 or a value is missing."""
    if not before or now is None:
        return None
    return round((now - before) / abs(before), 4)


def changes(now: Totals, before: Totals) -> Changes:
    """Return the change of each total."""
    return {
        "orders": change(now["orders"], before["orders"]),
        "units": change(now["units"], before["units"]),
        "gross_minor": change(now["gross_minor"], before["gross_minor"]),
        "revenue_minor": change(now["revenue_minor"], before["revenue_minor"]),
        "shipping_minor": change(now["shipping_minor"], before["shipping_minor"]),
        "average_order_minor": change(now["average_order_minor"], before["average_order_minor"]),
        "cancelled_orders": change(now["cancelled"]["orders"], before["cancelled"]["orders"]),
    }


def marketplace_totals(
    sold: Totals, paid: Sequence[Row], active: Sequence[Row], *, current: bool
) -> MarketplaceTotals:
    """Return the totals over all sellers, with the active sellers and the payments of the same period."""
    paid_here = [row for row in paid if bool(int(row["is_current"])) is current]
    active_here = [row for row in active if bool(int(row["is_current"])) is current]
    return {
        **sold,
        "active_sellers": sum(int(row["active_sellers"]) for row in active_here),
        "payments": {
            "payments": sum(int(row["payments"]) for row in paid_here),
            "amount_minor": sum(int(row["amount_minor"]) for row in paid_here),
        },
    }


def compared_marketplace_totals(
    sold: Sequence[Row], paid: Sequence[Row], active: Sequence[Row]
) -> MarketplaceTotals:
    """Return the totals over all sellers of the part of the previous period that is compared."""
    sellers = [{**row, "active_sellers": row["compared_sellers"]} for row in active]
    return marketplace_totals(totals(compared_rows(sold)), compared_rows(paid), sellers, current=False)


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


def _bucket_index(row: Row, starts: Sequence[datetime]) -> int:
    return bucket_of(datetime.fromtimestamp(int(row["bucket"]), UTC), starts)
