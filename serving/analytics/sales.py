"""Shapes rows of the sales queries into totals, a filled series and changes. Pure."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from serving.analytics.periods import KEPT_SERIES, Grain, Period, bucket_of, midnight
from serving.analytics.schemas.basics import Period as PeriodShown
from serving.analytics.schemas.sales import (
    Bucket,
    Cancelled,
    Changes,
    MarketplaceChanges,
    MarketplaceTotals,
    Totals,
)

KEPT_DAYS = 4_096
"""Days of which it is known whether they begin for ClickHouse when they do for us: 11 years."""

Row = Mapping[str, Any]
SOLD = ("orders", "lines", "units", "gross_minor", "discount_minor", "shipping_minor")
CANCELLED = ("cancelled_orders", "cancelled_units", "cancelled_gross_minor", "cancelled_shipping_minor")


def show_period(period: Period, zone: ZoneInfo) -> PeriodShown:
    """A period in the shop's time zone."""
    return {"from": period.start.astimezone(zone), "to": period.end.astimezone(zone)}


def totals(rows: Sequence[Row]) -> Totals:
    """The sums over all rows of a period."""
    sums = {name: sum(int(row[name]) for row in rows) for name in (*SOLD, *CANCELLED)}
    revenue, orders = sums["gross_minor"] - sums["discount_minor"], sums["orders"]
    gone: Cancelled = {
        "orders": sums["cancelled_orders"],
        "units": sums["cancelled_units"],
        "gross_minor": sums["cancelled_gross_minor"],
        "shipping_minor": sums["cancelled_shipping_minor"],
    }
    return {
        "orders": orders,
        "lines": sums["lines"],
        "units": sums["units"],
        "gross_minor": sums["gross_minor"],
        "discount_minor": sums["discount_minor"],
        "revenue_minor": revenue,
        "shipping_minor": sums["shipping_minor"],
        "average_order_minor": (2 * revenue + orders) // (2 * orders) if orders else None,
        "cancelled": gone,
    }


def series(rows: Sequence[Row], starts: tuple[datetime, ...], period: Period, zone: ZoneInfo) -> list[Bucket]:
    """One bucket per start, empty ones included; rows carry `bucket`, Unix seconds of its beginning."""
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
        }
        for start, end in _bounds(starts, period, zone)
    ]
    for row in rows:
        bucket = filled[_place(row, starts)]
        bucket["orders"] += int(row["orders"])
        bucket["lines"] += int(row["lines"])
        bucket["units"] += int(row["units"])
        bucket["gross_minor"] += int(row["gross_minor"])
        bucket["discount_minor"] += int(row["discount_minor"])
        bucket["revenue_minor"] += int(row["gross_minor"]) - int(row["discount_minor"])
        bucket["shipping_minor"] += int(row["shipping_minor"])
        bucket["cancelled_orders"] += int(row["cancelled_orders"])
        bucket["cancelled_gross_minor"] += int(row["cancelled_gross_minor"])
    return filled


def of_our_days(rows: Sequence[Row], grain: Grain, zone: ZoneInfo) -> bool:
    """Whether days begin for ClickHouse when they do for us: it has rules of time zones of its own, and where
    a country has changed its clocks lately one of the two may not know.
    """
    return grain == "hour" or all(_begins_a_day(int(row["bucket"]), zone) for row in rows)


def told_anew(rows: Sequence[Row], period: Period, before: Period) -> list[dict[str, Any]]:
    """Rows by hour or day as those of this period and the one before, which begin and end with days."""
    now, then = period.start.timestamp(), before.start.timestamp()
    return [{**row, "is_current": int(row["bucket"]) >= now} for row in rows if int(row["bucket"]) >= then]


def change(now: int | None, before: int | None) -> float | None:
    """Relative change, to four decimals; None when there was nothing before (or there is nothing now)."""
    if not before or now is None:
        return None
    return round((now - before) / abs(before), 4)


def changes(now: Totals, before: Totals) -> Changes:
    """Each total against the previous period's."""
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
    """The totals over all sellers, with who sold and what was paid in the same period."""
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


def marketplace_changes(now: MarketplaceTotals, before: MarketplaceTotals) -> MarketplaceChanges:
    """Each total of the marketplace against the previous period's."""
    return {
        **changes(now, before),
        "active_sellers": change(now["active_sellers"], before["active_sellers"]),
        "payments_amount_minor": change(now["payments"]["amount_minor"], before["payments"]["amount_minor"]),
    }


@lru_cache(KEPT_DAYS)
def _begins_a_day(seconds: int, zone: ZoneInfo) -> bool:
    at = datetime.fromtimestamp(seconds, zone)
    return midnight(at.date(), zone) == at


@lru_cache(KEPT_SERIES)
def _bounds(
    starts: tuple[datetime, ...], period: Period, zone: ZoneInfo
) -> tuple[tuple[datetime, datetime], ...]:
    """From when to when each bucket is of the period, in the zone."""
    ends = (*starts[1:], period.end)
    return tuple(
        (max(start, period.start).astimezone(zone), min(end, period.end).astimezone(zone))
        for start, end in zip(starts, ends, strict=True)
    )


def _place(row: Row, starts: Sequence[datetime]) -> int:
    return bucket_of(datetime.fromtimestamp(int(row["bucket"]), UTC), starts)
