"""Training with a real ClickHouse and a real Redis, from facts to the model and its card."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event

import numpy as np
import pytest
from redis import Redis

from clickhouse.client import connect
from common.errors import PartUnavailable, UserError
from common.settings import Settings
from local.parts import redis as local_redis
from recommenders.evaluation.metrics import Metric
from recommenders.interactions import Interactions, from_columns
from recommenders.models.item_item import ItemItem
from recommenders.models.popularity import Popularity
from recommenders.storage import StoredModel, save
from recommenders.training.blend_weights import LearnedWeights
from recommenders.training.model_registry import ModelRegistry
from recommenders.training.publication import Publications, read_weights, store_weights
from recommenders.training.run import record, train_once
from recommenders.training.train import NO_MODEL_IN_USE, TrainingOptions, train
from recommenders.training.training_data import DAILY, WEIGHTS, TrainingData, read_training_data
from recommenders.training.training_log import TrainingStart
from schemas.published_model.keys import STATE
from schemas.published_model.keys import WEIGHTS as STORED_WEIGHTS
from schemas.published_model.weights import DEFAULT_WEIGHTS, SURFACES
from tests.integration.metric_tables import emptied, writable
from tests.integration.servers import running
from tests.integration.shown_lists import ShownLists, scored_item

FIRST = datetime(2026, 1, 1, tzinfo=UTC)
START = TrainingStart("training-1", FIRST, "requested")
KEPT = LearnedWeights(dict(DEFAULT_WEIGHTS), dict.fromkeys(SURFACES, "kept: 0 clicks"))


@pytest.fixture(scope="module")
def settings(migrated_database: Settings) -> Settings:
    """A ClickHouse with the current schema, to which the tests add events."""
    return emptied(migrated_database)


@pytest.fixture(scope="module")
def redis(settings: Settings) -> Iterator[Redis]:
    with running(local_redis.part(settings), settings), Redis.from_url(settings.redis) as client:
        yield client


@pytest.fixture
def registry(redis: Redis, tmp_path: Path) -> ModelRegistry:
    redis.flushdb()
    return ModelRegistry(tmp_path / "models", redis)


def add(settings: Settings, table: str, rows: list[dict[str, object]]) -> None:
    with connect(settings, admin=True) as admin:
        values = [list(row.values()) for row in rows]
        database, _, name = writable(settings, table).replace("`", "").rpartition(".")
        admin.insert(name, values, column_names=list(rows[0]), database=database or None)


def viewed(number: int, shopper: str | None, session: str, product: str) -> dict[str, object]:
    at = FIRST + timedelta(minutes=number)
    return {
        "event_id": f"e{number}", "occurred_at": at, "session_id": session, "shopper_id": shopper,
        "product_id": product, "source": "search",
    }  # fmt: skip


def quiet(done: int, of: int, doing: str) -> None:
    pass


def versions_in(redis: Redis) -> set[str]:
    """The versions of which any key exists."""
    return {key.decode().split(":")[1] for key in redis.keys("recommender:*")}


def a_log() -> Interactions:
    rng = np.random.default_rng(4)
    times = np.sort(rng.integers(0, 10 * 86_400, 600))
    return from_columns(rng.integers(0, 30, 600), rng.integers(0, 15, 600), times=times)


def test_no_event_is_told_with_what_to_do(settings):
    with connect(settings) as reader, pytest.raises(UserError, match="no event yet"):
        read_training_data(reader)


def test_facts_become_a_log_oldest_first_with_what_products_are(settings):
    listed = {
        "event_id": "l1", "occurred_at": FIRST, "product_id": "lamp", "seller_id": "s1",
        "name": "Desk Lamp", "category": "Lamps", "currency": "EUR", "price_minor": 100,
    }  # fmt: skip
    add(settings, "product_listed", [listed])
    add(settings, "product_viewed", [viewed(2, None, "v1", "lamp"), viewed(1, "ana", "v2", "rug")])
    line = {
        "seller_id": "s1", "placed_at": FIRST + timedelta(minutes=3), "order_id": "o1", "line_number": 1,
        "shopper_id": "ana", "product_id": "lamp", "currency": "EUR", "quantity": 1, "unit_price_minor": 1,
        "gross_minor": 1, "discount_minor": 0, "shipping_minor": 0, "tax_minor": 0, "commission_bp": 0,
    }  # fmt: skip
    add(settings, "order_lines", [line])

    with connect(settings) as reader:
        found = read_training_data(reader)
        newest = read_training_data(reader, limit=1)

    log = found.log
    names = [log.shopper_vocabulary.ids[code] for code in log.shoppers]
    products = [log.product_vocabulary.ids[code] for code in log.products]
    assert list(zip(names, products, log.weights.tolist(), strict=True)) == [
        ("ana", "rug", WEIGHTS["viewed"]),
        ("v1", "lamp", WEIGHTS["viewed"]),
        ("ana", "lamp", WEIGHTS["bought"]),
    ]
    assert log.attributes is not None
    assert found.sellers is not None
    assert found.sellers.tolist() == [0, -1]
    assert len(newest.log) == 1


def test_a_robot_and_repeated_views_add_no_more_than_a_visitor_may(settings):
    emptied(settings)
    people = [viewed(number, f"person{number}", f"v{number}", "lamp") for number in range(20)]
    robot = [
        viewed(1_000, None, "robot", f"cheap{number % 300:03}") | {"event_id": f"r{number}"}
        for number in range(20_000)
    ]
    fan = [viewed(number, "fan", f"f{number}", "own") | {"event_id": f"f{number}"} for number in range(500)]
    add(settings, "product_viewed", [*robot, *fan, *people])

    with connect(settings) as reader:
        log = read_training_data(reader, limit=1_000).log

    names = [log.shopper_vocabulary.ids[code] for code in log.shoppers]
    assert names.count("robot") == DAILY
    assert names.count("fan") == 1
    assert sum(name.startswith("person") for name in names) == 20


@pytest.mark.nightly
def test_a_training_is_recorded_once_with_its_card(settings):
    options = TrainingOptions({"popularity": Popularity}, Metric("ndcg", 5), days=2, budget_s=1, seed=0)
    trained = train(TrainingData(a_log(), None), NO_MODEL_IN_USE, options, lambda: 1.0, lambda *_: None)

    with connect(settings, admin=True) as admin:
        for published in (False, True):
            record(admin, "v1", FIRST, trained, KEPT, START, published)

    with connect(settings) as reader:
        rows = reader.query(
            "SELECT version, model, published, JSONHas(card, 'judged'), "
            "JSONExtractString(card, 'blend_weights', 'reasons', 'home') FROM model_cards FINAL"
        )
    assert rows.result_rows == [("v1", "popularity", True, 1, "kept: 0 clicks")]


def test_a_published_model_is_the_one_in_use_and_the_one_before_can_be_gone_back_to(registry):
    model = ItemItem().fit(a_log())
    for version in ("v1", "v2", "v3"):
        registry.publish(model, version, FIRST)

    assert registry.in_use() == "v3"
    assert sorted(each.name for each in registry.directory.iterdir()) == ["v2", "v3"]
    assert versions_in(registry.redis) == {"v2", "v3"}
    assert registry.roll_back() == "v2"
    assert registry.in_use() == "v2"
    assert registry.model("v2").settings == model.settings
    assert registry.roll_back() == "v3"


def test_weights_stay_when_the_model_is_rolled_back_and_damaged_ones_do_not_count(registry):
    model = ItemItem().fit(a_log())
    learned = {surface: {"trained_neighbours": 0.8, "similar_content": 0.2} for surface in SURFACES}
    assert read_weights(registry.redis) == DEFAULT_WEIGHTS
    registry.publish(model, "v1", FIRST)
    store_weights(registry.redis, learned)
    registry.publish(model, "v2", FIRST)

    registry.roll_back()

    assert registry.in_use() == "v1"
    assert read_weights(registry.redis) == learned
    registry.redis.hset(STATE, mapping={STORED_WEIGHTS: b"no JSON"})
    assert read_weights(registry.redis) == DEFAULT_WEIGHTS


def test_a_version_that_cannot_be_written_leaves_the_one_in_use(registry, monkeypatch):
    model = Popularity().fit(a_log())
    registry.publish(model, "v1", FIRST)

    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(np, "save", stop)
    with pytest.raises(KeyboardInterrupt):
        registry.publish(model, "v2", FIRST)

    assert registry.in_use() == "v1"
    assert [each.name for each in registry.directory.iterdir()] == ["v1"]


def test_two_trainings_that_publish_at_once_leave_each_other_whole(registry, monkeypatch):
    model = Popularity().fit(a_log())
    writing, others_turn = Event(), Event()
    save = np.save

    def slow(*arguments: object, **options: object) -> None:
        writing.set()
        others_turn.wait(10)
        save(*arguments, **options)

    with ThreadPoolExecutor(2) as pool:
        monkeypatch.setattr(np, "save", slow)
        first = pool.submit(registry.publish, model, "v1", FIRST)
        assert writing.wait(10)
        monkeypatch.setattr(np, "save", save)
        second = pool.submit(registry.publish, model, "v2", FIRST)
        wait([second], timeout=0.5)
        others_turn.set()
        first.result()
        second.result()

    assert registry.model(registry.in_use()).popularity.sum() > 0
    assert sorted(each.name for each in registry.directory.iterdir()) == ["v1", "v2"]


def test_a_person_who_goes_back_while_a_model_is_published_has_that_one_before_it(registry, monkeypatch):
    """Otherwise the rejected model would be the one to go back to, and the good one would be removed."""
    model = Popularity().fit(a_log())
    for version in ("good", "rejected"):
        registry.publish(model, version, FIRST)
    save = np.save

    def go_back(*arguments: object, **options: object) -> None:
        Publications(registry.redis).switch("good", "rejected")
        save(*arguments, **options)

    monkeypatch.setattr(np, "save", go_back)
    registry.publish(model, "new", FIRST)

    assert registry.in_use() == "new"
    assert versions_in(registry.redis) == {"good", "new"}
    assert sorted(each.name for each in registry.directory.iterdir()) == ["good", "new"]
    assert registry.roll_back() == "good"


def test_without_a_model_before_there_is_nothing_to_go_back_to(registry):
    registry.publish(Popularity().fit(a_log()), "v1", FIRST)

    with pytest.raises(UserError, match="no model to go back to"):
        registry.roll_back()


@pytest.mark.nightly
def test_a_training_on_facts_publishes_a_model_and_the_next_one_is_compared_with_it(settings, registry):
    rng = np.random.default_rng(5)
    minutes = rng.permutation(10 * 24 * 60)[:600]
    add(
        settings,
        "product_viewed",
        [
            viewed(
                1_000 + int(minute), f"shopper-{rng.integers(30)}", f"visit-{minute}", f"p{rng.integers(9)}"
            )
            for minute in minutes
        ],
    )
    options = TrainingOptions({"popularity": Popularity}, Metric("ndcg", 5), days=2, budget_s=1, seed=0)
    moments = iter([FIRST, FIRST, *[FIRST + timedelta(days=1)] * 2])

    first, second = (
        train_once(settings, registry, options, 500, START, quiet, lambda: next(moments)) for _ in range(2)
    )

    assert first.reason == "there was no model in use"
    assert second.reason == "the same model and settings as in use, fitted on newer events"
    assert registry.in_use() == "20260102T000000"
    assert registry.model("20260101T000000").popularity.sum() > 0
    with connect(settings) as reader:
        rows = reader.query(
            "SELECT version, published FROM model_cards FINAL WHERE version LIKE '2026%' ORDER BY 1"
        )
        [recorded] = reader.query(
            "SELECT outcome, version, model, events, first_event_at < last_event_at, last_event_at, reason, "
            "peak_memory_mb > 50 "
            "FROM trainings FINAL WHERE training_id = 'training-1'"
        ).result_rows
    assert rows.result_rows == [("20260101T000000", True), ("20260102T000000", True)]
    newest = FIRST + timedelta(minutes=1_000 + int(minutes.max()))
    assert recorded == (
        "published", "20260102T000000", "popularity", 500, 1, newest.replace(tzinfo=None), second.reason, 1,
    )  # fmt: skip


def lists_of_ten(number: int) -> ShownLists:
    """Lists on home pages in random order, of which visitors click what the trained model ranks high."""
    rng, lists = np.random.default_rng(7), ShownLists()
    for one in range(number):
        at, scores = FIRST + timedelta(minutes=one), rng.uniform(0, 1, (10, 2)).round(4)
        name, products = f"list-{one}", [f"p{place}" for place in range(10)]
        items = [scored_item(product, *pair) for product, pair in zip(products, scores.tolist(), strict=True)]
        lists.answer(name, f"visitor-{one % 400}", at, *items)
        lists.see(name, at, *products, session=f"visitor-{one % 400}")
        chances = 1 / (1 + np.exp(3 - 4 * scores[:, 1] + 0.9 * np.log(np.arange(1, 11))))
        for place in np.flatnonzero(rng.uniform(size=10) < chances):
            lists.click(name, at, products[place], f"visitor-{one % 400}")
    return lists


@pytest.mark.nightly
def test_after_a_training_the_weights_are_those_that_made_people_click(settings, registry):
    emptied(settings)
    rng = np.random.default_rng(8)
    views = [
        viewed(int(minute), f"shopper-{rng.integers(30)}", f"visit-{minute}", f"p{rng.integers(9)}")
        for minute in rng.permutation(10 * 24 * 60)[:600]
    ]
    add(settings, "product_viewed", views)
    lists_of_ten(1_500).load(settings)
    options = TrainingOptions({"popularity": Popularity}, Metric("ndcg", 5), days=2, budget_s=1, seed=0)

    train_once(settings, registry, options, 500, START, quiet, lambda: FIRST + timedelta(days=10))

    weights = read_weights(registry.redis)
    assert weights["home"]["trained_neighbours"] > 0.9
    assert weights["cart"] == weights["home"], "a surface without clicks gets what all lists say"
    with connect(settings) as reader:
        [(card,)] = reader.query("SELECT card FROM model_cards FINAL WHERE published").result_rows
    recorded = json.loads(card)["blend_weights"]
    assert recorded["weights"] == weights
    assert recorded["reasons"]["home"].startswith("learned: log loss")
    assert recorded["reasons"]["cart"].startswith("learned: log loss")


@pytest.mark.nightly
def test_a_model_in_use_of_a_former_version_is_replaced(settings, registry):
    rng = np.random.default_rng(6)
    minutes = rng.permutation(10 * 24 * 60)[:600]
    views = [
        viewed(100_000 + int(minute), f"shopper-{rng.integers(30)}", f"old-{minute}", f"p{rng.integers(9)}")
        for minute in minutes
    ]
    add(settings, "product_viewed", views)
    former = StoredModel("als", {"unobserved": 0.1}, ("p1",), {"factors": np.ones((1, 64), np.float32)})
    save(registry.directory / "former", former)
    Publications(registry.redis).switch("former", None)
    options = TrainingOptions({"popularity": Popularity}, Metric("ndcg", 5), days=2, budget_s=1, seed=0)

    trained = train_once(settings, registry, options, 500, START, quiet, lambda: FIRST)

    assert trained.reason == (
        "the model in use can't be compared with: the saved model als has unknown settings: train it again"
    )
    assert registry.model(registry.in_use()).NAME == "popularity"


@pytest.mark.nightly
def test_a_model_is_published_although_the_weights_cannot_be_learned(settings, registry):
    emptied(settings)
    rng = np.random.default_rng(9)
    views = [
        viewed(int(minute), f"shopper-{rng.integers(30)}", f"visit-{minute}", f"p{rng.integers(9)}")
        for minute in rng.permutation(10 * 24 * 60)[:600]
    ]
    add(settings, "product_viewed", views)
    options = TrainingOptions({"popularity": Popularity}, Metric("ndcg", 5), days=2, budget_s=1, seed=0)
    with connect(settings, admin=True) as admin:
        admin.command("RENAME TABLE order_confirmed TO order_confirmed_away")
    try:
        trained = train_once(settings, registry, options, 500, START, quiet, lambda: FIRST)
    finally:
        with connect(settings, admin=True) as admin:
            admin.command("RENAME TABLE order_confirmed_away TO order_confirmed")

    assert registry.in_use() is not None
    assert trained.weight_reasons["home"].startswith("kept: ClickHouse did not answer")
    assert read_weights(registry.redis) == DEFAULT_WEIGHTS


@pytest.mark.nightly
def test_what_cannot_be_recorded_is_not_published(settings, registry):
    options = TrainingOptions({"popularity": Popularity}, Metric("ndcg", 5), days=2, budget_s=1, seed=0)
    with connect(settings, admin=True) as admin:
        admin.command("RENAME TABLE model_cards TO model_cards_away")
    try:
        with pytest.raises(PartUnavailable, match="did not take the model's card"):
            train_once(settings, registry, options, 500, START, quiet, lambda: FIRST)
    finally:
        with connect(settings, admin=True) as admin:
            admin.command("RENAME TABLE model_cards_away TO model_cards")

    assert registry.in_use() is None
