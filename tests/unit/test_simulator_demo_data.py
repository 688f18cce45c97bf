"""The simulated data resemble a shop: shoppers have a city, some searches find nothing, stock is ample."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest

from common.clock import to_millis
from producers.feed.events import Events
from producers.simulator.calendar import Calendar
from producers.simulator.decisions import Behaviour, DecisionModel
from producers.simulator.history.days import SimulatedHistory
from producers.simulator.history.plan import HistoryPlan
from producers.simulator.live.steps import EmitEvent
from producers.simulator.live.steps import plan_visits as plan
from producers.simulator.live.stock_levels import StockLevels
from producers.simulator.live.visit import LiveVisit, VisitContext
from producers.simulator.randomness import named_rng
from producers.simulator.visits import draw_organic_views, draw_visits
from producers.simulator.world.shape import WorldShape
from producers.simulator.world.world import World, build_world

END_MS = to_millis(datetime(2026, 3, 12, 9, 30, tzinfo=UTC))
SHAPE = WorldShape(seed=3, sellers=40, products=500, shoppers=1_500)
FEW = 5


@pytest.fixture(scope="module")
def history() -> dict[str, dict[str, list[Any]]]:
    """Event → column → values of a history of two weeks, in the order of time."""
    columns: dict[str, dict[str, list[Any]]] = {}
    for timeline in SimulatedHistory(HistoryPlan(SHAPE, END_MS, weeks=2, events=40_000)).days():
        for events in timeline.events:
            _append(columns.setdefault(events.name, {}), events)
    return columns


def _append(columns: dict[str, list[Any]], events: Events) -> None:
    for name, values in {"occurred_at": events.occurred_at.tolist(), **events.columns}.items():
        columns.setdefault(name, []).extend(values)


@pytest.mark.parametrize("event", ["seller_registered", "shopper_registered"])
def test_people_live_in_cities_the_big_ones_first(history: Any, event: str) -> None:
    registered = history[event]
    cities = Counter(registered["city"])

    assert None not in cities
    assert len(cities) > 5
    assert cities.most_common(1)[0][0] == "sao paulo"
    assert set(registered["country"]) == {"BR"}
    assert {len(state) for state in registered["state"]} == {2}
    assert all(len(prefix) == 5 and prefix.isdigit() for prefix in registered["zip_prefix"])
    assert len(set(zip(registered["city"], registered["state"], strict=True))) == len(cities)


def test_some_searches_of_the_history_find_nothing_and_are_corrected(history: Any) -> None:
    searches = history["search_performed"]
    names = ("session_id", "occurred_at", "result_count", "product_ids")
    rows = list(zip(*(searches[name] for name in names), strict=True))
    empty = [(session, at) for session, at, count, products in rows if not count and not products]
    found = {(session, at) for session, at, count, _ in rows if count}

    assert 0.02 < len(empty) / len(rows) < 0.12
    assert all(any(s == session and later >= at for s, later in found) for session, at in empty)
    assert all(products for _, _, count, products in rows if count)


def test_some_live_searches_find_nothing() -> None:
    world = build_world(SHAPE)
    searches = [event for event in live_events(world) if event["event"] == "search_performed"]
    empty = [search for search in searches if not search["result_count"]]

    assert 0.02 < len(empty) / len(searches) < 0.12
    assert all(search["product_ids"] == [] for search in empty)


def live_events(world: World) -> Iterator[dict[str, Any]]:
    """Yield the events of 400 visits without recommendations."""
    decisions = DecisionModel(world, Calendar(world), Behaviour(holdout_share=1.0))
    context = VisitContext(decisions, lambda *_: True, {})
    rng = named_rng(1, "test")
    visits = draw_visits(decisions, rng, np.full(400, END_MS))
    for planned in plan(decisions, rng, visits, draw_organic_views(decisions, rng, visits)):
        for step in LiveVisit(planned, context, rng).steps():
            if isinstance(step, EmitEvent):
                yield step.event


def test_most_products_of_the_history_have_more_than_a_few_units_left(history: Any) -> None:
    changes = history["stock_changed"]
    left = {
        product: on_hand - reserved
        for product, on_hand, reserved in zip(
            changes["product_id"], changes["on_hand"], changes["reserved"], strict=True
        )
    }

    assert len(left) == SHAPE.products
    assert 0.05 < sum(units <= FEW for units in left.values()) / len(left) < 0.35


@pytest.mark.parametrize("rate", [20, 200])
def test_live_sellers_refill_most_products_to_more_than_a_few_units(rate: int) -> None:
    levels = StockLevels(build_world(WorldShape()), rate).levels

    assert 0.02 < sum(level <= FEW for level in levels) / len(levels) < 0.2
