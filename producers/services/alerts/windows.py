"""The hours, days and weeks that rules look at, and the days, weeks and months of reports. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from producers.services.alerts.model import ReportPeriod, Usual, Window, usual_of

USUAL_WEEKS = 7
"""The weeks before a value that say what is usual."""

MAX_CATCH_UP = 48
"""The most values that one evaluation looks at, after an outage. Older ones are left out."""

READS_BEFORE: dict[Window, timedelta] = {
    "hour": timedelta(hours=MAX_CATCH_UP),
    "day": timedelta(days=MAX_CATCH_UP),
    "week": timedelta(weeks=4),
}
"""How long before now a request for values begins that needs no usual."""

READS_AFTER: dict[Window, timedelta] = {
    "hour": timedelta(hours=2),
    "day": timedelta(days=2),
    "week": timedelta(days=8),
}
"""How long after now it ends, so that the bucket of now is not cut off and taken for one that is over."""

CHECKS_AGAIN: dict[Window, timedelta] = {
    "hour": timedelta(minutes=1),
    "day": timedelta(minutes=15),
    "week": timedelta(minutes=15),
}
"""After this time a rule is evaluated again whose window is over, but whose figures are not complete."""

SHORTEST: dict[Window, timedelta] = {
    "hour": timedelta(hours=1),
    "day": timedelta(hours=23),
    "week": timedelta(days=6, hours=23),
}
"""The shortest length of a bucket: on the day on which clocks go forward, a day has 23 hours."""

GRACE = timedelta(seconds=10)
"""Figures are complete a little after an hour has ended."""


@dataclass(frozen=True, slots=True)
class Bucket:
    """The value of a metric in one hour, day or week, if it has one. Times are in the shop's zone."""

    start: datetime
    end: datetime
    value: float | None


@dataclass(frozen=True, slots=True)
class Observation:
    """A bucket that is over, with what is usual there."""

    bucket: Bucket
    usual: Usual | None


def requested_period(
    window: Window, compares_usual: bool, now: datetime, zone: ZoneInfo
) -> tuple[datetime, datetime]:
    """Return the period of the values that an evaluation needs, in whole hours of the zone."""
    hour = now.astimezone(zone).replace(minute=0, second=0, microsecond=0)
    before = timedelta(weeks=USUAL_WEEKS, hours=1) if compares_usual else READS_BEFORE[window]
    if compares_usual and window != "hour":
        before += 2 * READS_AFTER[window]
    return hour - before, hour + READS_AFTER[window]


def new_observations(
    buckets: Sequence[Bucket], window: Window, as_of: datetime, after: datetime
) -> list[Observation]:
    """Return the buckets that end after `after` and not after `as_of`, the oldest first.

    The first of all buckets may be incomplete, so that it is only left out. Values before the first one that
    is not 0 are from before the seller sold anything, and say nothing about what is usual.
    """
    first = next((number for number, each in enumerate(buckets) if each.value), len(buckets))
    history = [each for each in buckets[max(first, 1) :] if each.value is not None]
    new = [each for each in buckets[1:] if after < each.end <= as_of]
    return [Observation(each, _usual(each, history, window)) for each in new[-MAX_CATCH_UP:]]


def _usual(bucket: Bucket, history: Sequence[Bucket], window: Window) -> Usual | None:
    earlier = [
        each.value
        for each in history
        if each.end <= bucket.start and _slot(each, window) == _slot(bucket, window)
    ]
    return usual_of([value for value in earlier[-USUAL_WEEKS:] if value is not None])


def _slot(bucket: Bucket, window: Window) -> tuple[int, ...]:
    """Return which buckets are alike: the same hour of the same weekday, the same weekday, or every week."""
    if window == "hour":
        return bucket.start.weekday(), bucket.start.hour
    return (bucket.start.weekday(),)


def next_evaluation(window: Window, evaluated_until: datetime, now: datetime, zone: ZoneInfo) -> datetime:
    """Return when a rule is evaluated next, whose buckets up to `evaluated_until` were evaluated."""
    again = now + CHECKS_AGAIN[window]
    local = evaluated_until.astimezone(zone)
    if window != "hour":
        is_begun = local.time() == time() and (window == "day" or local.weekday() == 0)
        return max(again, evaluated_until + SHORTEST[window]) if is_begun else again
    into_hour = timedelta(minutes=local.minute, seconds=local.second, microseconds=local.microsecond)
    return max(again, evaluated_until - into_hour + SHORTEST[window] + GRACE)


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
