"""From a click to the next answer: the intake, Kafka, job `recommendations` in Flink, Redis, the API."""

import itertools
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import orjson
import pytest
from confluent_kafka import TopicPartition
from redis import Redis

from bench.recommendations.small_shop import Record, RecordProducer, stock
from common.clock import system_clock
from common.configuration.definitions import EXPERIMENTS, EXPLORATION_SHARE
from common.configuration.setting import Setting
from common.experiments.definition import DEFAULT_STRATEGY, STRATEGIES
from common.ids import new_id
from common.settings import ROOT, Settings
from jobs.checkpoints import newest_checkpoint
from jobs.engine import statement_set, table_environment
from jobs.recommendations.logic import plan
from local.parts import redis as local_redis
from schemas.published_model.weights import BLENDED
from schemas.setup import register
from serving.recommendations import answer_log
from tests.integration.conftest import is_ready
from tests.integration.event_topics import read_from
from tests.integration.servers import await_true, running, shed_no_load, terminated, without_experiments
from tests.principals import bearer

CLUSTER = {
    "rest.bind-port": "0",
    "taskmanager.memory.network.min": "64m",
    "taskmanager.memory.network.max": "64m",
    "taskmanager.memory.managed.size": "128m",
    "execution.checkpointing.interval": "1 s",
    "execution.checkpointing.min-pause": "0 s",
}
CATALOGUE = [f"p{number}" for number in range(12)]
VISITS = [[CATALOGUE[(visit + step) % 12] for step in range(8)] for visit in range(60)]
"""The products that sixty visits viewed before the tests: enough to support what goes with each."""

GOES_WITH_P6, LOOKED_AT_P6 = {"Goes with Lamp p6 in your cart"}, {"Because you looked at Lamp p6"}

A_SECONDS_DECAY = 1e-5
"""Scores of visits some seconds apart differ by less than this (half-life 14 days)."""

ROUNDING = 1e-9


@dataclass
class Job:
    """Job `recommendations` in its own cluster, which can be stopped and restored."""

    settings: Settings
    folder: Path
    _result: Any = field(default=None, init=False)

    def start(self) -> None:
        real = plan(self.settings)
        config = {**real.config, **CLUSTER, "execution.checkpointing.dir": f"file://{self.folder}"}
        if checkpoint := newest_checkpoint(self.folder):
            config |= {
                "execution.state-recovery.path": f"file://{checkpoint}",
                "execution.state-recovery.claim-mode": "NO_CLAIM",
            }
        self._result = statement_set(table_environment(config), real).execute()

    def stop(self) -> None:
        self._result.get_job_client().cancel().result()

    def await_checkpoint(self) -> None:
        """Wait for a checkpoint that began after this call: the second one from now."""
        for _ in range(2):
            before = newest_checkpoint(self.folder)
            await_true(lambda before=before: newest_checkpoint(self.folder) != before, "a checkpoint")  # type: ignore[misc]


@dataclass
class Shop:
    """A running platform without ClickHouse, and methods that send events to it."""

    settings: Settings
    api: httpx.Client
    redis: "Redis[str]"
    feed: RecordProducer
    job: Job
    versions: dict[str, int] = field(default_factory=dict)

    def say(self, *events: Record) -> dict[str, Any]:
        answer = self.api.post("/v1/events", json={"events": list(events)})
        assert answer.status_code == 202, answer.text
        taken: dict[str, Any] = answer.json()
        return taken

    def tell(self, event: str, /, **record: Any) -> None:
        self.feed.send(event, {"event_id": new_id(), "occurred_at": system_clock(), **record})
        self.feed.flush()

    def set_stock(self, product: str, on_hand: int) -> None:
        self.versions[product] = self.versions.get(product, 0) + 1
        self.feed.send(
            "stock_changed", stock(product, on_hand, self.versions[product], system_clock(), seller_id="ann")
        )
        self.feed.flush()

    def shown(self, visitor: str, **asked: Any) -> list[str]:
        answer = self.api.get(f"/v1/recommendations/{visitor}", params={"n": 50, **asked})
        assert answer.status_code == 200, answer.text
        return [item["product_id"] for item in answer.json()["items"]]

    def why(self, visitor: str) -> set[str]:
        """The reasons of the items that are recommended in the cart."""
        items = self.api.get(f"/v1/recommendations/{visitor}?context=cart").json()["items"]
        return {item["reason"]["text"] for item in items}

    def score(self, one: str, other: str) -> float:
        """The score of two products; for a product with itself, its interest."""
        if one == other:
            return float(self.redis.hget(f"product:{one}", "interest") or 0)
        return self.redis.zscore(f"similar:{one}", other) or 0.0

    def is_counted(self) -> bool:
        """Whether every product is for sale, and every score counts all visits that viewed both products."""
        looked = Counter(pair for visit in VISITS for pair in itertools.product(visit, visit))
        of_one_visit = [self.score(*pair) / visits for pair, visits in looked.items()]
        return all(self.redis.hget(f"product:{each}", "stock") for each in CATALOGUE) and (
            0 < max(of_one_visit) <= min(of_one_visit) * (1 + ROUNDING)
        )


def viewed(product: str, session: str, shopper: str | None = None, **rest: Any) -> Record:
    return {"event": "product_viewed", "session_id": session, "shopper_id": shopper, "product_id": product,
            "event_id": new_id(), **rest}  # fmt: skip


def in_cart(product: str, session: str, before: int, now: int, shopper: str | None = None) -> Record:
    return {"event": "cart_changed", "cart_id": "c", "session_id": session, "shopper_id": shopper,
            "product_id": product, "seller_id": "ann", "quantity_before": before, "quantity": now,
            "currency": "BRL", "unit_price_minor": 990, "event_id": new_id(),
            "occurred_at": system_clock().isoformat()}  # fmt: skip


def line(product: str) -> Record:
    return {"line_number": 1, "product_id": product, "seller_id": "ann", "quantity": 1,
            "unit_price_minor": 990, "discount_minor": 0, "shipping_minor": 0, "tax_minor": 0,
            "commission_bp": 0}  # fmt: skip


def parts(answer: dict[str, Any]) -> dict[str, str | None]:
    """Why each source did not answer; None if it did."""
    assert all(part["answered"] == (part["reason"] is None) for part in answer["parts"])
    return {part["source"]: part["reason"] for part in answer["parts"]}


def somebody() -> str:
    return f"shopper-{uuid4().hex[:12]}"


@pytest.fixture(scope="module")
def shop(
    settings: Settings,
    kafka: Any,  # noqa: ARG001 (the job's, as the next two)
    registry: Any,  # noqa: ARG001
    jvm: None,  # noqa: ARG001
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Shop]:
    """Twelve lamps that sixty visits viewed."""
    ids = register(settings).schema_ids
    environment = os.environ | {
        "SOUK_HOME": str(settings.home),
        "SOUK_PORT_OFFSET": str(settings.port_offset),
        "SOUK_REGISTRY_URL": settings.registry,
        "SOUK_SERVING_PROCESSES": "1",
    }
    shed_no_load(settings)
    without_experiments(settings)
    command = [sys.executable, "-m", "serving"]
    job = Job(settings, tmp_path_factory.mktemp("checkpoints"))
    with (
        running(local_redis.part(settings), settings),
        terminated(subprocess.Popen(command, cwd=ROOT, env=environment)) as serving,
        httpx.Client(base_url=settings.serving, trust_env=False, timeout=60, headers=bearer(settings)) as api,
        Redis.from_url(settings.redis, decode_responses=True) as redis,
    ):
        await_true(lambda: is_ready(serving, f"{settings.serving}/health"), "serving's start")
        made = Shop(settings, api, redis, RecordProducer(settings.kafka, ids), job)
        job.start()
        for lamp in CATALOGUE:
            made.tell("product_listed", product_id=lamp, seller_id="ann", name=f"Lamp {lamp}",
                      category="light", currency="BRL", price_minor=990)  # fmt: skip
            made.set_stock(lamp, 5)
        now = system_clock().isoformat()
        for number, visit in enumerate(VISITS):
            made.say(*(viewed(lamp, f"visit-{number}", occurred_at=now) for lamp in visit))
        await_true(made.is_counted, "the shop")
        yield made
        job.stop()


def test_a_view_changes_the_same_shoppers_next_answer(shop: Shop) -> None:
    ann = somebody()
    assert shop.shown(ann) == []
    taken = shop.say(viewed("p5", f"{ann}-session", ann))

    assert (taken["accepted"], taken["rejected"]) == (1, [])
    await_true(lambda: shop.shown(ann), "another answer")
    answer = shop.api.get(f"/v1/recommendations/{ann}").json()
    assert (answer["strategy"], answer["model_version"]) == ("blend", None)
    assert parts(answer) == {
        "item_neighbours": None, "trained_neighbours": "no_model", "similar_content": "no_model",
        "popular_in_category": None, "popular_products": "no_candidates",
    }  # fmt: skip
    sources = answer["items"][0]["sources"]
    assert sources["item_neighbours"] == 1.0
    assert sources.keys() <= {"item_neighbours", "popular_in_category"}
    assert answer["items"][0]["reason"] == {
        "kind": "similar", "product_id": "p5", "category": None, "text": "Because you looked at Lamp p5",
    }  # fmt: skip
    assert "p5" not in shop.shown(ann), "what was seen is not new"
    await_true(lambda: shop.shown(f"{ann}-session") == shop.shown(ann), "the same list for the session")


def test_what_stands_beside_a_product_and_in_the_cart_follows_from_them(shop: Shop) -> None:
    nobody = somebody()
    beside = shop.api.get(f"/v1/recommendations/{nobody}?context=product&product_id=p5").json()
    assert {item["reason"]["text"] for item in beside["items"]} == {"Often viewed together with Lamp p5"}
    similar = shop.api.get("/v1/products/p5/similar?n=3").json()
    assert [item["product_id"] for item in similar["items"]] == [
        item["product_id"] for item in beside["items"][:3]
    ]

    shop.say(in_cart("p6", nobody, 0, 1))
    await_true(lambda: shop.why(nobody) == GOES_WITH_P6, "the cart's list")


def test_what_another_row_of_the_page_shows_is_not_shown_twice(shop: Shop) -> None:
    cat = somebody()
    shop.say(viewed("p5", cat))
    await_true(lambda: len(shop.shown(cat)) > 5, "an answer")
    first, second, *_ = shop.shown(cat)

    rest = shop.shown(cat, exclude=f"{first},{second},nobody listed this")

    assert rest == [each for each in shop.shown(cat) if each not in (first, second)]


def test_what_was_taken_out_of_the_cart_or_bought_is_not_in_it_until_it_is_put_there_again(
    shop: Shop,
) -> None:
    dan, eve = somebody(), somebody()
    session = f"{dan}-session"
    both = (dan, session)
    put = {one: in_cart("p6", f"{one}-session", 0, 1, one) for one in (dan, eve)}
    shop.say(*put.values())
    await_true(lambda: all(shop.why(who) == GOES_WITH_P6 for who in (*both, eve)), "the cart's list")

    shop.say(in_cart("p6", session, 1, 0, dan))
    shop.tell("order_placed", order_id=f"o-{eve}", shopper_id=eve, currency="BRL", lines=[line("p6")])
    await_true(lambda: all(shop.why(who) == LOOKED_AT_P6 for who in (*both, eve)), "an empty cart")

    shop.say(put[dan], in_cart("end", session, 0, 1, dan))  # the first of them once more
    await_true(lambda: all(shop.redis.zscore(f"carted:{who}", "end") for who in both), "what came last")
    shop.say(in_cart("end", session, 1, 0, dan))
    await_true(lambda: all(shop.why(who) == LOOKED_AT_P6 for who in both), "an empty cart")

    shop.say(in_cart("p6", session, 0, 1, dan))
    await_true(lambda: all(shop.why(who) == GOES_WITH_P6 for who in both), "the cart's list")


def test_who_came_a_second_ago_gets_what_is_popular(shop: Shop) -> None:
    shop.redis.zadd("popular_products", {"p1": 4.0, "p2": 1.0, "nobody listed this": 9.0})
    answer = shop.api.get(f"/v1/recommendations/{somebody()}").json()
    shop.redis.delete("popular_products")

    assert parts(answer)["item_neighbours"] == parts(answer)["popular_in_category"] == "no_history"
    assert [item["product_id"] for item in answer["items"]] == ["p1", "p2"]
    assert {item["reason"]["kind"] for item in answer["items"]} == {"popular"}


def answered(shop: Shop, recommendation_id: str) -> Record:
    """Return the logged answer with this id, once it is in Kafka."""
    begin = [TopicPartition(answer_log.EVENT, number, 0) for number in range(4)]
    found: list[Record] = []

    def is_logged() -> bool:
        logged = read_from(shop.settings, begin).values()
        found[:] = [one for each in logged for one in each if one["event_id"] == recommendation_id]
        return bool(found)

    await_true(is_logged, "the answer in the log")
    return found[0]


def set_value(shop: Shop, setting: Setting[Any], value: object) -> None:
    """Change a setting as the configuration service does."""
    written = orjson.dumps(setting.parse(value)).decode()
    version = int(system_clock().timestamp())
    shop.tell(
        "setting_changed",
        name=setting.name,
        scope="platform",
        old_value=None,
        new_value=written,
        version=version,
    )


def test_each_answer_is_logged_with_what_it_came_from(shop: Shop) -> None:
    ann = somebody()
    shop.say(viewed("p5", f"{ann}-session", ann))
    await_true(lambda: shop.shown(ann), "an answer")
    answer = shop.api.get(f"/v1/recommendations/{ann}?n=3").json()
    logged = answered(shop, answer["recommendation_id"])

    assert (logged["visitor_id"], logged["surface"], logged["strategy"]) == (ann, "home", DEFAULT_STRATEGY)
    assert (logged["experiment"], logged["arm"], logged["is_explored"]) == (None, None, False)
    assert logged["seeds"] == [{"product_id": "p5", "weight": 1.0}]
    assert [(one["product_id"], one["score"]) for one in logged["items"]] == [
        (item["product_id"], item["score"]) for item in answer["items"]
    ]
    assert [one["source"] for one in logged["items"]] == [
        "+".join(item["sources"]) for item in answer["items"]
    ]
    assert {one["propensity"] for one in logged["items"]} == {1.0}


def test_an_experiment_is_in_effect_without_a_restart_and_ends_so(shop: Shop) -> None:
    ann, bea = somebody(), somebody()
    shop.redis.zadd("popular_products", {"p1": 4.0, "p2": 1.0})
    for who in (ann, bea):
        shop.say(viewed("p5", f"{who}-session", who))
    await_true(lambda: len(shop.shown(ann)) > 2 and len(shop.shown(bea)) > 2, "answers")
    arms = [{"name": name, "strategy": name, "share": 0.5} for name in ("live", "popular")]
    experiment = {"name": "popular_home", "surface": "home", "salt": "1", "arms": arms,
                  "start": "2020-01-01T00:00:00Z", "stop": None}  # fmt: skip
    set_value(shop, EXPERIMENTS, orjson.dumps([experiment]).decode())
    visitors = [somebody() for _ in range(40)]

    def answers() -> dict[str, dict[str, Any]]:
        return {who: shop.api.get(f"/v1/recommendations/{who}").json() for who in visitors}

    await_true(lambda: {one["variant"] for one in answers().values()} == {"live", "popular"}, "both arms")
    first, again = answers(), answers()
    assert {who: one["variant"] for who, one in first.items()} == {
        who: one["variant"] for who, one in again.items()
    }
    for one in first.values():
        assert one["experiment"] == "popular_home"
        if one["variant"] == "popular":
            assert [item["product_id"] for item in one["items"]] == ["p1", "p2"]
    set_value(shop, EXPERIMENTS, "[]")
    await_true(lambda: {one["experiment"] for one in answers().values()} == {None}, "no experiment")
    shop.redis.delete("popular_products")


def test_a_random_list_is_logged_with_what_each_strategy_would_have_shown(shop: Shop) -> None:
    ann = somebody()
    shop.redis.zadd("popular_products", {"p1": 4.0, "p2": 1.0})
    shop.say(viewed("p5", f"{ann}-session", ann))
    await_true(lambda: len(shop.shown(ann)) > 2, "an answer")
    usual = shop.shown(ann)
    sources = {
        item["product_id"]: {source: item["sources"].get(source) for source in BLENDED}
        for item in shop.api.get(f"/v1/recommendations/{ann}?n=50").json()["items"]
    }
    set_value(shop, EXPLORATION_SHARE, 0.2)
    explored: list[str] = []

    def has_explored() -> bool:
        answer = shop.api.get(f"/v1/recommendations/{ann}?n=50").json()
        shown = [item["product_id"] for item in answer["items"]]
        if shown != usual:
            explored[:] = [answer["recommendation_id"], *shown]
        return bool(explored)

    await_true(has_explored, "a random list")
    set_value(shop, EXPLORATION_SHARE, 0.0)
    await_true(lambda: all(shop.shown(ann) == usual for _ in range(20)), "usual lists")
    shop.redis.delete("popular_products")
    logged = answered(shop, explored[0])
    lists: dict[str, list[str]] = {}
    for one in logged["alternatives"]:
        lists.setdefault(one["strategy"], []).append(one["product_id"])
    assert logged["is_explored"]
    assert lists.keys() == set(STRATEGIES)
    assert (lists[DEFAULT_STRATEGY], lists["popular"]) == (usual, ["p1", "p2"])
    assert [one["product_id"] for one in logged["items"]] == explored[1:]
    assert {
        one["product_id"]: {source: one[source] for source in BLENDED}
        for one in logged["items"]
        if one["product_id"] in usual
    } == sources
    assert {one["propensity"] for one in logged["items"]} == {
        1 / len({each for one in lists.values() for each in one})
    }


def test_where_nothing_goes_with_what_was_seen_its_category_does(shop: Shop) -> None:
    lonely, bea = f"lonely-{uuid4().hex[:6]}", somebody()
    shop.tell("product_listed", product_id=lonely, seller_id="ann", name="Lonely", category="light",
              currency="BRL", price_minor=1)  # fmt: skip
    shop.say(viewed(lonely, bea))
    await_true(lambda: shop.shown(bea), "an answer")
    answer = shop.api.get(f"/v1/recommendations/{bea}").json()

    assert {"popular_in_category"} <= set(answer["items"][0]["sources"]) <= {
        "popular_in_category", "similar_attributes",
    }  # fmt: skip
    assert answer["items"][0]["reason"]["text"] == "Popular in light"


def test_beside_a_product_that_one_visit_saw_is_what_has_its_attributes(shop: Shop) -> None:
    """In a category of its own, because the API keeps rankings for half a minute."""
    own = f"cold-{uuid4().hex[:6]}"
    new, alike, other, large, small, oil = (
        f"{name}-{own}" for name in ("new", "alike", "other", "large", "small", "oil")
    )
    listings: dict[str, dict[str, Any]] = {
        new: {"attributes": {"colour": "blue"}},
        alike: {"attributes": {"colour": "blue"}},
        other: {"attributes": {"colour": "red"}},
        large: {"attributes": {"colour": "red", "size": "L"}, "group_id": own},
        small: {"attributes": {"colour": "red", "size": "S"}, "group_id": own},
        oil: {"category": f"oils-{own}"},
    }
    for product, listing in listings.items():
        shop.tell("product_listed", product_id=product, seller_id="ann", currency="BRL", price_minor=990,
                  **{"name": "Thing", "category": own, **listing})  # fmt: skip
    known = (other, alike, large, small)
    shop.say(*(viewed(product, f"{own}-{number}") for number in range(3) for product in known))
    shop.say(viewed(new, own), viewed(oil, own))
    await_true(lambda: shop.redis.zcard(f"popular:{own}") == 5 and shop.score(new, oil), "the visits")
    await_true(lambda: shop.redis.hget(f"product:{new}", "visits"), "the number of visits")

    items = shop.api.get(f"/v1/products/{new}/similar").json()["items"]

    found = [item["product_id"] for item in items]
    assert found[0] == alike
    assert items[0]["reason"]["text"] == "Similar to Thing"
    assert len({large, small} & set(found)) == 1, "two variants of one product"
    assert found[-1] == oil, "what one visit had together says nothing"
    beside_variant = shop.api.get(f"/v1/products/{large}/similar").json()["items"]
    assert small not in {item["product_id"] for item in beside_variant}


def test_nothing_is_because_of_a_purchase_until_its_payment_is_known(shop: Shop) -> None:
    gil = somebody()
    order = {"order_id": f"o-{gil}", "shopper_id": gil, "currency": "BRL", "lines": [line("p3")]}
    placed_at = system_clock()

    def rows() -> dict[str, str]:
        answer = shop.api.get(f"/v1/recommendations/{gil}/rows?page=order").json()
        return {row["row"]: row["title"] for row in answer["rows"]}

    shop.tell("order_placed", **order)
    await_true(lambda: rows() == {"because_looked": "Because you looked at Lamp p3"}, "a pending order")
    shop.tell("order_confirmed", placed_at=placed_at, **order)
    await_true(lambda: rows() == {"because_bought": "Because you bought Lamp p3"}, "a paid order")
    shop.tell("order_cancelled", placed_at=placed_at, reason="payment_failed", **order)
    await_true(lambda: rows() == {}, "a cancelled order")


def test_a_product_that_is_left_over_in_a_category_is_not_shown_there(shop: Shop) -> None:
    """A category of its own, because the API keeps rankings for half a minute."""
    own, bea = f"category-{uuid4().hex[:6]}", somebody()
    viewed_one, other, moved = (f"{name}-{uuid4().hex[:6]}" for name in ("viewed", "other", "moved"))
    for product, category in ((viewed_one, own), (other, own), (moved, "chairs")):
        shop.tell("product_listed", product_id=product, seller_id="ann", name=product, category=category,
                  currency="BRL", price_minor=1)  # fmt: skip
    await_true(lambda: shop.redis.exists(f"product:{moved}", f"product:{other}") == 2, "the listings")
    shop.redis.zadd(f"popular:{own}", {moved: 2.0, other: 1.0})
    shop.say(viewed(viewed_one, bea))

    await_true(lambda: other in shop.shown(bea), "an answer")

    [first, *_] = answer = shop.api.get(f"/v1/recommendations/{bea}").json()["items"]
    assert first["product_id"] == other
    assert "popular_in_category" in first["sources"]
    assert moved not in [item["product_id"] for item in answer]


TRIES = pytest.param(10_000, marks=pytest.mark.campaign)


@pytest.mark.timeout(3_600)
@pytest.mark.parametrize("tries", [30, TRIES])
def test_what_is_sold_out_is_never_recommended_again(shop: Shop, tries: int) -> None:
    eve = somebody()
    shop.say(viewed("p5", eve))
    await_true(lambda: shop.shown(eve), "an answer")
    shown = 0
    for _ in range(-(-tries // 10)):
        [best, *_] = shop.shown(eve)
        shop.set_stock(best, 0)
        await_true(lambda best=best: best not in shop.shown(eve), "the end of a product")  # type: ignore[misc]
        shown += sum(best in shop.shown(eve) for _ in range(10))
        shop.set_stock(best, 5)
        await_true(lambda best=best: best in shop.shown(eve), "its return")  # type: ignore[misc]
    assert shown == 0


def test_what_is_delisted_or_was_just_bought_is_not_recommended(shop: Shop) -> None:
    cid = somebody()
    shop.say(viewed("p5", f"{cid}-session", cid))
    await_true(lambda: len(shop.shown(cid)) > 5, "an answer")
    gone, bought, given_back, *_ = shop.shown(cid)

    shop.tell("product_delisted", product_id=gone, seller_id="ann", reason="discontinued")
    for order, product in ((f"o1-{cid}", bought), (f"o2-{cid}", given_back)):
        shop.tell("order_placed", order_id=order, shopper_id=cid, currency="BRL", lines=[line(product)])
    await_true(lambda: not {gone, bought, given_back} & set(shop.shown(cid)), "their end")
    shop.tell("order_cancelled", order_id=f"o2-{cid}", shopper_id=cid, reason="payment_failed",
              placed_at=system_clock(), currency="BRL", lines=[line(given_back)])  # fmt: skip
    await_true(lambda: given_back in shop.shown(cid), "what was not bought after all")
    assert not {gone, bought} & set(shop.shown(cid))


def test_a_job_that_starts_again_from_a_checkpoint_counts_nothing_twice(shop: Shop) -> None:
    one, other = f"one-{uuid4().hex[:6]}", f"other-{uuid4().hex[:6]}"
    visits = [[viewed(one, f"{one}-{n}"), viewed(other, f"{one}-{n}")] for n in range(4)]
    shop.say(*visits[0])
    once = await_true(lambda: shop.score(one, other), "the first visit")
    shop.say(*visits[1])
    await_true(lambda: shop.score(one, other) > 1.5 * once, "the second visit")
    shop.job.await_checkpoint()
    shop.say(*visits[2])
    await_true(lambda: shop.score(one, other) > 2.5 * once, "what no checkpoint holds yet")
    shop.job.stop()
    shop.say(*visits[0], *visits[3])  # one of them once more
    shop.job.start()
    await_true(lambda: shop.score(one, other) > 3.5 * once, "what came meanwhile")
    shop.say(*visits[1], *visits[2], viewed("end", f"{one}-end"))
    await_true(lambda: shop.redis.zscore(f"recent:{one}-end", "end"), "what came last")
    shop.job.await_checkpoint()

    assert shop.score(one, other) == pytest.approx(4 * once, rel=A_SECONDS_DECAY)
    assert shop.score(one, other) == shop.score(other, one)


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        (b"{", 422, "not JSON"),
        (b"[]", 422, "without other fields"),
        (b'{"events": []}', 422, "0 events"),
        (b'{"events": [' + b"1," * 500 + b"1]}", 422, "501 events"),
        (b'{"events": ["' + b"x" * 1024 * 1024 + b'"]}', 413, "1,048,576 bytes"),
    ],
)
def test_a_body_that_is_no_batch_is_refused_in_words(shop: Shop, body: bytes, status: int, said: str) -> None:
    answer = shop.api.post("/v1/events", content=body, headers={"Content-Type": "application/json"})

    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert said in answer.json()["detail"]


def test_the_events_that_are_right_are_taken_and_the_others_named(shop: Shop, kafka: Any) -> None:
    taken = shop.say(
        {"event": "order_placed"}, viewed("p1", "s"), viewed("p1", "s", occurred_at="2100-01-01T00:00:00Z")
    )

    assert (taken["accepted"], [one["index"] for one in taken["rejected"]]) == (1, [0, 2])
    unknown, future = (one["problem"] for one in taken["rejected"])
    assert (unknown["type"], unknown["status"]) == ("urn:souk:problem:unknown-event", 422)
    assert unknown["title"] == "This is not a browsing event"
    assert "'order_placed' is not a browsing event" in unknown["detail"]
    assert future["type"] == "urn:souk:problem:bad-event-time"
    assert "in the future" in future["detail"]
    assert set(unknown) == set(future) == {"type", "title", "status", "detail"}
    assert kafka.count("recommendations_dlq") == 0


@pytest.mark.parametrize(
    ("path", "status", "kind"),
    [
        ("/v1/products/nobody/similar", 404, "unknown-product"),
        ("/v1/recommendations/ann?product_id=nobody", 404, "unknown-product"),
        ("/v1/recommendations/ann?context=product", 422, "missing-product"),
        ("/v1/recommendations/ann?context=bath", 422, "bad-parameter"),
        ("/v1/recommendations/ann?n=0", 422, "bad-parameter"),
        (f"/v1/recommendations/ann?exclude={','.join(map(str, range(101)))}", 422, "bad-parameter"),
        (f"/v1/recommendations/ann?exclude={'x' * 8_001}", 422, "bad-parameter"),
        ("/v1/recommendations/ann?n=1&n=2", 422, "bad-parameter"),
    ],
)
def test_what_can_not_be_answered_is_a_problem(shop: Shop, path: str, status: int, kind: str) -> None:
    answer = shop.api.get(path)

    assert (answer.status_code, answer.json()["type"]) == (status, f"urn:souk:problem:{kind}")
