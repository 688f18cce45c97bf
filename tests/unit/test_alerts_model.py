"""Rules of alerts: conditions, hysteresis, the usual, quiet hours, and the windows that are looked at."""

from datetime import UTC, datetime, timedelta
from statistics import mean, stdev
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from producers.services.alerts.model import (
    MIN_VALUES,
    Condition,
    Progress,
    QuietHours,
    message_kind,
    progress_after,
    send_at,
    usual_of,
)
from producers.services.alerts.windows import (
    MAX_CATCH_UP,
    USUAL_WEEKS,
    Bucket,
    new_observations,
    next_evaluation,
    next_send_at,
    period_before,
    requested_period,
)

SAO_PAULO, NEW_YORK = ZoneInfo("America/Sao_Paulo"), ZoneInfo("America/New_York")
NOW = datetime(2026, 11, 25, 12, 20, tzinfo=UTC)
HOUR = timedelta(hours=1)
VERDICTS = st.lists(st.sampled_from(["holds", "between", "clear", "unknown"]), max_size=60)
VALUES = st.floats(-1e9, 1e9)


def hours(values, end=NOW):
    """Return buckets of whole hours, the last of which ends in the hour of `end`."""
    last = end.astimezone(SAO_PAULO).replace(minute=0, second=0, microsecond=0)
    starts = [last - HOUR * (len(values) - number) for number in range(len(values))]
    return [Bucket(start, start + HOUR, value) for start, value in zip(starts, values, strict=True)]


@given(VALUES, VALUES)
def test_a_value_above_is_never_also_below(value, limit):
    judged = {
        direction: Condition("threshold", direction, limit).judge(value, None)
        for direction in ("above", "below")
    }

    assert list(judged.values()).count("holds") == (value != limit)


def test_between_the_limit_and_the_value_of_its_end_an_alert_stays_as_it_is():
    condition = Condition("threshold", "above", 100, clear_value=80)

    judged = [condition.judge(value, None) for value in (101, 100, 81, 80, None)]

    assert judged == ["holds", "between", "between", "clear", "unknown"]


@given(VERDICTS, st.integers(1, 5), st.integers(1, 5))
def test_an_alert_fires_and_ends_only_after_enough_values_in_a_row(verdicts, fires_after, resolves_after):
    progress, before = Progress(), []

    for verdict in verdicts:
        following = progress.after(verdict, fires_after, resolves_after)
        before.append(verdict)
        if following.is_open and not progress.is_open:
            assert before[-fires_after:] == ["holds"] * fires_after
        if progress.is_open and not following.is_open:
            assert [each for each in before if each != "unknown"][-resolves_after:] == (
                ["clear"] * resolves_after
            )
        progress = following

    assert progress == progress_after(Progress(), verdicts, fires_after, resolves_after)


def test_a_value_that_jumps_around_the_limit_does_not_flap():
    progress = progress_after(Progress(), ["holds", "clear"] * 50, fires_after=2, resolves_after=2)

    assert progress == Progress()


def test_without_a_value_an_open_alert_stays_open_and_another_says_so():
    assert Progress("firing").after("unknown", 1, 1) == Progress("firing")
    assert Progress("pending", 2).after("unknown", 3, 1) == Progress("no_data")


def test_an_evaluation_of_many_values_makes_one_message_at_most():
    after = progress_after(Progress(), ["holds", "clear"] * 10 + ["holds"], 1, 1)

    assert message_kind(Progress(), after, None, None, NOW) == "fired"
    assert message_kind(after, after, NOW - HOUR, None, NOW) is None
    assert message_kind(after, after, NOW - HOUR, HOUR, NOW) == "repeated"
    assert message_kind(after, after, NOW - HOUR / 2, HOUR, NOW) is None
    assert message_kind(after, Progress(), NOW, None, NOW) == "resolved"


@given(st.lists(st.integers(0, 1_000), min_size=MIN_VALUES, max_size=7))
def test_an_outlier_among_the_earlier_values_hardly_changes_the_usual(values):
    usual = usual_of([*values, *values, 1_000_000])

    assert usual is None or usual.median <= 1_000


def test_the_usual_is_the_median_and_its_spread_that_of_a_normal_distribution():
    values = [100, 140, 60, 120, 80, 100, 150]
    usual = usual_of(values)

    assert usual is not None
    assert usual.median == 100
    assert usual.spread == pytest.approx(1.4826 * 20)
    assert usual.deviations(mean(values) + stdev(values)) < 2
    assert usual_of([100] * 3) is None
    assert usual_of([0] * 7) is None


def test_a_few_orders_more_than_usual_in_a_small_shop_are_no_alert():
    usual = usual_of([1, 0, 2, 1, 1, 0, 1])

    assert Condition("usual", "above", deviations=3.5, minimum=10).judge(7, usual) == "unknown"
    assert Condition("usual", "above", deviations=3.5, minimum=5).judge(7, usual) == "holds"


def test_the_usual_of_an_hour_is_that_of_the_same_hour_of_the_same_weekday():
    weekly = [100.0 if number % 168 == 5 else 3.0 for number in range(168 * (USUAL_WEEKS + 1))]
    weekly[-163] = 40.0  # the newest hour of that kind
    buckets = hours(weekly)
    after = buckets[-163].start

    (first, *_others) = new_observations(buckets, "hour", buckets[-163].end, after)

    assert first.bucket.value == 40
    assert first.usual is not None
    assert first.usual.median == 100
    assert Condition("usual", "below", deviations=3.5).judge(40, first.usual) == "holds"


def test_nothing_beyond_what_is_complete_is_looked_at():
    buckets = hours([5.0] * 100)
    as_of = buckets[-2].end - timedelta(seconds=1)

    seen = new_observations(buckets, "hour", as_of, buckets[0].start)

    assert seen[-1].bucket == buckets[-3]
    assert len(seen) == MAX_CATCH_UP
    assert new_observations(buckets, "hour", as_of, seen[-1].bucket.end) == []


def test_hours_before_the_first_sale_say_nothing_about_the_usual():
    buckets = hours([0.0] * 168 * 5 + [7.0] * 169)

    (*_others, last) = new_observations(buckets, "hour", NOW, NOW - 2 * HOUR)

    assert last.usual is None


@given(st.sampled_from(["hour", "day", "week"]), st.booleans(), st.integers(0, 10_000))
def test_a_request_has_few_enough_buckets_and_the_bucket_of_now_in_full(window, compares_usual, minutes):
    now = NOW + timedelta(minutes=minutes)

    start, end = requested_period(window, compares_usual, now, SAO_PAULO)

    assert (end - start) / HOUR <= (1_199 if window == "hour" else 24 * 75)
    assert end > now + {"hour": timedelta(0), "day": timedelta(days=1), "week": timedelta(days=7)}[window]
    assert start.minute == end.minute == 0


@given(st.integers(0, 100_000), st.integers(0, 200))
def test_a_rule_is_never_evaluated_more_often_than_once_a_minute(evaluated, late):
    until = NOW + timedelta(seconds=evaluated)
    now = until + timedelta(minutes=late)

    due = next_evaluation("hour", until, now, SAO_PAULO)

    assert due >= now + timedelta(minutes=1)
    assert due <= max(now, until) + HOUR + timedelta(minutes=1)


def test_a_rule_about_days_is_not_evaluated_until_the_next_day_is_nearly_over():
    midnight = datetime(2026, 11, 25, 3, tzinfo=UTC)  # a Wednesday in São Paulo

    assert next_evaluation("day", midnight, NOW, SAO_PAULO) == midnight + 23 * HOUR
    assert next_evaluation("day", midnight - HOUR, NOW, SAO_PAULO) == NOW + HOUR / 4
    assert next_evaluation("week", midnight, NOW, SAO_PAULO) == NOW + HOUR / 4
    assert next_evaluation("week", midnight - timedelta(days=2), NOW, SAO_PAULO) > NOW + timedelta(days=3)


QUIET = QuietHours("22:00", "07:00")  # 01:00 to 10:00 UTC in São Paulo


@given(st.integers(0, 60 * 24 * 300), st.integers(0, 23), st.integers(0, 23))
def test_no_message_is_sent_in_the_quiet_hours(minutes, start, end):
    quiet = QuietHours(f"{start:02}:00", f"{end if end != start else (start + 1) % 24:02}:00")
    now = NOW + timedelta(minutes=minutes)

    at = send_at(now, None, HOUR, quiet, NEW_YORK)

    assert now <= at <= now + timedelta(hours=25)
    assert quiet.end_after(at, NEW_YORK) in (None, at)


def test_a_message_of_the_night_is_sent_in_the_morning_and_a_second_one_keeps_its_distance():
    night = datetime(2026, 11, 25, 3, tzinfo=UTC)
    morning = datetime(2026, 11, 25, 10, tzinfo=UTC)

    assert send_at(night, None, HOUR, QUIET, SAO_PAULO) == morning
    assert send_at(morning, morning, 2 * HOUR, QUIET, SAO_PAULO) == morning + 2 * HOUR
    assert send_at(morning, None, HOUR, QUIET, SAO_PAULO) == morning
    assert send_at(night, None, HOUR, None, SAO_PAULO) == night


@given(st.sampled_from(["day", "week", "month"]), st.integers(0, 60 * 24 * 800), st.integers(0, 23))
def test_each_period_of_a_report_is_due_once(period, minutes, hour):
    now = NOW + timedelta(minutes=minutes)

    due = next_send_at(period, hour, now, NEW_YORK)
    following = next_send_at(period, hour, due, NEW_YORK)

    assert due > now
    assert period_before(period, due, NEW_YORK)[1] <= due
    assert period_before(period, following, NEW_YORK)[0] == period_before(period, due, NEW_YORK)[1]


def test_a_period_is_one_of_the_zone_of_the_report():
    # In New York, clocks go back on 1 November 2026.
    assert period_before("day", datetime(2026, 11, 2, 6, tzinfo=UTC), NEW_YORK) == (
        datetime(2026, 11, 1, 4, tzinfo=UTC),
        datetime(2026, 11, 2, 5, tzinfo=UTC),
    )
    assert period_before("month", NOW, SAO_PAULO) == (
        datetime(2026, 10, 1, 3, tzinfo=UTC),
        datetime(2026, 11, 1, 3, tzinfo=UTC),
    )
    assert period_before("week", NOW, SAO_PAULO)[0] == datetime(2026, 11, 16, 3, tzinfo=UTC)
