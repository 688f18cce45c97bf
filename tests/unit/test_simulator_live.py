"""Live visits and shipments without a platform: steps after recommendations, known stock levels, returns."""

import asyncio
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from producers.simulator.calendar import Calendar
from producers.simulator.decisions import Behaviour, DecisionModel
from producers.simulator.live import shipments as shipments_module
from producers.simulator.live.shipments import LiveShipments
from producers.simulator.live.steps import (
    ChangeCart,
    EmitEvent,
    RecommendedItem,
    RecommendedList,
    RequestRecommendations,
    Step,
    SubmitCart,
    plan_visits,
)
from producers.simulator.live.stock_levels import StockLevels
from producers.simulator.live.visit import LiveVisit, VisitContext
from producers.simulator.order_lifecycle import SimulatedLine, draw_lifecycle
from producers.simulator.randomness import named_rng
from producers.simulator.status import LATENCY_SAMPLES, SimulatorStatus
from producers.simulator.visits import Views, Visits, draw_organic_views, draw_visits
from producers.simulator.world.world import World
from schemas.events import all_events
from schemas.services import OTHERS
from serving.event_collector.validators import validators

NOW_MS = 1_770_000_000_000
STANDARD_ERRORS = 4.0


def shop_of(world: World, in_stock: bool = True, **behaviour: float) -> VisitContext:
    decisions = DecisionModel(world, Calendar(world), Behaviour(**behaviour))
    index_of = {product: row for row, product in enumerate(world.products.ids)}
    return VisitContext(decisions, lambda *_: in_stock, index_of)


def draw(shop: VisitContext, count: int) -> tuple[Visits, Views]:
    rng = named_rng(1, "test")
    visits = draw_visits(shop.decisions, rng, np.full(count, NOW_MS))
    return visits, draw_organic_views(shop.decisions, rng, visits)


def walk(
    shop: VisitContext, count: int, answer: Callable[[RequestRecommendations], RecommendedList | None]
) -> list[list[Step]]:
    """Return all steps of `count` visits, whose requests for recommendations get `answer`."""
    rng, walks = named_rng(2, "test"), []
    for plan in plan_visits(shop.decisions, rng, *draw(shop, count)):
        steps, seen, reply = LiveVisit(plan, shop, rng).steps(), [], None
        while True:
            try:
                step = steps.send(reply)
            except StopIteration:
                break
            seen.append(step)
            reply = answer(step) if isinstance(step, RequestRecommendations) else None
        walks.append(seen)
    return walks


def popular(world: World) -> Callable[[RequestRecommendations], RecommendedList]:
    """Return a recommender with the same twelve products for everyone; the first is unknown to the world."""
    items = [RecommendedItem("from-elsewhere", None, 1.0, "popular")]
    items += [RecommendedItem(world.products.ids[row], None, 0.5, "popular") for row in range(0, 220, 20)]
    return lambda _ask: RecommendedList("01990000-0000-7000-8000-000000000000", "popular_products", items)


def told(walks: list[list[Step]], name: str) -> list[dict[str, Any]]:
    return [
        step.event
        for steps in walks
        for step in steps
        if isinstance(step, EmitEvent) and step.event["event"] == name
    ]


def test_every_event_of_a_visit_is_one_that_the_api_takes(world: World) -> None:
    walks = walk(shop_of(world), 400, popular(world))
    tells = [step.event for steps in walks for step in steps if isinstance(step, EmitEvent)]

    assert {event["event"] for event in tells} == set(OTHERS["serving/event_collector"].emits)
    for event in tells:
        validators()[event["event"]](event)
        fields = {field["name"] for field in all_events()[event["event"]].fields}
        assert set(event) == fields - {"event_id", "occurred_at"} | {"event"}


def test_steps_come_in_the_order_of_time(world: World) -> None:
    walks = walk(shop_of(world), 200, popular(world))
    assert len(walks) == 200
    for steps in walks:
        times = [step.at_ms for step in steps]
        assert times == sorted(times)
        assert times[0] >= NOW_MS


def test_the_same_draws_make_the_same_visits(world: World) -> None:
    first, second = (walk(shop_of(world), 50, popular(world)) for _ in range(2))

    assert first == second


def test_a_shopper_clicks_what_they_like_and_what_stands_first(world: World) -> None:
    shop = shop_of(world, holdout_share=0.0)
    visits, _ = draw(shop, 3_000)
    shown = popular(world)(RequestRecommendations(NOW_MS, "anyone", "home", None))
    walks = walk(shop, 3_000, lambda ask: shown if ask.surface == "home" else None)
    clicked = np.array([event["position"] for event in told(walks, "recommendation_clicked")])

    expected = np.zeros(len(shown.items))
    for position, item in enumerate(shown.items[1:], 2):
        product = np.full(len(visits), shop.index_of[item.product_id])
        chances = shop.decisions.click_probability(visits.shopper, product, np.full(len(visits), position))
        expected[position - 1] = chances.sum()
    observed = np.bincount(clicked - 1, minlength=len(shown.items))

    assert observed[0] == 0, "what is of no world leaves them cold"
    assert observed.sum() > 300
    assert np.abs(observed - expected).max() < STANDARD_ERRORS * np.sqrt(expected.max())


def test_what_is_clicked_is_looked_at_with_its_recommendation(world: World) -> None:
    walks = walk(shop_of(world), 400, popular(world))
    clicks = [(event["session_id"], event["product_id"]) for event in told(walks, "recommendation_clicked")]
    views = [
        (event["session_id"], event["product_id"])
        for event in told(walks, "product_viewed")
        if event["source"] == "recommendation"
    ]

    assert clicks
    assert sorted(clicks) == sorted(views)
    assert all(
        (event["recommendation_id"] is not None) == (event["source"] == "recommendation")
        for event in told(walks, "product_viewed")
    )


def test_being_shown_a_product_makes_people_buy_it(world: World) -> None:
    keen = {"holdout_share": 0.5, "click": 0.0, "add": -1.0}
    walks = walk(shop_of(world, **keen), 4_000, popular(world))
    shown = {world.products.ids[row] for row in range(0, 220, 20)}
    index_of = {product: row for row, product in enumerate(world.products.ids)}

    def bought(steps: list[Step]) -> int:
        return sum(
            len({index_of[one] for one in shown} & set(s.units)) for s in steps if isinstance(s, SubmitCart)
        )

    asked = np.array([any(isinstance(step, RequestRecommendations) for step in steps) for steps in walks])
    units = np.array([bought(steps) for steps in walks], float)
    effect = units[asked].mean() - units[~asked].mean()
    error = np.sqrt(units[asked].var() / asked.sum() + units[~asked].var() / (~asked).sum())

    assert effect > STANDARD_ERRORS * error


def test_the_holdout_asks_for_nothing(world: World) -> None:
    walks = walk(shop_of(world, holdout_share=1.0), 100, popular(world))

    assert not any(isinstance(step, RequestRecommendations) for steps in walks for step in steps)


def test_visits_go_on_when_nobody_answers(world: World) -> None:
    walks = walk(shop_of(world), 300, lambda _ask: None)

    assert told(walks, "product_viewed")
    assert not told(walks, "recommendation_shown")


def test_nobody_buys_what_is_sold_out(world: World) -> None:
    walks = walk(shop_of(world, in_stock=False, add=5.0), 200, popular(world))

    assert not any(isinstance(step, ChangeCart | SubmitCart) for steps in walks for step in steps)


def test_what_is_bought_is_what_the_cart_held(world: World) -> None:
    walks = walk(shop_of(world, add=0.0), 500, popular(world))
    buys = 0
    for steps in walks:
        cart: dict[str, int] = {}
        for step in steps:
            if isinstance(step, ChangeCart):
                assert step.quantity_before == cart.get(step.product_id, 0)
                cart[step.product_id] = step.quantity
            if isinstance(step, SubmitCart):
                buys += 1
                held = {product: units for product, units in cart.items() if units}
                assert {world.products.ids[row]: units for row, units in step.units.items()} == held
                assert step is steps[-1]

    assert buys > 50


def test_a_shelf_orders_more_once_when_it_runs_low_and_is_full_again_after(world: World) -> None:
    shelf = StockLevels(world, rate=200)
    level = shelf.levels[0]

    assert shelf.in_stock(0, level)
    assert not shelf.in_stock(0, level + 1)
    low = [product for _ in range(level) for product in shelf.record_order({0: 1})]
    assert low == [0]
    assert not shelf.in_stock(0, 1)
    shelf.record_failed_order({0: 1})
    assert shelf.in_stock(0, 1)
    shelf.record_refill(0)
    assert shelf.in_stock(0, level)


def test_an_order_ships_from_every_seller_or_is_called_off(world: World) -> None:
    from random import Random

    random = Random(4)
    lines = [SimulatedLine(1, 0, 0, 1, 1000), SimulatedLine(2, 1, 1, 2, 500), SimulatedLine(3, 2, 0, 1, 300)]
    fates = [draw_lifecycle(world, random, lines) for _ in range(2_000)]

    for fate in fates:
        if fate.cancelled_after_days is not None:
            assert not fate.shipments
            continue
        assert {parcel.seller for parcel in fate.shipments} == {0, 1}
        assert sorted(line.number for parcel in fate.shipments for line in parcel.lines) == [1, 2, 3]
        assert fate.review is None or 1 <= fate.review.score <= 5
    cancelled = sum(fate.cancelled_after_days is not None for fate in fates) / len(fates)
    assert 0.005 < cancelled < 0.03
    assert any(parcel.returned for fate in fates for parcel in fate.shipments)


def test_a_return_refunds_what_the_shopper_paid_without_the_marketplace_s_part(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    from random import Random

    class Events:
        def __init__(self) -> None:
            self.returned: list[dict[str, Any]] = []

        def send(self, name: str, _: str, **fields: Any) -> None:
            if name == "order_returned":
                self.returned += fields["lines"]

    monkeypatch.setattr(shipments_module, "DAY_S", 0)
    line = {
        "line_number": 1, "product_id": world.products.ids[0], "quantity": 2, "unit_price_minor": 1_000,
        "seller_id": world.sellers.ids[int(world.products.seller[0])], "discount_minor": 200,
        "shipping_minor": 150, "marketplace_minor": 300,
    }  # fmt: skip
    order = {"shopper_id": world.shoppers.ids[0], "status": "confirmed", "placed_at": "2026-05-01T12:00:00Z"}

    async def run() -> list[dict[str, Any]]:
        events, ignore = Events(), lambda _: None
        live = LiveShipments(world, events, SimulatorStatus(), Random(3), ignore, ignore)  # type: ignore[arg-type]
        for number in range(500):
            live.schedule(order | {"order_id": f"o{number}", "lines": [line]})
        async with asyncio.timeout(30):
            while not events.returned:
                await asyncio.sleep(0)
        return events.returned

    assert {each["refund_minor"] for each in asyncio.run(run())} == {1_500}


def test_the_status_counts_the_rate_of_the_last_seconds_and_the_slowest_answers() -> None:
    now = [100.0]
    status = SimulatorStatus(now_s=lambda: now[0])
    status.snapshot()
    for _ in range(30):
        now[0] += 1
        status.record_sent("product_viewed", "intake", 50)
        status.snapshot()
    for milliseconds in range(1, 101):
        status.record_response("orders", milliseconds / 1000)
    status.record_error("orders", "HTTP 503")

    seen = status.snapshot()
    assert seen["sent"] == 1_500
    assert seen["rate"] == pytest.approx(50, rel=0.1)
    assert seen["endpoints"]["orders"] == {
        "p50_ms": pytest.approx(50.5), "p99_ms": pytest.approx(99, abs=1), "count": 100,
    }  # fmt: skip
    assert seen["errors"] == {"orders: HTTP 503": 1}


def test_the_percentiles_are_those_of_the_newest_answers() -> None:
    status = SimulatorStatus()
    for milliseconds in [1] * LATENCY_SAMPLES + [9] * LATENCY_SAMPLES + [5] * (LATENCY_SAMPLES // 2 + 1):
        status.record_response("orders", milliseconds / 1000)

    seen = status.snapshot()["endpoints"]["orders"]
    assert (seen["p50_ms"], seen["p99_ms"], seen["count"]) == (
        5.0,
        9.0,
        2 * LATENCY_SAMPLES + LATENCY_SAMPLES // 2 + 1,
    )
