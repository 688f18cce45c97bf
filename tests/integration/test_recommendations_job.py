"""The SQL of job `recommendations` in a real Flink, over repeated events in any order."""

import json
import random
from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import combinations
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from common.settings import Settings
from jobs.engine import statement_set, table_environment
from jobs.recommendations.logic import EVENTS, OUTPUTS, plan
from serving.recommendations.visitor_history import in_cart
from tests.integration.bounded import Events, Row, run_bounded, upserted

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
LANDMARK_S = 1_451_606_400
HALF_LIFE_S = 14 * 86_400
KEPT_OF_A_VISIT = 10

SOON, LATER, TOMORROW = (
    NOON + timedelta(milliseconds=1),
    NOON + timedelta(minutes=5),
    NOON + timedelta(days=1),
)
MIDNIGHT = NOON + timedelta(hours=12)
SECOND = timedelta(seconds=1)

Tables = dict[str, dict[Any, Any]]
Run = Callable[[Events], Tables]
Test = TypeVar("Test", bound=Callable[..., None])

SCENARIOS: dict[str, Events] = {}
"""Test → its events. One job reads the events of all these tests, because a job costs 8 s of CPU."""

IDS = ("event_id", "session_id", "shopper_id", "product_id", "order_id", "category", "cart_id")
"""The fields that get the name of their test as a prefix, so that the tests do not share anything."""


def scenario(events: Events) -> Callable[[Test], Test]:
    """Add a test's events to those that one job reads. Its fixture `tables` has their results."""

    def add(test: Test) -> Test:
        SCENARIOS[test.__name__] = events
        return test

    return add


@pytest.fixture(scope="module")
def run(jvm: None, tmp_path_factory: pytest.TempPathFactory) -> Run:  # noqa: ARG001 (Flink's)
    """A function: events by topic in order of arrival → output → key → row, or (owner, member) → score."""
    real = plan(Settings())

    def tables(events: Events) -> Tables:
        changes = run_bounded(real, EVENTS, events, tmp_path_factory.mktemp("recommendations"))
        return {
            output.table: upserted(changes[output.table], output.key)
            if output.key
            else highest(change["after"] for change in changes[output.table])
            for output in OUTPUTS
        }

    return tables


@pytest.fixture(scope="module")
def tables_of_all(run: Run) -> Tables:
    """The results of a job that reads the events of all of `SCENARIOS`."""
    events: Events = defaultdict(list)
    for name, own in SCENARIOS.items():
        for topic, rows in own.items():
            events[topic] += (with_prefix(row, f"{name}/") for row in rows)
    return run(events)


@pytest.fixture
def tables(request: pytest.FixtureRequest, tables_of_all: Tables) -> Tables:
    """The results of this test's events: output → key → row, or (owner, member) → score."""
    prefix = f"{request.function.__name__}/"
    return {
        output: {
            tuple(without(prefix, part) for part in key): without(prefix, value)
            for key, value in rows.items()
            if any(isinstance(part, str) and part.startswith(prefix) for part in key)
        }
        for output, rows in tables_of_all.items()
    }


def with_prefix(row: Row, prefix: str) -> Row:
    """Return an event whose ids begin with a prefix."""
    changed = {name: prefix + row[name] for name in IDS if row.get(name) is not None}
    if "lines" in row:
        changed["lines"] = [with_prefix(line, prefix) for line in row["lines"]]
    return row | changed


def without(prefix: str, value: Any) -> Any:
    """Return a value of a result without the prefix, wherever it is."""
    if isinstance(value, str):
        return value.replace(prefix, "")
    if isinstance(value, dict):
        return {name: without(prefix, part) for name, part in value.items()}
    return value


def highest(rows: Any) -> dict[tuple[str, str], float]:
    """The sorted sets in which a member keeps its highest score."""
    table: dict[tuple[str, str], float] = {}
    for row in rows:
        owner, member, score = row.values()
        table[owner, member] = max(score, table.get((owner, member), score))
    return table


def at(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def seconds(moment: datetime) -> int:
    return int(moment.timestamp())


def view(session: str, product: str, moment: datetime = NOON, shopper: str | None = None) -> Row:
    return {
        "event_id": f"{session}-{product}-{moment}", "occurred_at": at(moment), "session_id": session,
        "shopper_id": shopper, "product_id": product, "seller_id": None, "source": "direct",
        "search_id": None, "recommendation_id": None,
    }  # fmt: skip


def cart(
    session: str,
    product: str,
    moment: datetime = NOON,
    shopper: str | None = None,
    *,
    units: tuple[int, int],
    reason: str | None = None,
) -> Row:
    return {
        "event_id": f"cart-{session}-{product}-{moment}", "occurred_at": at(moment), "cart_id": "c",
        "session_id": session, "shopper_id": shopper, "product_id": product, "seller_id": "ann",
        "quantity_before": units[0], "quantity": units[1], "currency": "BRL", "unit_price_minor": 1,
        "recommendation_id": None, "reason": reason,
    }  # fmt: skip


def lines(*products: str) -> list[Row]:
    return [
        {"line_number": number, "product_id": product, "seller_id": "ann", "quantity": 1,
         "unit_price_minor": 1, "discount_minor": 0, "shipping_minor": 0, "tax_minor": 0, "commission_bp": 0}
        for number, product in enumerate(products, 1)
    ]  # fmt: skip


def placed(order: str, *products: str, moment: datetime = NOON, shopper: str = "bea") -> Row:
    return {
        "event_id": f"placed-{order}", "occurred_at": at(moment), "order_id": order, "shopper_id": shopper,
        "currency": "BRL", "lines": lines(*products), "estimated_delivery_at": None,
    }  # fmt: skip


def cancelled(order: str, *products: str, moment: datetime = NOON, shopper: str = "bea") -> Row:
    return {
        "event_id": f"cancelled-{order}", "occurred_at": at(moment + timedelta(hours=1)), "order_id": order,
        "shopper_id": shopper, "reason": "payment_failed", "placed_at": at(moment), "currency": "BRL",
        "lines": lines(*products),
    }  # fmt: skip


def confirmed(order: str, *products: str, moment: datetime = NOON, shopper: str = "bea") -> Row:
    return {
        "event_id": f"confirmed-{order}", "occurred_at": at(moment + timedelta(minutes=1)), "order_id": order,
        "shopper_id": shopper, "placed_at": at(moment), "currency": "BRL", "lines": lines(*products),
    }  # fmt: skip


def listed(product: str, moment: datetime, price: int, category: str | None = "light") -> Row:
    return {
        "event_id": f"listed-{product}-{moment}", "occurred_at": at(moment), "product_id": product,
        "seller_id": "ann", "name": f'A "{product}"', "category": category, "currency": "BRL",
        "price_minor": price, "weight_g": None, "length_cm": None, "height_cm": None, "width_cm": None,
        "photos": None, "group_id": None, "attributes": {},
    }  # fmt: skip


def changed(product: str, moment: datetime, price: int, category: str | None = "light") -> Row:
    return {**listed(product, moment, price, category), "changed_fields": ["price_minor"]}


def delisted(product: str, moment: datetime) -> Row:
    return {
        "event_id": f"delisted-{product}-{moment}", "occurred_at": at(moment), "product_id": product,
        "seller_id": "ann", "reason": "unknown",
    }  # fmt: skip


def stock(product: str, version: int, on_hand: int, reserved: int = 0, seller: str = "ann") -> Row:
    return {
        "event_id": f"stock-{product}-{seller}-{version}", "occurred_at": at(NOON), "product_id": product,
        "seller_id": seller, "change": 0, "on_hand": on_hand, "reserved": reserved, "reason": "unknown",
        "order_id": None, "version": version,
    }  # fmt: skip


def decayed(weight: float, moment_s: int) -> float:
    return float(weight * 2.0 ** ((moment_s - LANDMARK_S) / HALF_LIFE_S))


def similar(tables: Tables) -> dict[tuple[str, str], float]:
    return {
        pair: row["score"]
        for half in ("similar_to_first", "similar_to_second")
        for pair, row in tables[half].items()
    }


@scenario(
    {
        "product_viewed": [
            view("s", "lamp", LATER, "bea"), view("s", "lamp", NOON, "bea"), view("t", "rug"),
        ],
        "cart_changed": [
            cart("s", "rug", LATER, "bea", units=(0, 1)), cart("s", "vase", LATER, "bea", units=(2, 1)),
        ],
    }
)  # fmt: skip
def test_sessions_and_shoppers_have_the_latest_time_of_each_product(tables: Tables) -> None:
    assert tables["recent_of_session"] == {
        ("s", "lamp"): seconds(LATER), ("s", "rug"): seconds(LATER), ("t", "rug"): seconds(NOON),
    }  # fmt: skip
    assert tables["recent_of_shopper"] == {("bea", "lamp"): seconds(LATER), ("bea", "rug"): seconds(LATER)}
    assert tables["carted_by_shopper"] == {("bea", "rug"): seconds(LATER)}
    assert tables["carted_by_session"] == {("s", "rug"): seconds(LATER)}


LATE_IN_A_SECOND = NOON + timedelta(minutes=5, seconds=7, milliseconds=999)
LAMP_OUT, LAMP_IN = cart("s", "lamp", SOON, "bea", units=(2, 0)), cart("s", "lamp", NOON, "bea", units=(0, 2))


@scenario(
    {
        "cart_changed": [
            cart("s", "rug", LATE_IN_A_SECOND, "bea", units=(0, 1)),
            LAMP_OUT,
            cart("s", "rug", SOON, "bea", units=(2, 0)),
            LAMP_IN,
            cart("s", "rug", NOON, "bea", units=(0, 2)),
            cart("s", "vase", NOON, "bea", units=(0, 2)),
            cart("s", "vase", SOON, "bea", units=(2, 1)),
            LAMP_OUT,
            LAMP_IN,
        ]
    }
)
def test_a_removal_from_a_cart_has_the_later_time_in_any_order_of_events(tables: Tables) -> None:
    last = {"lamp": 1_772_366_400.0015, "rug": 1_772_366_707.999, "vase": 1_772_366_400}
    assert tables["carted_by_session"] == {("s", product): moment for product, moment in last.items()}
    assert tables["carted_by_shopper"] == {("bea", product): moment for product, moment in last.items()}
    assert in_cart({member: score for (_, member), score in tables["carted_by_session"].items()}, {}) == {
        "rug": seconds(LATE_IN_A_SECOND), "vase": seconds(NOON),
    }  # fmt: skip
    assert tables["recent_of_session"]["s", "lamp"] == seconds(NOON), "it was looked at all the same"


@scenario(
    {
        "cart_changed": [
            cart("s", "rug", NOON, "bea", units=(0, 1)),
            cart("s", "rug", SOON, "bea", units=(1, 0), reason="merged"),
            cart("s", "lamp", NOON, "bea", units=(0, 1), reason="merged"),
            cart("s", "vase", NOON, "bea", units=(0, 1)),
            cart("s", "vase", SOON, "bea", units=(1, 0), reason="ordered"),
        ]
    }
)
def test_what_the_shop_changes_in_a_cart_is_no_interest_of_the_shopper(tables: Tables) -> None:
    times = {"rug": seconds(NOON), "vase": seconds(NOON)}
    assert tables["recent_of_session"] == {("s", product): at_s for product, at_s in times.items()}
    assert tables["recent_of_shopper"] == {("bea", product): at_s for product, at_s in times.items()}
    assert similar(tables).keys() == {("rug", "vase"), ("vase", "rug")}
    carted = {product: score for (_, product), score in tables["carted_by_shopper"].items()}
    assert in_cart(carted, {}) == {"rug": seconds(NOON), "lamp": seconds(NOON)}


@pytest.mark.nightly  # it needs a job of its own: other events would be late
def test_times_beyond_the_range_of_an_int_of_seconds_are_not_changed(run: Run) -> None:
    late = datetime(2038, 1, 19, 3, 14, 8, tzinfo=UTC)
    tables = run(
        {
            "product_viewed": [view("s", "lamp", late, "bea"), view("s", "rug", late)],
            "cart_changed": [cart("s", "rug", late, "bea", units=(0, 1))],
            "order_placed": [placed("o", "lamp", moment=late)],
            "order_cancelled": [cancelled("p", "rug", moment=late)],
        }
    )
    assert tables["recent_of_session"] == {("s", "lamp"): seconds(late), ("s", "rug"): seconds(late)}
    assert tables["recent_of_shopper"] == {("bea", "lamp"): seconds(late), ("bea", "rug"): seconds(late)}
    assert tables["carted_by_session"] == {("s", "rug"): seconds(late)}
    bought = {key: row["bought_s"] for key, row in tables["bought"].items()}
    assert bought == {("bea", "lamp"): seconds(late), ("bea", "rug"): 0}
    assert similar(tables)["lamp", "rug"] == pytest.approx(decayed(2, seconds(late)))
    assert tables["recommendations_as_of"]["order_placed",]["as_of"] == seconds(late)


@scenario(
    {
        "order_confirmed": [
            confirmed("o4", "vase"), confirmed("o5", "cup"), confirmed("o6") | {"placed_at": None},
        ],
        "order_cancelled": [cancelled("o2", "rug", "lamp"), cancelled("o5", "cup")],
        "order_placed": [
            placed("o1", "lamp"), placed("o2", "rug", "lamp", moment=TOMORROW), placed("o3", "vase"),
            placed("o4", "vase"), placed("o5", "cup"), placed("o6", "mat"),
        ],
    }
)  # fmt: skip
def test_a_bought_product_is_stored_unless_its_order_was_cancelled(tables: Tables) -> None:
    """Half a second more says that the order was confirmed."""
    bought = {key: row["bought_s"] for key, row in tables["bought"].items()}
    assert bought == {
        ("bea", "lamp"): seconds(NOON), ("bea", "rug"): 0, ("bea", "vase"): seconds(NOON) + 0.5,
        ("bea", "cup"): 0, ("bea", "mat"): seconds(NOON),
    }  # fmt: skip


@scenario(
    {
        "product_viewed": [view("s", "lamp"), view("s", "rug"), view("t", "vase")],
        "cart_changed": [cart("s", "rug", units=(0, 2))],
        "order_placed": [placed("o", "lamp", "vase")],
    }
)
def test_products_of_one_visit_are_similar_by_their_weights(tables: Tables) -> None:
    seen, bought = decayed(1 * 2, seconds(NOON)), decayed(3 * 3, seconds(NOON))
    assert similar(tables) == pytest.approx(
        {("lamp", "rug"): seen, ("rug", "lamp"): seen, ("lamp", "vase"): bought, ("vase", "lamp"): bought}
    )
    interest = {product: row["interest"] for (product,), row in tables["product_interest"].items()}
    assert interest == pytest.approx(
        {
            "lamp": decayed(1 + 9, seconds(NOON)), "rug": decayed(4, seconds(NOON)),
            "vase": decayed(1 + 9, seconds(NOON)),
        }
    )  # fmt: skip
    visits = {product: row["visits"] for (product,), row in tables["product_interest"].items()}
    assert visits == {"lamp": 2, "rug": 1, "vase": 2}, "each visit and all orders of a day count once"


A_ROBOT: Events = {
    "product_viewed": [
        *(view(f"s{number}", f"own{number % 40:02}", shopper="robot") for number in range(2_000)),
        *(
            view("anonymous", f"own{number % 40:02}", NOON + timedelta(seconds=number))
            for number in range(999)
        ),
        *(view("t", product) for product in ("lamp", "rug")),
    ],
    "order_placed": [
        placed(f"o{number}", f"own{number % 40:02}", f"own{number % 7:02}", shopper="robot")
        for number in range(200)
    ],
}


@scenario(A_ROBOT)
def test_a_robot_adds_one_visit_and_one_order_a_day_in_any_number_of_sessions(tables: Tables) -> None:
    found = similar(tables)
    pairs = {tuple(sorted(pair)) for pair in found}
    of_one = KEPT_OF_A_VISIT * (KEPT_OF_A_VISIT - 1) // 2

    assert len(pairs - {("lamp", "rug")}) <= 3 * of_one
    assert sum(found.values()) == pytest.approx(
        2 * decayed(of_one * (1 + 9) + 1, seconds(NOON)) + 2 * decayed(of_one, seconds(NOON)), rel=1e-3
    )
    assert found["lamp", "rug"] == pytest.approx(decayed(1, seconds(NOON)))


@scenario(
    {
        "product_viewed": [
            view("s", "lamp", MIDNIGHT - timedelta(seconds=1)), view("s", "rug", MIDNIGHT),
            view("s", "vase", MIDNIGHT + timedelta(hours=24, seconds=-1)), view("s", "lamp", MIDNIGHT),
        ]
    }
)  # fmt: skip
def test_a_session_on_another_day_is_another_visit(tables: Tables) -> None:
    """A cookie lasts a month. The state of its visits expires, and the audit must compute the same visits."""
    assert {tuple(sorted(pair)) for pair in similar(tables)} == {
        ("lamp", "rug"), ("lamp", "vase"), ("rug", "vase"),
    }  # fmt: skip
    assert tables["product_interest"]["lamp",]["interest"] == pytest.approx(
        decayed(1, seconds(MIDNIGHT) - 1) + decayed(1, seconds(MIDNIGHT))
    )


CRAWL = [view("robot", f"p{number:03}", NOON + timedelta(seconds=number)) for number in range(100)]


@scenario({"product_viewed": CRAWL[::-1]})
def test_only_the_first_products_of_a_long_visit_count(tables: Tables) -> None:
    pairs = similar(tables)

    assert len(pairs) == KEPT_OF_A_VISIT * (KEPT_OF_A_VISIT - 1)
    assert {product for product, _ in pairs} == {f"p{number:03}" for number in range(KEPT_OF_A_VISIT)}


def offers(tables: Tables) -> dict[tuple[str, str], dict[str, Any]]:
    """Return the offers that Redis would hold, by product and seller."""
    return {
        (product, offer["seller_id"]): offer
        for (product,), row in tables["product_offers"].items()
        for offer in json.loads(row["offers"])
    }


@scenario(
    {
        "product_listed": [listed("lamp", NOON, 500), listed("rug", NOON, 700), listed("vase", NOON, 900)],
        "product_changed": [changed("lamp", TOMORROW, 450), changed("rug", TOMORROW, 650, None)],
        "product_delisted": [delisted("vase", TOMORROW), delisted("rug", NOON - timedelta(days=1))],
    }
)
def test_an_offer_is_what_its_sellers_newest_listing_says(tables: Tables) -> None:
    found = offers(tables)
    assert (found["lamp", "ann"]["price_minor"], found["lamp", "ann"]["name"]) == (450, 'A "lamp"')
    assert (found["rug", "ann"].get("category"), found["rug", "ann"]["listed"]) == (None, 1)
    assert found["lamp", "ann"].keys() == {
        "listed", "seller_id", "name", "category", "currency", "price_minor",
    }, "what a listing does not say takes no memory"  # fmt: skip
    assert (found["vase", "ann"]["price_minor"], found["vase", "ann"]["listed"]) == (900, 0)


BLUE = {"colour": "blue", 'room "a"': "kitchen=1"}


@scenario(
    {
        "product_listed": [listed("lamp", NOON, 500) | {"group_id": "g", "attributes": {"colour": "red"}}],
        "product_changed": [
            changed("lamp", TOMORROW, 500) | {"group_id": "g", "attributes": BLUE},
            changed("rug", NOON, 500) | {"group_id": "g", "attributes": {}},
        ],
    }
)
def test_an_offer_has_the_attributes_and_the_group_of_the_newest_listing(tables: Tables) -> None:
    found = offers(tables)
    assert (found["lamp", "ann"]["group_id"], found["lamp", "ann"]["attributes"]) == ("g", BLUE)
    assert (found["rug", "ann"]["group_id"], found["rug", "ann"].get("attributes")) == ("g", None)


@scenario(
    {
        "product_viewed": [view("s", "lamp")],
        "product_listed": [
            listed("lamp", NOON, 500),
            listed("lamp", NOON + timedelta(hours=1), 400, "floor") | {"seller_id": "bob"},
        ],
        "product_delisted": [delisted("lamp", NOON + timedelta(hours=2)) | {"seller_id": "bob"}],
    }
)
def test_a_seller_who_delists_a_product_leaves_the_offer_of_another_seller_alone(tables: Tables) -> None:
    assert {key: offer["listed"] for key, offer in offers(tables).items()} == {
        ("lamp", "ann"): 1,
        ("lamp", "bob"): 0,
    }
    assert set(tables["popular_in_category"]) == {("light", "lamp")}


@scenario(
    {
        "stock_changed": [
            stock("lamp", -5, 900), stock("lamp", 3, 7, 2), stock("lamp", -120, 800), stock("lamp", 2, 40),
            stock("lamp", 1, 10, 4, seller='b"ob'), stock("rug", 9, 5), stock("rug", 10, 5, 5),
        ]
    }
)  # fmt: skip
def test_stock_is_that_of_the_highest_version_of_each_seller(tables: Tables) -> None:
    units = {product: json.loads(row["stock"]) for (product,), row in tables["product_stock"].items()}
    assert units == {"lamp": {"ann": 5, 'b"ob': 6}, "rug": {"ann": 0}}


@scenario(
    {
        "product_viewed": [view("s", "lamp"), view("s", "rug"), view("s", "vase"), view("s", "unlisted")],
        "product_listed": [listed("lamp", NOON, 1), listed("rug", NOON, 1), listed("vase", NOON, 1)],
        "product_changed": [changed("rug", TOMORROW, 1, "floor")],
        "product_delisted": [delisted("vase", TOMORROW)],
    }
)
def test_a_product_is_popular_in_its_current_category(tables: Tables) -> None:
    scores = {place: row["score"] for place, row in tables["popular_in_category"].items()}
    once = decayed(1, seconds(NOON))
    assert scores == pytest.approx({("light", "lamp"): once, ("floor", "rug"): once})


def expected_pairs(touches: list[tuple[str, str, int, int]]) -> dict[tuple[str, str], float]:
    """The expected scores, computed from (session, product, weight, second)."""
    visits: dict[tuple[str, int], dict[str, tuple[int, int]]] = defaultdict(dict)
    for session, product, weight, second in touches:
        visit = session, second // 86_400
        heaviest, first = visits[visit].get(product, (weight, second))
        visits[visit][product] = max(heaviest, weight), min(first, second)
    pairs: dict[tuple[str, str], float] = defaultdict(float)
    for items in visits.values():
        kept = sorted(items, key=lambda product: (items[product][1], product))[:KEPT_OF_A_VISIT]
        for one, other in combinations(kept, 2):
            (weight, first), (other_weight, other_first) = items[one], items[other]
            strength = decayed(weight * other_weight, max(first, other_first))
            pairs[one, other] += strength
            pairs[other, one] += strength
    return pairs


def arrive(touches: Any) -> Events:
    """The events of (session, product, weight, seconds after noon), in this order."""
    events: Events = {"product_viewed": [], "cart_changed": []}
    for session, product, weight, second in touches:
        moment = NOON + timedelta(seconds=second)
        if weight == 1:
            events["product_viewed"].append(view(session, product, moment))
        else:
            events["cart_changed"].append(cart(session, product, moment, units=(0, 1)))
    return events


def of_noon(touches: Any) -> list[tuple[str, str, int, int]]:
    return [
        (session, product, weight, seconds(NOON) + second) for session, product, weight, second in touches
    ]


A_LATE_TOUCH = [
    *(("s", f"p{number:02}", 1, number) for number in range(12)), ("s", "p11", 2, 60), ("s", "p11", 1, -1),
]  # fmt: skip


@scenario(arrive(A_LATE_TOUCH))
def test_a_late_event_moves_a_product_forward_with_its_highest_weight(tables: Tables) -> None:
    found = similar(tables)

    assert found == pytest.approx(dict(expected_pairs(of_noon(A_LATE_TOUCH))))
    assert ("p11", "p08") in found
    assert not {product for pair in found for product in pair} & {"p09", "p10"}


YEARS_AGO = NOON - timedelta(days=4 * 365)
"""A hundred half-lives: a double holds only the newer of two strengths."""

A_PASSING_PAIR: Events = {
    "product_viewed": [
        *(view("old", product, YEARS_AGO) for product in ("lamp", "rug")),
        *(view("new", product, LATER) for product in ("lamp", "rug")),
        *(view("new", f"p{number:02}", NOON) for number in range(10)),
    ]
}
"""A pair of an old visit, and in a new visit, until earlier touches of other products arrive."""


@scenario(A_PASSING_PAIR)
def test_a_pair_that_is_removed_again_leaves_the_score_of_an_older_visit_as_it_was(tables: Tables) -> None:
    assert similar(tables)["lamp", "rug"] == pytest.approx(decayed(1, seconds(YEARS_AGO)), rel=1e-12)
    assert tables["product_interest"]["lamp",]["interest"] == pytest.approx(
        decayed(1, seconds(YEARS_AGO)), rel=1e-12
    )


def repeated(touches: Any, order: int) -> Events:
    """The events of touches in a random order, half of them twice."""
    arrivals = touches + touches[::2]
    random.Random(order).shuffle(arrivals)
    return arrive(arrivals)


PRODUCTS = [f"p{number:02}" for number in range(16)]
DRAWN = random.Random(33)
MANY_TOUCHES = [
    (DRAWN.choice("ssst"), DRAWN.choice(PRODUCTS), DRAWN.choice([1, 2]), DRAWN.randrange(40_000))
    for _ in range(60)
]
"""Touches, most of them in one visit with more products than count."""


@scenario(repeated(MANY_TOUCHES, 1))
def test_repeated_events_in_any_order_give_similar_products_of_the_plain_computation(tables: Tables) -> None:
    assert similar(tables) == pytest.approx(dict(expected_pairs(of_noon(MANY_TOUCHES))))


TOUCHES = st.lists(
    st.tuples(
        st.sampled_from("ssst"), st.sampled_from(PRODUCTS), st.sampled_from([1, 2]), st.integers(0, 40_000)
    ),
    min_size=20,
    max_size=60,
)


@pytest.mark.nightly
@hypothesis_settings(
    max_examples=hypothesis_settings.default.max_examples // 33,  # each is a job
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(touches=TOUCHES, order=st.integers(0, 2**32))
def test_the_order_and_repetition_of_events_do_not_change_similar_products(
    run: Run, touches: Any, order: int
) -> None:
    found = similar(run(repeated(touches, order)))
    assert found == pytest.approx(dict(expected_pairs(of_noon(touches))))


@pytest.mark.nightly
@pytest.mark.usefixtures("jvm")
def test_the_plan_reads_each_topic_once_and_stores_each_visit_once() -> None:
    real = plan(Settings())
    explained = statement_set(table_environment(real.config), real).explain()
    optimized = explained.partition("== Optimized Execution Plan ==")[2]

    assert optimized.count("TableSourceScan(") == len(EVENTS)
    assert optimized.count("ProcessTableFunction(") == 1, "the first products of a visit"
    assert optimized.count("Join(") == 1, "products with their category"
    assert "SinkMaterializer" not in optimized
