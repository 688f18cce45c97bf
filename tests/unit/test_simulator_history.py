"""The simulated history: the same for the same seed, in order, with consistent stock and payments."""

import os
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import blake2b
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from numpy.typing import NDArray

from common.clock import from_millis, to_millis
from common.errors import UserError
from common.settings import ROOT
from producers.feed.events import Timeline
from producers.feed.timeline_sender import messages
from producers.simulator.calendar import DAY_MS, Calendar
from producers.simulator.history.browsing import BrowsingEventBuilder
from producers.simulator.history.carts import HistoryCarts
from producers.simulator.history.days import SimulatedHistory
from producers.simulator.history.event_rows import EventRows
from producers.simulator.history.orders import HistoryOrders
from producers.simulator.history.plan import HistoryPlan
from producers.simulator.history.scheduler import Scheduler
from producers.simulator.history.stock import HistoryStock
from producers.simulator.visits import NO_LIST, Views, draw_view_searches, merge_views
from producers.simulator.world.shape import WorldShape
from producers.simulator.world.world import build_world
from schemas.codec import Decoder, Record
from schemas.events import all_events

END_MS = to_millis(datetime(2026, 3, 12, 9, 30, tzinfo=UTC))
SHAPE = WorldShape(seed=7, sellers=30, products=300, shoppers=1_000)
PLAN = HistoryPlan(SHAPE, END_MS, weeks=2, events=60_000, stock_days=0.5)
"""Little stock, so that some products sell out."""
SCHEMA_IDS = {name: number for number, name in enumerate(all_events(), 1)}


def digest_of(plan: HistoryPlan) -> str:
    """Return a digest of all bytes that a history sends, in order."""
    digest = blake2b()
    for timeline in SimulatedHistory(plan).days():
        sources = messages(timeline, 0, SCHEMA_IDS)
        for which in timeline.which.tolist():
            message = next(sources[which])
            digest.update(message.key + message.value + repr(message.headers).encode())
    return digest.hexdigest()


@pytest.fixture(scope="module")
def timelines() -> list[Timeline]:
    return list(SimulatedHistory(PLAN).days())


@pytest.fixture(scope="module")
def records(timelines: list[Timeline]) -> list[tuple[str, Record]]:
    """(event, record) of the whole history as it would be read from Kafka, in the order sent."""
    by_id = {number: all_events()[name].schema for name, number in SCHEMA_IDS.items()}
    decoder = Decoder(by_id.__getitem__)

    def decoded() -> Iterator[tuple[str, Record]]:
        for timeline in timelines:
            sources = messages(timeline, 0, SCHEMA_IDS)
            for which in timeline.which.tolist():
                yield timeline.events[which].name, decoder.decode(next(sources[which]).value)

    return list(decoded())


def of(records: list[tuple[str, Record]], name: str) -> list[Record]:
    return [record for event, record in records if event == name]


def by_order(records: list[tuple[str, Record]]) -> dict[str, dict[str, list[Record]]]:
    """Order id → event → records, of all events of orders."""
    orders: dict[str, dict[str, list[Record]]] = defaultdict(lambda: defaultdict(list))
    for name, record in records:
        if record.get("order_id"):
            orders[record["order_id"]][name].append(record)
    return orders


def paid(lines: list[dict[str, Any]]) -> int:
    return sum(
        line["quantity"] * line["unit_price_minor"] - line["discount_minor"] + line["shipping_minor"]
        for line in lines
    )


def test_the_same_seed_gives_the_same_bytes_in_another_process() -> None:
    code = "from tests.unit.test_simulator_history import PLAN, digest_of; print(digest_of(PLAN))"
    environment = os.environ | {"PYTHONHASHSEED": "12345", "PYTHONPATH": str(ROOT)}
    other = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )

    assert other.stdout.strip() == digest_of(PLAN)


def test_another_seed_gives_another_history() -> None:
    few = HistoryPlan(SHAPE, END_MS, weeks=1, events=4_000)
    other = HistoryPlan(
        WorldShape(seed=8, sellers=30, products=300, shoppers=1_000), END_MS, weeks=1, events=4_000
    )

    assert digest_of(few) != digest_of(other)


def test_a_day_of_visits_needs_none_of_the_days_before_it() -> None:
    history = SimulatedHistory(PLAN)
    in_order = [history.draw_day(number) for number in range(4)]
    alone = SimulatedHistory(PLAN).draw_day(3)

    assert alone.visits.ids == in_order[3].visits.ids
    assert (alone.views.product == in_order[3].views.product).all()
    assert (alone.lists.items == in_order[3].lists.items).all()


def test_a_history_is_about_as_long_as_asked(records: list[tuple[str, Record]]) -> None:
    assert len(records) == pytest.approx(PLAN.events, rel=0.08)


def test_events_come_in_the_order_of_their_times_and_before_the_end(
    records: list[tuple[str, Record]],
) -> None:
    times = [record["occurred_at"] for _, record in records]

    assert times == sorted(times)
    assert times[0] >= from_millis(PLAN.start_ms)
    assert times[-1] < from_millis(END_MS)
    assert times[-1] > from_millis(END_MS - DAY_MS)


def test_every_event_has_an_id_of_its_own(records: list[tuple[str, Record]]) -> None:
    ids = [record["event_id"] for _, record in records]

    assert len(set(ids)) == len(ids)


class _Steady(np.random.Generator):
    """A generator with the same interval between all steps of a visit."""

    GAP_S = 12.0

    def lognormal(self, *_: Any) -> Any:
        return self.GAP_S


def views_of_one_product(at: NDArray[np.int64]) -> Views:
    """Return views of one product by a day's first visit; each is followed by an addition and a removal."""
    n = len(at)
    zeros, ones = np.zeros(n, np.int64), np.ones(n, np.int64)
    return Views(zeros, at, zeros, zeros, zeros + NO_LIST, adds=ones == 1, removes=ones == 1, quantity=ones)


def test_views_of_one_product_in_one_millisecond_of_a_visit_are_events_of_their_own() -> None:
    history = SimulatedHistory(PLAN)
    day = history.draw_day(1)
    at_once = views_of_one_product(np.full(50, PLAN.start_ms + DAY_MS))

    views = merge_views(at_once, merge_views(at_once, day.views))
    rng = np.random.default_rng(1)
    searches = draw_view_searches(history.decisions, rng, day.visits, views)
    events = BrowsingEventBuilder(history.world).events(
        rng, day.visits, views, day.lists, day.clicks, searches
    )
    viewed = next(one for one in events if one.name == "product_viewed")

    assert len(set(viewed.ids())) == len(viewed) == 100 + len(day.views)
    assert views.at[:100].tolist() == list(range(int(at_once.at[0]), int(at_once.at[0]) + 100))
    assert views.at[views.visit > 0].tolist() == day.views.at[day.views.visit > 0].tolist()


def test_changes_of_one_product_in_one_millisecond_of_a_cart_are_events_of_their_own() -> None:
    history, rows, agenda, random = SimulatedHistory(PLAN), EventRows(), Scheduler(), Random(1)
    stock = HistoryStock(history.world, rows, agenda, random, replace(PLAN, stock_days=1_000.0))
    stock.schedule_first_stock(PLAN.start_ms)
    orders = HistoryOrders(history.world, rows, agenda, stock, random)
    carts = HistoryCarts(history.world, rows, agenda, stock, orders, lambda *_: 100)
    day = history.draw_day(1)
    gap_ms = int(_Steady.GAP_S * 1000)
    views = views_of_one_product(PLAN.start_ms + DAY_MS + gap_ms * np.arange(50))

    steady = _Steady(np.random.PCG64(1))
    carts.schedule(steady, replace(day.visits, checks_out=day.visits.checks_out & False), views, day.lists)
    agenda.run_until(END_MS)
    changes = next(one for one in rows.drain() if one.name == "cart_changed")

    assert np.diff(changes.occurred_at).min() == 1, "what is taken out goes while the next is put in"
    assert len(set(changes.ids())) == len(changes) == 100
    assert changes.columns["quantity_before"] == [0, *changes.columns["quantity"][:-1]]


def test_nobody_is_named_before_they_were_introduced(records: list[tuple[str, Record]]) -> None:
    known: set[str] = set()
    introductions = {
        "seller_registered": "seller_id",
        "product_listed": "product_id",
        "shopper_registered": "shopper_id",
    }
    for name, record in records:
        if name in introductions:
            known.add(record[introductions[name]])
        named = {record.get(key) for key in ("seller_id", "product_id", "shopper_id")} - {None}
        assert named <= known, (name, record)


def test_an_order_goes_through_its_steps_and_ends_either_confirmed_or_cancelled(
    records: list[tuple[str, Record]],
) -> None:
    steps = (
        "order_placed", "stock_reserved", "payment_captured", "order_confirmed", "order_shipped",
        "order_delivered", "order_returned",
    )  # fmt: skip
    orders = by_order(records)
    settled = [found for found in orders.values() if "order_confirmed" in found or "order_cancelled" in found]

    assert len(settled) > 200
    for found in orders.values():
        assert len(found["order_placed"]) == 1
        times = [min(one["occurred_at"] for one in found[step]) for step in steps if found[step]]
        assert times == sorted(times)
        assert not (found["order_shipped"] and found["order_cancelled"])
        assert bool(found["payment_captured"]) >= bool(found["order_confirmed"])


def test_money_that_comes_in_is_that_of_the_lines_and_what_goes_out_is_less(
    records: list[tuple[str, Record]],
) -> None:
    for found in by_order(records).values():
        due = paid(found["order_placed"][0]["lines"])
        captured = sum(payment["amount_minor"] for payment in found["payment_captured"])
        refunded = sum(refund["amount_minor"] for refund in found["payment_refunded"])
        assert captured in (0, due)
        assert refunded <= captured
        if found["order_cancelled"] and found["payment_captured"] and found["payment_refunded"]:
            assert refunded == due


def test_a_confirmation_has_the_lines_and_the_time_of_its_order(records: list[tuple[str, Record]]) -> None:
    for found in by_order(records).values():
        (placed,) = found["order_placed"]
        for confirmed in found["order_confirmed"]:
            assert confirmed["placed_at"] == placed["occurred_at"]
            assert confirmed["currency"] == placed["currency"]
            assert confirmed["lines"] == placed["lines"] != []


def test_a_review_is_about_a_line_of_its_order(records: list[tuple[str, Record]]) -> None:
    orders = by_order(records)
    reviews = of(records, "review_submitted")
    about = ("line_number", "product_id", "seller_id")

    assert reviews
    for review in reviews:
        [placed] = orders[review["order_id"]]["order_placed"]
        assert [review[name] for name in about] in [
            [line[name] for name in about] for line in placed["lines"]
        ]


def test_a_cancellation_has_the_time_of_the_confirmation_if_there_was_one(
    records: list[tuple[str, Record]],
) -> None:
    expected, told = [], []
    for found in by_order(records).values():
        confirmed_at = next((each["occurred_at"] for each in found["order_confirmed"]), None)
        expected += [confirmed_at for _ in found["order_cancelled"]]
        told += [cancelled["confirmed_at"] for cancelled in found["order_cancelled"]]

    assert told == expected
    assert None in told
    assert set(told) != {None}


def test_a_refund_of_a_return_has_its_seller_and_lines_and_other_refunds_have_none(
    records: list[tuple[str, Record]],
) -> None:
    returns = {record["return_id"]: record for record in of(records, "order_returned")}
    refunds = of(records, "payment_refunded")

    for refund in refunds:
        back = returns.get(refund["return_id"], {"seller_id": None, "placed_at": None, "lines": []})
        lines = [
            {name: line[name] for name in line if name != "restocked"} | {"marketplace_minor": None}
            for line in back["lines"]
        ]
        assert (refund["seller_id"], refund["placed_at"], refund["lines"]) == (
            back["seller_id"], back["placed_at"], lines,
        )  # fmt: skip
        assert not lines or refund["amount_minor"] == sum(line["refund_minor"] for line in lines)
    assert {refund["reason"] for refund in refunds} == {"order_returned", "order_cancelled"}


def test_stock_is_never_oversold_and_its_events_add_up(records: list[tuple[str, Record]]) -> None:
    on_hand: dict[str, int] = defaultdict(int)
    version: dict[str, int] = {}
    for change in of(records, "stock_changed"):
        product = change["product_id"]
        on_hand[product] += change["change"]
        assert change["on_hand"] == on_hand[product]
        assert 0 <= change["reserved"] <= change["on_hand"]
        assert version.get(product, -(2**62)) < change["version"] < 0
        version[product] = change["version"]
    reasons = {change["reason"] for change in of(records, "stock_changed")}

    assert reasons == {"received", "reserved", "released", "shipped", "returned"}
    sold_out = [one for one in of(records, "stock_changed") if one["on_hand"] == one["reserved"]]
    assert sold_out, "nothing ever ran out"


def test_big_sellers_sell_most(records: list[tuple[str, Record]]) -> None:
    units: dict[str, int] = defaultdict(int)
    for order in of(records, "order_placed"):
        for line in order["lines"]:
            units[line["seller_id"]] += line["quantity"]
    ranked = sorted(units.values(), reverse=True)

    assert sum(ranked[:3]) > 0.25 * sum(ranked)


def test_evenings_are_busier_than_nights(records: list[tuple[str, Record]]) -> None:
    zone = ZoneInfo(SHAPE.timezone)
    hours = [view["occurred_at"].astimezone(zone).hour for view in of(records, "product_viewed")]
    busy = sum(hour in (19, 20, 21) for hour in hours)

    assert busy > 5 * sum(hour in (2, 3, 4) for hour in hours)


def test_a_flash_sale_lowers_prices_for_two_hours_and_draws_people(
    records: list[tuple[str, Record]],
) -> None:
    sales = Calendar(build_world(SHAPE)).sales(PLAN.start_ms, END_MS)
    changes = of(records, "product_changed")
    listed = {product["product_id"]: product["price_minor"] for product in of(records, "product_listed")}

    assert len(sales) == 2
    first = sales[0]
    begun = [one for one in changes if one["occurred_at"] == from_millis(first.start_ms)]
    over = [one for one in changes if one["occurred_at"] == from_millis(first.end_ms)]
    assert {one["product_id"] for one in begun} == {one["product_id"] for one in over}
    assert all(one["price_minor"] < listed[one["product_id"]] for one in begun)
    assert all(one["price_minor"] == listed[one["product_id"]] for one in over)

    views = np.array([to_millis(view["occurred_at"]) for view in of(records, "product_viewed")])

    def seen_from(start_ms: int) -> int:
        return int(((views >= start_ms) & (views < start_ms + first.end_ms - first.start_ms)).sum())

    assert seen_from(first.start_ms) > 1.4 * seen_from(first.start_ms - DAY_MS)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"weeks": 0}, "--weeks 0: give 1 to 104"),
        ({"events": 100}, "--events 100"),
        ({"shape": {"seed": -1}}, "--seed -1"),
        ({"shape": {"products": 10}}, "--products 10"),
        ({"shape": {"sellers": 0}}, "--sellers 0"),
        ({"shape": {"shoppers": 0}}, "--shoppers 0"),
    ],
)
def test_a_history_that_can_not_be_is_refused_in_one_line(change: dict[str, Any], said: str) -> None:
    with pytest.raises(UserError, match=said) as refused:
        HistoryPlan(**{"shape": WorldShape(**change.pop("shape", {})), "end_ms": END_MS, **change})

    assert "\n" not in str(refused.value)
