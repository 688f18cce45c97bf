"""Periods in the shop's time zone: clock changes, months, and invalid periods."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.problems import Problem
from serving.kit.periods import (
    MAX_BUCKETS,
    Grain,
    Period,
    bucket_of,
    buckets,
    choose_grain,
    choose_period,
    compared_period,
    midnight,
    parse_moment,
    period_a_year_before,
    previous_period,
)
from serving.kit.problems import BAD_PERIOD

SHOP = ZoneInfo("America/Sao_Paulo")
NEWEST = datetime(2018, 8, 29, 12, 14, tzinfo=UTC)


def of_days(first: date, after_last: date, zone: ZoneInfo = SHOP) -> Period:
    return Period(midnight(first, zone), midnight(after_last, zone))


def test_a_day_whose_midnight_is_skipped_begins_when_the_clocks_have_moved() -> None:
    assert midnight(date(2017, 10, 15), SHOP) == datetime(2017, 10, 15, 3, tzinfo=UTC)


def test_a_date_is_read_in_the_shops_time_zone() -> None:
    assert parse_moment("2018-03-01", SHOP, "from") == datetime(2018, 3, 1, 3, tzinfo=UTC)


def test_an_offset_wins_over_the_shops_time_zone() -> None:
    assert parse_moment("2018-03-01T00:00:00+00:00", SHOP, "from") == datetime(2018, 3, 1, tzinfo=UTC)


def test_seconds_are_floored_because_a_minute_is_the_smallest_that_is_kept() -> None:
    assert parse_moment("2018-03-01T10:20:59Z", SHOP, "to") == datetime(2018, 3, 1, 10, 20, tzinfo=UTC)


@pytest.mark.parametrize("text", ["", "yesterday", "2018-13-01", "1900-01-01", "9999-12-31", "0001-01-01"])
def test_what_is_no_date_or_out_of_range_is_refused(text: str) -> None:
    with pytest.raises(Problem, match="from=", check=BAD_PERIOD.matches):
        parse_moment(text, SHOP, "from")


def test_a_period_left_open_is_the_thirty_days_up_to_the_newest_that_has_data() -> None:
    assert choose_period(None, None, NEWEST, SHOP) == of_days(date(2018, 7, 31), date(2018, 8, 30))


def test_a_start_after_the_newest_data_still_makes_a_period() -> None:
    assert choose_period("2030-01-01", None, NEWEST, SHOP) == of_days(date(2030, 1, 1), date(2030, 1, 2))


@pytest.mark.parametrize("start", ["2018-02-01", "2018-02-02"])
def test_a_period_that_does_not_end_after_it_starts_is_refused(start: str) -> None:
    with pytest.raises(Problem, match="must be before", check=BAD_PERIOD.matches):
        choose_period(start, "2018-02-01", NEWEST, SHOP)


def test_the_period_before_whole_months_is_as_many_whole_months() -> None:
    quarter = of_days(date(2018, 3, 1), date(2018, 6, 1))
    assert previous_period(quarter, SHOP) == of_days(date(2017, 12, 1), date(2018, 3, 1))


@pytest.mark.parametrize(
    ("period", "moment", "end"),
    [
        # A day, at 10:30: 10:30 of the day before.
        ((date(2018, 8, 29), date(2018, 8, 30)), (2018, 8, 29, 10, 30), (2018, 8, 28, 10, 30)),
        # Thirty days, on the last one at noon.
        ((date(2018, 7, 31), date(2018, 8, 30)), (2018, 8, 29, 12, 0), (2018, 7, 30, 12, 0)),
        # A month, on its 24th: the 24th of the month before.
        ((date(2018, 11, 1), date(2018, 12, 1)), (2018, 11, 24, 9, 0), (2018, 10, 24, 9, 0)),
        # The 31st, after a month of 30 days: the whole previous month.
        ((date(2018, 7, 1), date(2018, 8, 1)), (2018, 7, 31, 9, 0), (2018, 7, 1, 0, 0)),
        # A day after a clock change in the night: the same time by the clock.
        ((date(2017, 10, 15), date(2017, 10, 16)), (2017, 10, 15, 8, 0), (2017, 10, 14, 8, 0)),
        # A period that is over, or has not begun.
        ((date(2018, 8, 1), date(2018, 8, 8)), (2018, 9, 1, 0, 0), (2018, 8, 1, 0, 0)),
        ((date(2018, 8, 1), date(2018, 8, 8)), (2018, 7, 1, 0, 0), (2018, 7, 25, 0, 0)),
    ],
)
def test_an_unfinished_period_is_compared_up_to_the_same_moment_of_the_one_before(
    period: tuple[date, date], moment: tuple[int, ...], end: tuple[int, ...]
) -> None:
    whole = of_days(*period)
    before = previous_period(whole, SHOP)
    compared = compared_period(whole, before, datetime(*moment, tzinfo=SHOP), SHOP)  # type: ignore[misc, arg-type]
    assert compared == Period(before.start, datetime(*end, tzinfo=SHOP).astimezone(UTC))  # type: ignore[misc, arg-type]


def test_hours_that_are_not_over_are_compared_with_as_many_minutes() -> None:
    hours = Period(datetime(2018, 8, 29, 12, tzinfo=UTC), datetime(2018, 8, 29, 15, tzinfo=UTC))
    before = previous_period(hours, SHOP)
    compared = compared_period(hours, before, datetime(2018, 8, 29, 12, 40, 30, tzinfo=UTC), SHOP)
    assert compared.end == datetime(2018, 8, 29, 9, 40, tzinfo=UTC)


def test_the_period_before_whole_days_is_as_many_days_though_one_had_23_hours() -> None:
    days = of_days(date(2017, 10, 15), date(2017, 10, 17))
    assert previous_period(days, SHOP) == of_days(date(2017, 10, 13), date(2017, 10, 15))


def test_the_period_before_hours_is_as_long() -> None:
    start = datetime(2018, 5, 1, 10, tzinfo=UTC)
    period = Period(start, start + timedelta(hours=5))
    assert previous_period(period, SHOP) == Period(start - timedelta(hours=5), start)


def test_weeks_begin_on_monday_and_the_first_may_begin_before_the_period() -> None:
    weeks = buckets(of_days(date(2018, 8, 1), date(2018, 8, 14)), "week", SHOP)
    assert [start.astimezone(SHOP).date() for start in weeks] == [
        date(2018, 7, 30),
        date(2018, 8, 6),
        date(2018, 8, 13),
    ]


def test_the_night_when_clocks_go_back_has_25_hours_and_the_one_when_they_go_forward_23() -> None:
    assert len(buckets(of_days(date(2018, 2, 17), date(2018, 2, 18)), "hour", SHOP)) == 25
    assert len(buckets(of_days(date(2017, 10, 15), date(2017, 10, 16)), "hour", SHOP)) == 23


def test_hours_of_a_zone_with_a_half_hour_offset_begin_on_its_own_clock() -> None:
    india = ZoneInfo("Asia/Kolkata")
    hours = buckets(of_days(date(2020, 1, 1), date(2020, 1, 2), india), "hour", india)
    assert len(hours) == 24
    assert {start.astimezone(india).minute for start in hours} == {0}


def test_too_many_buckets_are_refused_with_a_grain_that_works() -> None:
    with pytest.raises(Problem, match="grain=day", check=BAD_PERIOD.matches):
        buckets(of_days(date(2017, 1, 1), date(2018, 1, 1)), "hour", SHOP)


@pytest.mark.parametrize(("days", "grain"), [(1, "hour"), (30, "day"), (365, "week"), (700, "month")])
def test_the_grain_suits_the_length_of_the_period(days: int, grain: Grain) -> None:
    assert choose_grain(of_days(date(2018, 1, 1), date(2018, 1, 1) + timedelta(days=days))) == grain


@given(
    start=st.datetimes(datetime(2015, 1, 1), datetime(2030, 1, 1)),  # noqa: DTZ001 - Hypothesis wants naive bounds
    minutes=st.integers(1, 40 * 24 * 60),
    grain=st.sampled_from(["hour", "day", "week", "month"]),
    zone=st.sampled_from(["America/Sao_Paulo", "Asia/Kolkata", "Atlantic/Azores", "Africa/Cairo", "UTC"]),
)
def test_buckets_cover_a_period_without_gap_or_overlap(
    start: datetime, minutes: int, grain: Grain, zone: str
) -> None:
    first = start.replace(second=0, microsecond=0, tzinfo=UTC)
    period = Period(first, first + timedelta(minutes=minutes))
    starts = buckets(period, grain, ZoneInfo(zone))
    assert starts[0] <= period.start
    assert starts[-1] < period.end
    assert all(one < other for one, other in pairwise(starts))
    assert len(starts) <= MAX_BUCKETS
    assert bucket_of(period.end - timedelta(minutes=1), starts) == len(starts) - 1


@pytest.mark.parametrize(
    ("days", "before"),
    [
        ((date(2018, 3, 1), date(2018, 4, 1)), (date(2017, 3, 1), date(2017, 4, 1))),
        ((date(2016, 2, 1), date(2016, 2, 29)), (date(2015, 2, 1), date(2015, 3, 1))),
        ((date(2016, 2, 28), date(2016, 2, 29)), (date(2015, 2, 28), date(2015, 3, 1))),
        ((date(2016, 2, 29), date(2016, 3, 1)), (date(2015, 2, 28), date(2015, 3, 1))),
        ((date(2016, 2, 1), date(2016, 3, 1)), (date(2015, 2, 1), date(2015, 3, 1))),
        ((date(2017, 2, 1), date(2017, 3, 1)), (date(2016, 2, 1), date(2016, 3, 1))),
        ((date(2017, 2, 2), date(2017, 3, 1)), (date(2016, 2, 2), date(2016, 2, 29))),
        ((date(2018, 1, 1), date(2019, 1, 1)), (date(2017, 1, 1), date(2018, 1, 1))),
    ],
)
def test_the_same_days_a_year_before(days: tuple[date, date], before: tuple[date, date]) -> None:
    assert period_a_year_before(of_days(*days), SHOP) == of_days(*before)


def test_the_same_hours_a_year_before() -> None:
    hours = Period(datetime(2018, 6, 1, 12, tzinfo=UTC), datetime(2018, 6, 1, 15, tzinfo=UTC))

    assert period_a_year_before(hours, SHOP) == Period(
        datetime(2017, 6, 1, 12, tzinfo=UTC), datetime(2017, 6, 1, 15, tzinfo=UTC)
    )
