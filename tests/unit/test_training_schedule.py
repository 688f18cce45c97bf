"""When the platform trains by itself."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.nights import last_night
from recommenders.training.schedule import (
    MIN_EVENTS,
    RETRY_AFTER,
    TrainingState,
    due,
    has_settled,
    may_follow_drift,
)

SHOP = ZoneInfo("America/Sao_Paulo")
NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
NEW = TrainingState(False, None, None, None, (60_000, 59_000, 58_000))
TRAINED = TrainingState(True, NOW - timedelta(hours=2), None, None, (60_000, 59_000, 58_000))


def test_the_first_training_begins_once_there_is_enough_and_no_history_is_being_loaded() -> None:
    assert due(NEW, NOW, 3, SHOP) == "first"
    assert not due(replace(NEW, events=(60_000, 30_000, 29_000)), NOW, 3, SHOP)
    assert not due(replace(NEW, events=(60_000, 59_000, 30_000)), NOW, 3, SHOP)
    assert not due(replace(NEW, events=(60_000, 59_000)), NOW, 3, SHOP)
    assert not due(replace(NEW, events=(MIN_EVENTS - 1,) * 3), NOW, 3, SHOP)


def test_a_model_is_replaced_every_night_and_a_missed_night_is_made_up_for() -> None:
    assert not due(TRAINED, NOW, 3, SHOP)
    assert due(replace(TRAINED, trained_at=NOW - timedelta(hours=7)), NOW, 3, SHOP) == "scheduled"
    assert due(replace(TRAINED, trained_at=NOW - timedelta(days=9)), NOW, 3, SHOP) == "scheduled"


@pytest.mark.parametrize("state", [NEW, replace(TRAINED, trained_at=NOW - timedelta(days=1))])
def test_a_training_that_failed_is_repeated_after_a_pause(state: TrainingState) -> None:
    assert not due(replace(state, attempted_at=NOW - RETRY_AFTER + timedelta(seconds=1)), NOW, 3, SHOP)
    assert due(replace(state, attempted_at=NOW - RETRY_AFTER), NOW, 3, SHOP)


def test_a_shop_whose_model_is_gone_from_redis_trains_at_once() -> None:
    assert due(replace(TRAINED, has_model=False), NOW, 3, SHOP)


@given(st.integers(1_400_000_000, 1_900_000_000), st.integers(0, 23))
def test_the_last_night_was_less_than_a_day_and_an_hour_ago(now_s: int, hour: int) -> None:
    """On days on which the clock changes, an hour may be missing or double."""
    now = datetime.fromtimestamp(now_s, UTC)
    night = last_night(now, hour, SHOP)

    assert timedelta(0) <= now - night < timedelta(hours=25)
    assert night.astimezone(SHOP).hour in (hour, (hour + 1) % 24)


@given(st.lists(st.integers(0, 10**7), min_size=3))
def test_fewer_events_than_before_never_count_as_loading(newest_first: list[int]) -> None:
    """Rows that arrived twice disappear when ClickHouse merges them."""
    falling = sorted(newest_first)

    assert has_settled(tuple(falling)) == (falling[0] >= MIN_EVENTS)


@pytest.mark.parametrize("what", ["trained_at", "started_at", "attempted_at"])
def test_a_drift_starts_no_training_soon_after_another_one(what: str) -> None:
    pause = timedelta(hours=6)
    long_ago = replace(TRAINED, trained_at=NOW - timedelta(hours=7), started_at=NOW - timedelta(hours=7))

    assert may_follow_drift(long_ago, NOW, pause)
    assert may_follow_drift(replace(long_ago, **{what: NOW - pause}), NOW, pause)
    assert not may_follow_drift(replace(long_ago, **{what: NOW - pause + timedelta(seconds=1)}), NOW, pause)
    assert not may_follow_drift(replace(long_ago, has_model=False), NOW, pause)
