"""Periods in the shop's time zone: parsing, defaults, buckets, and the previous period. Pure."""

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Literal
from zoneinfo import ZoneInfo

from serving.kit.problems import BAD_PERIOD

Grain = Literal["hour", "day", "week", "month"]

MAX_BUCKETS = 1_200
"""The largest series: 50 days of hours, 3 years of days, 23 years of weeks."""

CACHED_SERIES = 64
"""The number of cached series of buckets. Most requests are for the same few periods."""

GRAIN_LENGTH: dict[Grain, timedelta] = {
    "hour": timedelta(hours=1),
    "day": timedelta(days=1),
    "week": timedelta(days=7),
    "month": timedelta(days=28),
}
DRAWN_BY: dict[Grain, timedelta] = {
    "hour": timedelta(days=2, hours=1),
    "day": timedelta(days=93),
    "week": timedelta(days=370),
}
"""Grain → the longest period of which it is the default; that of longer ones is a month."""

EARLIEST, LATEST = datetime(1971, 1, 1, tzinfo=UTC), datetime(2105, 1, 1, tzinfo=UTC)
"""The range of ClickHouse's DateTime, with room for a time zone and a previous period."""


@dataclass(frozen=True, slots=True)
class Period:
    """The time from `start` (inclusive) to `end` (exclusive), both aware UTC, in whole minutes."""

    start: datetime
    end: datetime


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """Return when a day begins in a zone, in UTC. If clocks skip midnight, it begins after that hour."""
    return datetime.combine(day, time.min, zone).astimezone(UTC)


def parse_moment(text: str, zone: ZoneInfo, name: str) -> datetime:
    """Parse an ISO date or datetime into UTC, floored to the minute. Without an offset it is in `zone`.

    Raises:
        BAD_PERIOD: the text is neither, or outside 1971 to 2105.
    """
    try:
        parsed = datetime.fromisoformat(text)
        moment = parsed if parsed.tzinfo else parsed.replace(tzinfo=zone)
        if not EARLIEST <= moment <= LATEST:
            raise BAD_PERIOD(detail=f"{name}={text} is outside 1971 to 2105.")
        return moment.astimezone(UTC).replace(second=0, microsecond=0)
    except (ValueError, OverflowError) as error:
        raise BAD_PERIOD(
            detail=f"{name}={text} is not an ISO date or datetime such as 2018-03-01 or "
            "2018-03-01T14:00:00-03:00 (write the + of an offset as %2B)."
        ) from error


def day_after(text: str, name: str) -> str:
    """Return the day after an ISO date, as an ISO date.

    Raises:
        BAD_PERIOD: the text is not a date, or outside 1971 to 2104.
    """
    try:
        day = date.fromisoformat(text)
    except ValueError as error:
        raise BAD_PERIOD(detail=f"{name}={text} is not a day such as 2018-08-31.") from error
    if not EARLIEST.year <= day.year < LATEST.year:
        raise BAD_PERIOD(detail=f"{name}={text} is outside 1971 to 2104.")
    return (day + timedelta(days=1)).isoformat()


def choose_period(
    start_text: str | None, end_text: str | None, newest: datetime, zone: ZoneInfo, days: int = 30
) -> Period:
    """Return the requested period.

    Without an end, it ends with the day of `newest`. Without a start, it is the `days` days before its end.

    Raises:
        BAD_PERIOD: a bound can't be read, or the period ends before it starts.
    """
    start = parse_moment(start_text, zone, "from") if start_text is not None else None
    end = parse_moment(end_text, zone, "to") if end_text is not None else None
    if end is None:
        last = newest.astimezone(zone).date()
        if start is not None:
            last = max(last, start.astimezone(zone).date())
        end = midnight(last + timedelta(days=1), zone)
    if start is None:
        start = midnight(
            (end - timedelta(minutes=1)).astimezone(zone).date() - timedelta(days=days - 1), zone
        )
    if start >= end:
        shown = [moment.astimezone(zone).isoformat() for moment in (start, end)]
        raise BAD_PERIOD(detail=f"from ({shown[0]}) must be before to ({shown[1]}), which is exclusive.")
    return Period(start, end)


def previous_period(period: Period, zone: ZoneInfo) -> Period:
    """Return the period just before this one.

    It has as many months if `period` has whole months only, as many days if it has whole days only, and else
    the same duration.
    """
    first, last = period.start.astimezone(zone).date(), period.end.astimezone(zone).date()
    if midnight(first, zone) != period.start or midnight(last, zone) != period.end:
        return Period(period.start - (period.end - period.start), period.start)
    if first.day == 1 and last.day == 1:
        months = (last.year - first.year) * 12 + last.month - first.month
        return Period(midnight(_add_months(first, -months), zone), period.start)
    return Period(midnight(first - (last - first), zone), period.start)


def period_a_year_before(period: Period, zone: ZoneInfo) -> Period:
    """Return the same period one year before, by the calendar of the zone.

    Whole months stay whole months. Else 29 February becomes the 28th, as the first day and as the last one.
    """
    start = _a_year_before(period.start, zone)
    last_day = (period.end - timedelta(minutes=1)).astimezone(zone).date()
    first, after_last = period.start.astimezone(zone).date(), last_day + timedelta(days=1)
    has_whole_days = midnight(first, zone) == period.start and midnight(after_last, zone) == period.end
    if has_whole_days and not first.day == after_last.day == 1:
        return Period(start, midnight(_day_a_year_before(last_day) + timedelta(days=1), zone))
    return Period(start, _a_year_before(period.end, zone))


def compared_period(period: Period, before: Period, moment: datetime, zone: ZoneInfo) -> Period:
    """Return the part of `before` that corresponds to the part of `period` that is over at `moment`.

    If both periods start at midnight, the part ends on the corresponding day at the same local time.
    """
    if moment >= period.end:
        return before
    if moment <= period.start:
        return Period(before.start, before.start)
    now, first, earlier = (at.astimezone(zone) for at in (moment, period.start, before.start))
    if midnight(first.date(), zone) == period.start and midnight(earlier.date(), zone) == before.start:
        end = datetime.combine(earlier.date() + (now.date() - first.date()), now.time(), zone).astimezone(UTC)
    else:
        end = before.start + (moment - period.start)
    return Period(before.start, max(before.start, min(end.replace(second=0, microsecond=0), before.end)))


def earlier_period(
    compare: Literal["previous", "year"], period: Period, as_of: datetime | None, zone: ZoneInfo
) -> Period:
    """Return the period to compare with, cut at the moment that corresponds to `as_of`."""
    earlier = previous_period if compare == "previous" else period_a_year_before
    before = earlier(period, zone)
    return compared_period(period, before, as_of, zone) if as_of else before


def choose_grain(period: Period) -> Grain:
    """Return the default grain of a period: hours up to 2 days, days up to 3 months, weeks up to a year."""
    length = period.end - period.start
    return next((grain for grain, longest in DRAWN_BY.items() if length <= longest), "month")


@lru_cache(CACHED_SERIES)
def buckets(period: Period, grain: Grain, zone: ZoneInfo) -> tuple[datetime, ...]:
    """Return the starts (UTC) of the buckets that overlap the period; the first may be before the period.

    Raises:
        BAD_PERIOD: there would be more than `MAX_BUCKETS`.
    """
    if (period.end - period.start) / GRAIN_LENGTH[grain] > MAX_BUCKETS:
        coarser = (
            f"grain={g}"
            for g, length in GRAIN_LENGTH.items()
            if (period.end - period.start) / length < MAX_BUCKETS
        )
        advice = next(coarser, "a shorter period")
        raise BAD_PERIOD(
            detail=f"This period has more than {MAX_BUCKETS:,} buckets of grain={grain}. Request {advice}."
        )
    bucket_start, next_start = BUCKET_BOUNDS[grain]
    starts = [bucket_start(period.start, zone)]
    while (following := next_start(starts[-1], zone)) < period.end:
        starts.append(following)
    return tuple(starts)


def bucket_of(moment: datetime, starts: Sequence[datetime]) -> int:
    """Return the index of the bucket that contains a moment."""
    return max(bisect_right(starts, moment) - 1, 0)


def _a_year_before(moment: datetime, zone: ZoneInfo) -> datetime:
    local = moment.astimezone(zone)
    earlier = _day_a_year_before(local.date())
    if midnight(local.date(), zone) == moment:
        return midnight(earlier, zone)
    return datetime.combine(earlier, local.time(), zone).astimezone(UTC)


def _day_a_year_before(day: date) -> date:
    """Return the same day of the year before; the 28th for 29 February."""
    is_leap_day = (day.month, day.day) == (2, 29)
    return day.replace(year=day.year - 1, day=28 if is_leap_day else day.day)


def _add_months(first: date, months: int) -> date:
    year, month = divmod(first.year * 12 + first.month - 1 + months, 12)
    return date(year, month + 1, 1)


def _day(moment: datetime, zone: ZoneInfo) -> date:
    return moment.astimezone(zone).date()


def _monday(moment: datetime, zone: ZoneInfo) -> date:
    day = _day(moment, zone)
    return day - timedelta(days=day.weekday())


def _hour(moment: datetime, zone: ZoneInfo) -> datetime:
    return moment - timedelta(minutes=moment.astimezone(zone).minute)


BucketBound = Callable[[datetime, ZoneInfo], datetime]
BUCKET_BOUNDS: dict[Grain, tuple[BucketBound, BucketBound]] = {
    "hour": (_hour, lambda start, _: start + timedelta(hours=1)),
    "day": (
        lambda moment, zone: midnight(_day(moment, zone), zone),
        lambda start, zone: midnight(_day(start, zone) + timedelta(days=1), zone),
    ),
    "week": (
        lambda moment, zone: midnight(_monday(moment, zone), zone),
        lambda start, zone: midnight(_monday(start, zone) + timedelta(days=7), zone),
    ),
    "month": (
        lambda moment, zone: midnight(_day(moment, zone).replace(day=1), zone),
        lambda start, zone: midnight(_add_months(_day(start, zone).replace(day=1), 1), zone),
    ),
}
"""Grain → two functions: one returns the start of a moment's bucket, one that of the next bucket."""
