"""Divides the time of the shop for the comparison of metrics: not at all, or by month, week, day or hour."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from audit.reference.totals import Calendar, Part, midnight_ms
from audit.sources.sales_api import DayRange
from audit.stores import Stores

DAYS_OF_HOURS = 30
"""By hour, only so many days are compared: those before the newest event."""


@dataclass(frozen=True)
class Division:
    """The parts of a range of days."""

    part: Part
    days: DayRange

    def calendar(self, stores: Stores, now_ms: int = 0) -> Calendar:
        """Return the calendar of the parts. Their ends are known up to `now_ms`; names need no clock."""
        first_ms, end_ms = (midnight_ms(day, stores.timezone) for day in (self.days.first, self.days.last))
        return Calendar(stores.timezone, self.part, first_ms, end_ms, now_ms)

    def parameters(self, stores: Stores) -> dict[str, str | int]:
        """Return the parameters of a query of the catalogue."""
        first_ms, end_ms = (midnight_ms(day, stores.timezone) for day in (self.days.first, self.days.last))
        start, end = (datetime.fromtimestamp(moment // 1000, UTC) for moment in (first_ms, end_ms))
        return {
            "currency": stores.currency,
            "timezone": stores.timezone.key,
            "grain": self.part,
            "period_start": f"{start:%F %T}",
            "period_end": f"{end:%F %T}",
        }


def today_of(stores: Stores) -> date | None:
    """Return the shop's day that ClickHouse's clock shows; None if nothing happened on an earlier one."""
    row = _span(stores)
    today = datetime.fromtimestamp(stores.clickhouse.now_ms() / 1000, stores.timezone).date()
    return today if row is not None and row["first_day"] < today.isoformat() else None


def _span(stores: Stores) -> dict[str, str] | None:
    """Return the first and the last day of the shop on which something happened; None without one."""
    found = stores.clickhouse.query("facts_vs_seller_metrics/span", {"timezone": stores.timezone.key})
    return found.to_pylist()[0] if found.num_rows else None


def note_of_days(stores: Stores) -> tuple[str, ...]:
    """Return a note that says what is compared while the shop is open; empty if everything is."""
    return (
        () if stores.today is None else (f"the shop is open: compared is what ended before {stores.today}",)
    )


def divisions(stores: Stores, parts: Iterable[Part]) -> list[Division]:
    """Return a division for each kind of part, over the months in which something happened; none without.

    While the shop is open, they end before today, whose figures change while they are compared.
    """
    row = _span(stores)
    if row is None:
        return []
    months = DayRange.of_months(row["first_day"], row["last_day"])
    last = datetime.fromisoformat(row["last_day"]).date() + timedelta(days=1)
    if stores.today is not None:
        months = DayRange(months.first, min(months.last, stores.today))
        last = min(last, stores.today)
    hours = DayRange(max(months.first, last - timedelta(days=DAYS_OF_HOURS)), last)
    return [Division(part, hours if part == "hour" else months) for part in parts]
