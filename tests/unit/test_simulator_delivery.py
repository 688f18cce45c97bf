"""Events that arrive late or twice: nothing is lost, nothing is invented, and what is sent stays in order."""

from collections import Counter
from random import Random

import numpy as np
import pytest

from producers.feed.events import Timeline
from producers.feed.timeline_sender import messages
from producers.simulator import delivery
from producers.simulator.delivery import COPY_SHARE, LATE_SHARE, MAY_BE_LATE, draw_delays, unreliable
from producers.simulator.history.days import SimulatedHistory
from producers.simulator.history.plan import HistoryPlan
from producers.simulator.live.held_back import HeldBack
from producers.simulator.randomness import named_rng
from producers.simulator.world.shape import WorldShape
from schemas.events import all_events

SCHEMA_IDS = {name: number for number, name in enumerate(all_events(), 1)}
PLAN = HistoryPlan(
    WorldShape(seed=3, sellers=20, products=200, shoppers=500), 1_773_307_800_000, weeks=1, events=20_000
)
TOLERANCE = 0.3
"""Relative deviation of a share that is drawn about 200 times: four standard errors."""


@pytest.fixture(scope="module")
def day() -> Timeline:
    return list(SimulatedHistory(PLAN).days())[-1]


@pytest.fixture(scope="module")
def arriving(day: Timeline) -> Timeline:
    return unreliable(day, named_rng(3, "delivery"))


def sent(timeline: Timeline) -> list[tuple[str, bytes]]:
    """Return topic and value of each message in the order of sending."""
    sources = messages(timeline, 0, SCHEMA_IDS)
    return [(timeline.events[which].name, next(sources[which]).value) for which in timeline.which.tolist()]


def test_every_event_arrives_and_copies_are_the_same_event(day: Timeline, arriving: Timeline) -> None:
    before, after = Counter(sent(day)), Counter(sent(arriving))

    assert before.keys() == after.keys()
    assert set(before.values()) == {1}
    assert set(after.values()) == {1, 2}
    copies = sum(after.values()) - len(before)
    assert copies == pytest.approx(COPY_SHARE * len(day), rel=2 * TOLERANCE)


def test_events_are_sent_in_the_order_in_which_they_are_due(arriving: Timeline) -> None:
    assert (np.diff(arriving.due_at) >= 0).all()


def test_only_events_of_others_are_late_and_none_is_early_or_after_the_day(
    day: Timeline, arriving: Timeline
) -> None:
    late: Counter[str] = Counter()
    of_name = [iter(events.occurred_at.tolist()) for events in arriving.events]
    ids = [iter(events.ids()) for events in arriving.events]
    seen: set[str] = set()
    for which, due in zip(arriving.which.tolist(), arriving.due_at.tolist(), strict=True):
        occurred_at, event_id = next(of_name[which]), next(ids[which])
        assert occurred_at <= due <= day.due_at[-1]
        if event_id not in seen:
            seen.add(event_id)
            late[arriving.events[which].name] += occurred_at < due
    may_be_late = sum(len(events) for events in day.events if events.name in MAY_BE_LATE)

    assert {name for name, count in late.items() if count} <= MAY_BE_LATE
    assert late.total() == pytest.approx(LATE_SHARE * may_be_late, rel=2 * TOLERANCE)


def test_the_same_seed_makes_the_same_events_late(day: Timeline, arriving: Timeline) -> None:
    again = unreliable(day, named_rng(3, "delivery"))

    assert sent(again) == sent(arriving)


def test_a_day_without_events_stays_empty() -> None:
    empty = Timeline([], np.empty(0, np.int8), np.empty(0, np.int64))

    assert len(unreliable(empty, named_rng(3, "delivery"))) == 0


def test_shares_of_live_events_and_copies_after_the_first() -> None:
    random = Random(1)
    draws = [draw_delays("product_viewed", random) for _ in range(50_000)]

    assert sum(len(delays) == 2 for delays in draws) / len(draws) == pytest.approx(COPY_SHARE, rel=TOLERANCE)
    assert sum(delays[0] > 0 for delays in draws) / len(draws) == pytest.approx(LATE_SHARE, rel=TOLERANCE)
    assert all(delays == sorted(delays) for delays in draws)


def test_events_of_our_own_services_are_never_late() -> None:
    assert "order_placed" not in delivery.MAY_BE_LATE
    assert {draw_delays("order_placed", Random(seed))[0] for seed in range(1_000)} == {0.0}


def test_held_back_items_come_when_they_are_due() -> None:
    now = [0.0]
    held_back: HeldBack[str] = HeldBack(lambda: now[0])
    held_back.add("second", 2.0)
    held_back.add("first", 1.0)
    held_back.add("third", 3.0)

    assert [*held_back.due()] == []
    now[0] = 2.0
    assert [*held_back.due()] == ["first", "second"]
    assert [*held_back.all()] == ["third"]
    assert [*held_back.due()] == []
