"""The sums of experiments in a real ClickHouse, compared with the same sums in Python over single events."""

import random
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from clickhouse.client import connect
from clickhouse.query_files import load_queries
from common.settings import Settings
from recommenders.experiments.effects import Moments
from recommenders.experiments.judgement import NOTHING
from recommenders.training.off_policy import judged_on_log, read_explored_log
from tests.integration.event_rows import as_text, insert_events
from tests.integration.metric_tables import emptied
from tests.unit.experiments.simulated_experiment import moments_of

QUERIES = load_queries()
START = datetime(2026, 11, 1, tzinfo=UTC)
END = START + timedelta(days=10)
COVARIATE = timedelta(days=14)


class Marketplace:
    """Random visits of shoppers and guests, of which some see lists of an experiment, click and buy."""

    def __init__(self, seed: int) -> None:
        self.draw = random.Random(seed)
        self.events: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for number in range(300):
            self._visitor(number)
        self._robots()

    def emit(self, table: str, at: datetime, **fields: Any) -> None:
        event_id = f"{table}-{len(self.events[table])}"
        self.events[table].append({"event_id": event_id, "occurred_at": at, **fields})

    def _visitor(self, number: int) -> None:
        draw = self.draw
        shopper = f"shopper-{number}" if draw.random() < 0.6 else None
        arm = draw.choice(["holdout", "live", "blend", None])
        for visit in range(draw.randrange(1, 20 if number % 9 == 0 else 6)):
            session = f"session-{number}-{visit}"
            at = START + timedelta(minutes=draw.randrange(-20 * 1440, 12 * 1440))
            self.emit("product_viewed", at, session_id=session, shopper_id=shopper, product_id="p")
            if draw.random() < 0.7:
                seen = draw.choice(["live", "blend"]) if number % 9 == 0 else arm
                self._list(at + timedelta(seconds=5), session, shopper, seen)
            if arm != "holdout" and draw.random() < 0.3:
                self._list(at - timedelta(hours=1), session, shopper, None, strategy="because_looked")
            if draw.random() < 0.4:
                self._order(at + timedelta(minutes=3), session, shopper or session)

    def _robots(self) -> None:
        """One robot is shown too many lists, the other has too many sessions; both would buy."""
        for number in range(1_001):
            at = START + timedelta(minutes=number)
            self._list(at, "robot-lists", None, "live", is_seen=True)
            self.emit("product_viewed", at, session_id=f"robot-{number}", shopper_id="robot", product_id="p")
        self._list(START, "robot-session", "robot", "blend", is_seen=True)
        self._order(START + timedelta(days=1), "robot-lists", "robot-lists")
        self._order(START + timedelta(days=1), "robot-session", "robot")

    def _list(
        self,
        at: datetime,
        session: str,
        shopper: str | None,
        arm: str | None,
        is_seen: bool = False,
        strategy: str = "live",
    ) -> None:
        name = f"list-{len(self.events['recommendation_answered'])}"
        experiment = {"holdout": "holdout", None: None}.get(arm, "blend_home")
        self.emit(
            "recommendation_answered", at - timedelta(seconds=1), recommendation_id=name,
            visitor_id=shopper or session, surface="home", experiment=experiment, arm=arm,
            arm_propensity=0.5, strategy=strategy, is_explored=False, seeds=[], items=[], alternatives=[],
        )  # fmt: skip
        if not is_seen and self.draw.random() < 0.1:
            return  # the list never came into view
        visitor = {"recommendation_id": name, "session_id": session, "shopper_id": shopper, "surface": "home"}
        self.emit("recommendation_shown", at, strategy=strategy, items=[], **visitor)
        if self.draw.random() < 0.4:
            after = at + timedelta(seconds=30)
            self.emit("recommendation_clicked", after, product_id="p", position=1, **visitor)

    def _order(self, at: datetime, session: str, shopper: str) -> None:
        order_id = f"order-{len(self.events['order_placed'])}"
        line = {
            "line_number": 1, "product_id": "p", "seller_id": self.draw.choice(["ana", "bob"]),
            "quantity": self.draw.randrange(1, 4), "unit_price_minor": 1_000, "discount_minor": 100,
            "shipping_minor": 50, "tax_minor": 0, "commission_bp": 1_000,
        }  # fmt: skip
        order = {"order_id": order_id, "shopper_id": shopper, "currency": "BRL", "lines": [line]}
        known = session if self.draw.random() < 0.9 else None
        self.emit("order_placed", at, session_id=known, **order)
        if self.draw.random() < 0.9:
            self.emit("order_confirmed", at, placed_at=at, **order)

    def load(self, settings: Settings) -> None:
        """Insert all events twice."""
        insert_events(settings, self.events)


class Expected:
    """The same figures from single events: unit → its arm, first exposure, lists, sessions and orders."""

    def __init__(self, shop: Marketplace, experiment: str) -> None:
        events = {
            table: [row for row in rows if row["occurred_at"] < END] for table, rows in shop.events.items()
        }
        answers = {row["recommendation_id"]: row for row in events["recommendation_answered"]}
        self.arms: dict[str, set[str]] = defaultdict(set)
        self.exposed: dict[str, datetime] = {}
        self.lists: dict[str, set[str]] = defaultdict(set)
        for shown in events["recommendation_shown"]:
            answer = answers[shown["recommendation_id"]]
            arm = answer["arm"] if experiment != "holdout" else "recommended"
            if experiment == "holdout" and answer["experiment"] == "holdout":
                arm = "holdout"
            if shown["occurred_at"] < START or (experiment not in ("holdout", answer["experiment"])):
                continue
            if answer["strategy"] == "because_looked":  # a titled row, which the hold-out never gets
                continue
            unit = answer["visitor_id"]
            self.arms[unit].add(arm)
            self.lists[unit].add(shown["recommendation_id"])
            self.exposed[unit] = min(self.exposed.get(unit, END), shown["occurred_at"])
        self.clicks = events["recommendation_clicked"]
        self.visits: dict[str, list[tuple[datetime, str]]] = defaultdict(list)
        for view in (
            *events["product_viewed"],
            *events["recommendation_clicked"],
            *events["recommendation_shown"],
        ):
            unit = view["shopper_id"] or view["session_id"]
            self.visits[unit].append((view["occurred_at"], view["session_id"]))
        self.orders: dict[str, list[tuple[datetime, str, str, int]]] = defaultdict(list)
        placed = {order["order_id"]: order for order in events["order_placed"]}
        for order in events["order_confirmed"]:
            session = placed[order["order_id"]]["session_id"]
            (line,) = order["lines"]
            revenue = line["quantity"] * line["unit_price_minor"] - line["discount_minor"]
            bought = order["occurred_at"], session or order["order_id"], line["seller_id"], revenue
            for unit in {order["shopper_id"], session or order["shopper_id"]}:
                self.orders[unit].append(bought)

    def unit(self, unit: str, seller: str | None = None) -> dict[str, tuple[float, float, float]]:
        since = self.exposed[unit]
        orders = [order for order in self.orders[unit] if seller in (None, order[2])]
        after = [order for order in orders if order[0] >= since]
        before = [order for order in orders if since - COVARIATE <= order[0] < since]
        sessions = {session for at, session in self.visits[unit] if at >= since} | {
            order[1] for order in after
        }
        own = [click for click in self.clicks if (click["shopper_id"] or click["session_id"]) == unit]
        clicked = {
            click["recommendation_id"]
            for click in self.clicks
            if click["occurred_at"] >= START and click["recommendation_id"] in self.lists[unit]
        }
        clicked_before = {
            click["recommendation_id"] for click in own if since - COVARIATE <= click["occurred_at"] < since
        }
        return {
            "conversion": (
                len({order[1] for order in after}), len(sessions), len({order[1] for order in before}),
            ),
            "revenue": (sum(o[3] for o in after), len(sessions), sum(o[3] for o in before)),
            "click_rate": (len(clicked), len(self.lists[unit]), len(clicked_before)),
        }  # fmt: skip

    def is_robot(self, unit: str, is_known_by_sessions: bool = True) -> bool:
        return unit == "robot-lists" or (unit == "robot" and is_known_by_sessions)

    def arm_of(self, unit: str) -> str:
        return next(iter(self.arms[unit])) if len(self.arms[unit]) == 1 else ""


@pytest.fixture(scope="module")
def shop() -> Marketplace:
    return Marketplace(7)


@pytest.fixture(scope="module")
def database(migrated_database: Settings, shop: Marketplace) -> Settings:
    shop.load(emptied(migrated_database))
    return migrated_database


def rows(settings: Settings, query: str, **parameters: Any) -> list[dict[str, Any]]:
    """Return the rows of a query, which are the same whether unmatched rows of a join are NULL or not."""
    bounds = {"period_start": START, "period_end": END, "currency": "BRL"}
    with connect(settings, admin=True) as client:
        found = [
            list(client.query(QUERIES[query], bounds | parameters, {"join_use_nulls": nulls}).named_results())
            for nulls in (0, 1)
        ]
    assert found[0] == found[1]
    return found[0]


@pytest.mark.parametrize("experiment", ["blend_home", "holdout", "other"])
def test_the_sums_of_an_experiment_are_those_of_single_events(
    database: Settings, shop: Marketplace, experiment: str
) -> None:
    found = {
        (row["arm"], row["metric"]): row
        for row in rows(database, "experiment_results", experiment=experiment)
    }
    expected = Expected(shop, experiment)
    by_arm: dict[tuple[str, str], list[tuple[float, float, float]]] = defaultdict(list)
    for unit in (one for one in expected.exposed if not expected.is_robot(one)):
        for metric, values in expected.unit(unit).items():
            by_arm[expected.arm_of(unit), metric].append(values)
    assert {key: moments_of(values) for key, values in by_arm.items()} == {
        key: Moments(**{name: value for name, value in row.items() if name not in ("arm", "metric")})
        for key, row in found.items()
    }
    if experiment == "blend_home":
        assert {arm for arm, _ in found} == {"", "live", "blend"}, "visitors seen in two arms are apart"


@pytest.mark.parametrize("seller", ["ana", "bob", "nobody"])
def test_the_sums_of_a_seller_are_those_of_single_orders(
    database: Settings, shop: Marketplace, seller: str
) -> None:
    found = {row["arm"]: row for row in rows(database, "seller_recommendation_uplift", seller_id=seller)}
    expected = Expected(shop, "holdout")
    by_arm: dict[str, list[tuple[float, float, float]]] = defaultdict(list)
    for unit in (one for one in expected.exposed if not expected.is_robot(one, is_known_by_sessions=False)):
        revenue, _, before = expected.unit(unit, seller)["revenue"]
        by_arm[expected.arm_of(unit)].append((revenue, 1.0, before))
    assert set(found) == set(by_arm)
    for arm, values in by_arm.items():
        sums = moments_of(values)
        row = found[arm]
        assert (row["units"], row["y"], row["c"]) == (sums.units, sums.y, sums.c)
        assert (row["yy"], row["cc"], row["yc"]) == (sums.yy, sums.cc, sums.yc)


def test_an_answer_is_found_by_its_id(database: Settings, shop: Marketplace) -> None:
    answer = shop.events["recommendation_answered"][3]
    (row,) = rows(database, "recommendation_answer", recommendation_id=answer["recommendation_id"])
    assert (row["visitor_id"], row["arm"]) == (answer["visitor_id"], answer["arm"])
    assert rows(database, "recommendation_answer", recommendation_id="nothing") == []


def test_the_places_of_random_lists_that_were_seen_are_read(database: Settings) -> None:
    def answer(name: str, explored: bool) -> dict[str, Any]:
        items = [
            {"position": place, "product_id": product, "seller_id": "ana", "score": 0.5, "source": "live",
             "propensity": 0.25}
            for place, product in ((1, "a"), (2, "b"))
        ]  # fmt: skip
        alternatives = [
            {"strategy": "live", "position": 1, "product_id": "a"},
            {"strategy": "live", "position": 2, "product_id": "c"},
            {"strategy": "popular", "position": 1, "product_id": "b"},
        ]
        return {
            "event_id": name, "occurred_at": as_text(START), "recommendation_id": name, "visitor_id": "ann",
            "surface": "home", "arm_propensity": 1.0, "strategy": "live", "is_explored": explored,
            "seeds": [], "items": items, "alternatives": alternatives if explored else [],
        }  # fmt: skip

    def seen(name: str, **more: Any) -> dict[str, Any]:
        at = as_text(START + timedelta(seconds=5))
        visit = {"recommendation_id": name, "session_id": "s", "surface": "home"}
        return {"event_id": name, "occurred_at": at, **visit, **more}

    events = {
        "recommendation_answered": [answer("random", True), answer("unseen", True), answer("usual", False)],
        "recommendation_shown": [seen(name, strategy="live", items=[]) for name in ("random", "usual")],
        "recommendation_clicked": [seen("random", product_id="b", position=2)],
    }
    insert_events(database, events)
    with connect(database) as analyst:  # for analysts, unmatched rows of a join are NULL
        log = read_explored_log(analyst, END, days=20)
        assert len(read_explored_log(analyst, END, days=20, most=1).visitors) == 1
        assert len(read_explored_log(analyst, END, days=20, most_of_visitor=1).visitors) == 1
    assert len(log.visitors) == 2
    assert log.clicks.tolist() == [0, 1]
    assert log.propensities.tolist() == [0.25, 0.25]
    assert (log.strategies["live"] == log.products).tolist() == [True, False]
    assert log.strategies["popular"].tolist() == [log.products[1], NOTHING]
    assert judged_on_log(log)["strategies"]["popular"]["winner"] is None
