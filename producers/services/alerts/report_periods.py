"""The days, weeks and months that reports cover, in the zone of the report. Pure."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

ReportPeriod = Literal["day", "week", "month"]


def period_before(period: ReportPeriod, moment: datetime, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """Return the start and end (UTC) of the newest day, week (from Monday) or month that is over."""
    end = _first_day(period, moment.astimezone(zone).date())
    start = _first_day(period, end - timedelta(days=1))
    return _midnight(start, zone), _midnight(end, zone)


def next_send_at(period: ReportPeriod, hour: int, moment: datetime, zone: ZoneInfo) -> datetime:
    """Return the first time after a moment at which a report is due: `hour` on the day after a period."""
    first = _first_day(period, moment.astimezone(zone).date())
    due = _at(first, hour, zone)
    return due if due > moment else _at(_next_first_day(period, first), hour, zone)


def _first_day(period: ReportPeriod, day: date) -> date:
    if period == "week":
        return day - timedelta(days=day.weekday())
    return day.replace(day=1) if period == "month" else day


def _next_first_day(period: ReportPeriod, first: date) -> date:
    days = {"day": 1, "week": 7, "month": 31}[period]
    return _first_day(period, first + timedelta(days=days))


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return _at(day, 0, zone)


def _at(day: date, hour: int, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(hour), zone).astimezone(UTC)
