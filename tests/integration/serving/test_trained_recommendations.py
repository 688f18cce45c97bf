"""Recommendations of a published model, in every process of the API, and without it in whatever way it is
missing."""

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import numpy as np
import pytest
from redis import Redis

from common.settings import Settings
from recommenders.compact import CompactModel
from recommenders.training.model_registry import ModelRegistry
from recommenders.training.neighbour_rows import ServedModel
from recommenders.training.publication import Publications, store_weights
from schemas.published_model.keys import STATE, WEIGHTS, Layout, description_key, ids_key, rows_key
from schemas.published_model.product_ids import ProductIds
from schemas.published_model.weights import DISCOUNT
from serving.recommendations.scoring import covisit_unit
from tests.integration.servers import await_true
from tests.integration.serving.conftest import put_offers
from tests.principals import bearer

TRAINED_AT = datetime(2026, 1, 1, tzinfo=UTC)
IDS = ("sofa", "cushion", "carpet", "fresh")
SOFA, CUSHION, CARPET, FRESH = range(4)
Row = dict[int, dict[int, float]]


def compact(rows: Row, prior: tuple[float, ...] = (9, 9, 9, 0)) -> CompactModel:
    """A model with these neighbours; nobody has viewed the product `fresh`."""
    lengths = [len(rows.get(code, {})) for code in range(len(prior))]
    pairs = [pair for code in range(len(prior)) for pair in rows.get(code, {}).items()]
    return CompactModel(
        np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
        np.array([code for code, _ in pairs], np.int32),
        np.array([score for _, score in pairs], np.float32),
        np.array(prior, np.float32),
        0.5,
    )


def publish(redis: "Redis[bytes]", version: str, rows: Row, before: str | None = None) -> None:
    """Publish a model with these neighbours; `fresh` is like the sofa."""
    publications = Publications(redis)
    content = compact({SOFA: {FRESH: 0.5}})
    publications.write(
        ServedModel("item_item", ProductIds.of(IDS), compact(rows), content), version, TRAINED_AT
    )
    publications.switch(version, before)


@pytest.fixture
def redis(shop: Settings) -> Iterator["Redis[bytes]"]:
    """Four products for sale, of which Ann has viewed the sofa. Others viewed a poster with it until just
    now."""
    with Redis.from_url(shop.redis) as client:
        for product_id in (*IDS, "poster"):
            put_offers(client, product_id, {"seller_id": "ana", "price_minor": 900, "name":
            product_id.title()},
                       stock={"ana": 5}, interest=10.0)  # fmt: skip
        client.zadd("similar:sofa", {"poster": 9.0, "cushion": 3.0})
        client.zadd("similar:carpet", {"poster": 9.0})
        client.zadd("recent:ann", {"sofa": 1_800_000_000})
        client.zadd("recent:bea", {"carpet": 1_800_000_000})
        yield client
        products = [f"product:{product_id}" for product_id in (*IDS, "poster")]
        client.delete("similar:sofa", "similar:carpet", "recent:ann", "recent:bea", *products)
        client.delete("recommender", *client.keys("recommender?*"))


@pytest.fixture
def ask(shop: Settings) -> Iterator[Callable[..., dict[str, Any]]]:
    """Sends each request over a connection of its own, so that each process answers some."""

    def answer(visitor: str = "ann", **parameters: Any) -> dict[str, Any]:
        url = f"{shop.serving}/v1/recommendations/{visitor}"
        found = httpx.get(url, params=parameters, headers=bearer(shop), trust_env=False, timeout=30)
        assert found.status_code == 200, found.text
        body: dict[str, Any] = found.json()
        assert body["items"], "the shelf is empty"
        return body

    return answer


def new_version() -> str:
    """A name that no process of the API has loaded."""
    return f"v-{uuid4().hex[:12]}"


def passed_over(shop: Settings, reason: str) -> float:
    """How often the trained model was passed over for this reason, in all processes."""
    text = httpx.get(f"{shop.serving}/metrics", trust_env=False).raise_for_status().text
    name = f'souk_recommendation_sources_total{{outcome="{reason}",source="trained_neighbours"}} '
    return sum(float(line.removeprefix(name)) for line in text.splitlines() if line.startswith(name))


def reasons(answer: dict[str, Any]) -> dict[str, str | None]:
    return {part["source"]: part["reason"] for part in answer["parts"]}


def from_model(answer: dict[str, Any]) -> list[str]:
    return [one["product_id"] for one in answer["items"] if "trained_neighbours" in one["sources"]]


def await_model(ask: Callable[..., dict[str, Any]], version: str) -> None:
    """Wait until every process has read a version: until then, it answers without a model and says so."""
    await_true(lambda: {ask()["model_version"] for _ in range(10)} == {version}, f"model {version}")


def test_the_answer_blends_the_model_with_what_happened_until_now_and_says_so(
    redis: "Redis[bytes]", ask: Callable[..., dict[str, Any]]
) -> None:
    version = new_version()
    publish(redis, version, {SOFA: {CARPET: 8.0, CUSHION: 4.0}})
    await_model(ask, version)

    answer = ask()

    assert (answer["strategy"], answer["model_version"]) == ("blend", version)
    assert reasons(answer)["item_neighbours"] is reasons(answer)["trained_neighbours"] is None
    items = {one["product_id"]: one for one in answer["items"]}
    assert items["poster"]["sources"] == {"item_neighbours": 1.0}
    assert items["carpet"]["sources"] == {"trained_neighbours": 1.0}
    assert set(items["cushion"]["sources"]) == {"item_neighbours", "trained_neighbours"}
    assert items["fresh"]["reason"] == {
        "kind": "content", "product_id": "sofa", "category": None, "text": "Similar to Sofa",
    }  # fmt: skip
    assert "sofa" not in items


def test_a_roll_back_reaches_every_process_within_a_second(
    redis: "Redis[bytes]", ask: Callable[..., dict[str, Any]], tmp_path: Path
) -> None:
    older, newer = new_version(), new_version()
    publish(redis, older, {SOFA: {CUSHION: 1.0}})
    publish(redis, newer, {SOFA: {CARPET: 1.0}}, before=older)
    await_model(ask, newer)

    ModelRegistry(tmp_path / "models", redis).roll_back()
    deadline = time.monotonic() + 1
    while time.monotonic() < deadline:
        ask()
    after = [ask() for _ in range(30)]

    assert {answer["model_version"] for answer in after} == {older}
    assert {tuple(from_model(answer)) for answer in after} == {("cushion",)}


def test_answers_go_on_when_the_keys_of_the_model_vanish(
    redis: "Redis[bytes]", ask: Callable[..., dict[str, Any]]
) -> None:
    version = new_version()
    publish(redis, version, {SOFA: {CARPET: 1.0}, CARPET: {CUSHION: 1.0}})
    await_model(ask, version)

    for key in Layout(1, 1).keys(version):
        redis.delete(key)
    others = [ask("bea") for _ in range(10)]  # whose row no process has read
    ask()

    assert {reasons(answer)["trained_neighbours"] for answer in others} == {"incomplete"}
    assert {answer["model_version"] for answer in others} == {None}
    redis.delete("recommender")
    assert reasons(ask())["trained_neighbours"] == "no_model"


def cut_description(redis: "Redis[bytes]", version: str) -> None:
    packed = redis.get(description_key(version))
    assert packed
    redis.set(description_key(version), packed[:-9])


def other_format(redis: "Redis[bytes]", version: str) -> None:
    packed = redis.get(description_key(version))
    assert packed
    redis.set(description_key(version), packed.replace(b'"format":1', b'"format":99'))


def lost_row(redis: "Redis[bytes]", version: str) -> None:
    redis.hdel(rows_key(version, 0), "carpet")


def cut_ids(redis: "Redis[bytes]", version: str) -> None:
    packed = redis.get(ids_key(version, 0))
    assert packed
    redis.set(ids_key(version, 0), packed[:-1])


def other_ids(redis: "Redis[bytes]", version: str) -> None:
    [piece] = ProductIds.of(("carpet", "cushion", "sofa", "fresh")).pieces()
    redis.set(ids_key(version, 0), piece)


def damaged_row(redis: "Redis[bytes]", version: str) -> None:
    packed = redis.hget(rows_key(version, 0), "sofa")
    assert packed
    redis.hset(rows_key(version, 0), mapping={"sofa": packed[:-1] + bytes([packed[-1] ^ 1])})


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (cut_description, "damaged"),
        (other_format, "damaged"),
        (lost_row, "incomplete"),
        (cut_ids, "damaged"),
        (other_ids, "damaged"),
        (damaged_row, "damaged"),
    ],
)
def test_a_damaged_model_is_passed_over_and_the_rest_is_served(
    shop: Settings,
    redis: "Redis[bytes]",
    ask: Callable[..., dict[str, Any]],
    damage: Callable[["Redis[bytes]", str], None],
    reason: str,
) -> None:
    version = new_version()
    publications, rows = Publications(redis), compact({SOFA: {CARPET: 1.0}, CARPET: {CUSHION: 1.0}})
    publications.write(ServedModel("item_item", ProductIds.of(IDS), rows, None), version, TRAINED_AT)
    damage(redis, version)
    before = passed_over(shop, reason)
    publications.switch(version, None)

    answer = ask()

    assert (answer["model_version"], reasons(answer)["trained_neighbours"]) == (None, reason)
    assert [one["product_id"] for one in answer["items"]][:2] == ["poster", "cushion"]
    assert passed_over(shop, reason) == before + 1


def test_a_model_of_another_shop_is_passed_over(
    redis: "Redis[bytes]", ask: Callable[..., dict[str, Any]]
) -> None:
    version, ids = new_version(), ProductIds.of(f"other-{number}" for number in range(4))
    model = ServedModel("item_item", ids, compact({0: {1: 1.0}}), None)
    Publications(redis).write(model, version, TRAINED_AT)
    Publications(redis).switch(version, None)

    # A process loads a model beside the requests: on a busy machine, the first answer does not wait for it.
    await_true(lambda: reasons(ask())["trained_neighbours"] == "other_catalogue", "the reason")


def test_stored_weights_change_the_order_and_damaged_ones_do_not_count(
    redis: "Redis[bytes]", ask: Callable[..., dict[str, Any]]
) -> None:
    version = new_version()
    publish(redis, version, {SOFA: {CARPET: 1.0}})
    await_model(ask, version)

    orders = []
    for live, trained in ((1.0, 3.0), (3.0, 1.0)):
        weights = {"home": {"item_neighbours": live, "trained_neighbours": trained}}
        store_weights(redis, weights)
        orders.append([one["product_id"] for one in ask()["items"]][:2])
    redis.hset(STATE, mapping={WEIGHTS: b"no JSON"})

    assert orders == [["carpet", "poster"], ["poster", "carpet"]]
    assert ask()["model_version"] is not None


def test_popular_products_rank_lower_by_the_learned_discount(
    redis: "Redis[bytes]", ask: Callable[..., dict[str, Any]]
) -> None:
    """The carpet has more of the model's score, but 99 times the cushion's views."""
    publish(redis, new_version(), {SOFA: {CARPET: 8.0, CUSHION: 4.0}})
    as_of = 1_800_000_000
    before = redis.hgetall("recommendations_as_of")
    redis.hset("recommendations_as_of", mapping={"product_viewed": as_of})
    redis.hset("product:carpet", mapping={"interest": 99 * covisit_unit(as_of)})
    redis.hset("product:cushion", mapping={"interest": covisit_unit(as_of)})
    answers = []
    for discount in (0.0, 0.5):
        weights = {"home": {"trained_neighbours": 1.0, DISCOUNT: discount}}
        store_weights(redis, weights)
        answers.append(ask())
    redis.delete("recommendations_as_of")
    if before:
        redis.hset("recommendations_as_of", mapping=before)

    first, second = ([one["product_id"] for one in answer["items"]][:2] for answer in answers)
    assert (first, second) == (["carpet", "cushion"], ["cushion", "carpet"])
    carpet = answers[1]["items"][1]
    assert carpet["sources"] == {"trained_neighbours": 1.0}
    assert carpet["score"] == pytest.approx(100**-0.5, abs=1e-4)
    assert carpet["reason"]["product_id"] == "sofa"


def test_two_rows_of_a_page_do_not_show_the_same_product(
    shop: Settings, redis: "Redis[bytes]", ask: Callable[..., dict[str, Any]]
) -> None:
    publish(redis, new_version(), {SOFA: {CARPET: 1.0}})
    beside = httpx.get(f"{shop.serving}/v1/products/sofa/similar?n=2", trust_env=False).json()
    shown = [one["product_id"] for one in beside["items"]]

    row = ask(context="product", product_id="sofa", exclude=",".join(shown))

    assert len(shown) == 2
    assert not set(shown) & {one["product_id"] for one in row["items"]}
