"""Trainings of the recommender through the API and on the page: outcomes, cards, the live one, roll-backs."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import numpy as np
import pytest
from redis import Redis

from clickhouse.client import connect
from common.configuration.definitions import EXPERIMENTS
from common.settings import Settings
from producers.services.configuration.endpoints import present_setting
from producers.services.configuration.model import default_version
from recommenders.evaluation.metrics import Metric
from recommenders.interactions import from_columns
from recommenders.models.item_item import ItemItem
from recommenders.models.popularity import Popularity
from recommenders.training.blend_weights import LearnedWeights
from recommenders.training.neighbour_rows import ServedModel
from recommenders.training.publication import Publications
from recommenders.training.run import record
from recommenders.training.train import NO_MODEL_IN_USE, TrainingOptions, TrainingResult, train
from recommenders.training.training_data import TrainingData
from recommenders.training.training_log import TrainingEnd, TrainingLog, TrainingStart
from schemas.published_model.keys import PREVIOUS, STATE, description_key
from schemas.published_model.product_ids import ProductIds
from schemas.published_model.weights import DEFAULT_WEIGHTS, SURFACES
from tests.integration.serving.commerce_stub import CommerceStub
from tests.integration.serving.conftest import put_offers
from tests.integration.serving.test_trained_recommendations import compact
from tests.integration.serving.visits import ADMIN
from tests.principals import bearer

FIRST = datetime(2026, 11, 1, 3, tzinfo=UTC)
REASON = {"reason": "The new one sells less."}
API = "/v1/admin/recommendations/trainings"
WORST_REASON = "<script>alert(1)</script>"
IDS = ("sofa", "cushion", "carpet", "fresh")


@pytest.fixture(scope="module")
def trained() -> TrainingResult:
    """A real training on a small log, for a real card."""
    rng = np.random.default_rng(4)
    log = from_columns(
        rng.integers(0, 30, 600), rng.integers(0, 15, 600), times=np.sort(rng.integers(0, 10 * 86_400, 600))
    )
    options = TrainingOptions(
        {"popularity": Popularity, "item_item": ItemItem}, Metric("ndcg", 5), days=2, budget_s=1, seed=0
    )
    return train(TrainingData(log, None), NO_MODEL_IN_USE, options, lambda: 120.0, lambda *_: None)


@pytest.fixture
def stores(shop: Settings, trained: TrainingResult) -> Iterator["Redis[bytes]"]:
    """Four trainings, one a night: published, published and live, too little, and failed."""
    log = TrainingLog(shop)
    learned = LearnedWeights(dict(DEFAULT_WEIGHTS), dict.fromkeys(SURFACES, "kept: 0 clicks"))
    with connect(shop, admin=True) as admin, Redis.from_url(shop.redis) as redis:
        for product_id in IDS:
            put_offers(redis, product_id, {"seller_id": "ana", "price_minor": 900, "name": product_id})
        for night, version in enumerate(("v1", "v2")):
            at = FIRST + timedelta(days=night)
            trigger, details = (("first", ""), ("drift", "PSI .4"))[night]
            start = TrainingStart(f"training-{night}", at, trigger, details)
            end = TrainingEnd(
                "published", "it was better", at + timedelta(seconds=90), version, "item_item", 600,
                at - timedelta(days=10), at, 480.5,
            )  # fmt: skip
            log.begin(start)
            record(admin, version, at, trained, learned, start, published=True)
            log.end(start, end)
            served = ServedModel("item_item", ProductIds.of(IDS), compact({0: {1: 1.0}}), None)
            Publications(redis).write(served, version, at)
        for night, outcome in ((2, "too_little"), (3, "failed")):
            at = FIRST + timedelta(days=night)
            start = TrainingStart(f"training-{night}", at, "scheduled")
            log.end(start, TrainingEnd(outcome, WORST_REASON, at + timedelta(seconds=5)))
        Publications(redis).switch("v2", "v1")
        yield redis
        redis.delete("recommender", "recommender_publications", *redis.keys("recommender?*"))
        redis.delete(*(f"product:{product_id}" for product_id in IDS))
        for table in ("trainings", "model_cards"):
            admin.command(f"TRUNCATE TABLE {table}")


@pytest.fixture
def http(shop: Settings, stores: "Redis[bytes]") -> Iterator[httpx.Client]:  # noqa: ARG001
    headers = bearer(shop, ADMIN)
    with httpx.Client(base_url=shop.serving, trust_env=False, timeout=60, headers=headers) as client:
        yield client


def get(http: httpx.Client, path: str, **parameters: Any) -> Any:
    answer = http.get(path, params=parameters)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_each_training_says_what_it_learned_from_and_how_good_it_was(http: httpx.Client) -> None:
    found = get(http, API)

    assert found["live"] == {"version": "v2", "previous": "v1", "rolled_back": None}
    assert [one["training_id"] for one in found["trainings"]] == [
        f"training-{night}" for night in (3, 2, 1, 0)
    ]
    failed, _, live, first = found["trainings"]
    assert [one["outcome"] for one in found["trainings"]] == [
        "failed",
        "too_little",
        "published",
        "published",
    ]
    assert [(one["is_live"], one["is_kept"]) for one in (live, first, failed)] == [
        (True, True), (False, True), (False, False),
    ]  # fmt: skip
    assert (live["trigger"], live["trigger_details"], live["duration_s"]) == ("drift", "PSI .4", 90.0)
    assert (live["model"], live["version"], live["events"]) == ("item_item", "v2", 600)
    assert live["peak_memory_mb"] == 480.5
    assert datetime.fromisoformat(live["last_event_at"]) == FIRST + timedelta(days=1)
    (figure,) = live["figures"]
    assert figure["metric"] == "ndcg@5"
    assert figure["value"]["low"] <= figure["value"]["estimate"] <= figure["value"]["high"]
    assert live["compared"], "other models were evaluated beside it"
    assert live["off_policy"] == {"champion": "blend", "places": 0, "strategies": []}
    assert live["blend_weights"]["weights"]["home"] == DEFAULT_WEIGHTS["home"]
    assert live["blend_weights"]["reasons"]["home"] == "kept: 0 clicks"
    assert (failed["figures"], failed["version"], failed["blend_weights"]) == ([], None, None)


def test_the_list_comes_in_pages(http: httpx.Client) -> None:
    first = get(http, API, limit=3)
    second = get(http, API, limit=3, cursor=first["next_cursor"])

    found = [one["training_id"] for page in (first, second) for one in page["trainings"]]
    assert found == [f"training-{night}" for night in (3, 2, 1, 0)]
    assert second["next_cursor"] is None


def test_the_version_of_an_answer_leads_to_its_training_data(http: httpx.Client) -> None:
    (found,) = get(http, API, version="v1")["trainings"]

    assert found["training_id"] == "training-0"
    assert get(http, API, version="v99")["trainings"] == []


def test_a_training_has_its_whole_card(http: httpx.Client, trained: TrainingResult) -> None:
    found = get(http, f"{API}/training-1")

    assert found["card"]["training"]["trigger"] == "drift"
    assert found["card"]["data"]["events"] == trained.card.data.events
    assert len(found["card"]["judged"]) == len(trained.card.judged)
    assert get(http, f"{API}/training-3")["card"] is None


@pytest.mark.parametrize(
    ("path", "status", "kind"),
    [
        (f"{API}/none", 404, "unknown-training"),
        (f"{API}?cursor=none", 422, "bad-cursor"),
        (f"{API}?limit=0", 422, "bad-parameter"),
        (f"{API}?limit=101", 422, "bad-parameter"),
        (f"{API}?limit=3&limit=4", 422, "bad-parameter"),
    ],
)
def test_a_bad_request_gets_a_problem(http: httpx.Client, path: str, status: int, kind: str) -> None:
    answer = http.get(path)

    assert answer.status_code == status
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json()["type"] == f"urn:souk:problem:{kind}"


def model_versions(shop: Settings) -> set[str | None]:
    """The versions that answer a visitor who viewed the sofa, over connections to all processes."""
    return {
        httpx.get(
            f"{shop.serving}/v1/recommendations/ann", headers=bearer(shop), trust_env=False, timeout=30
        ).json()["model_version"]
        for _ in range(6)
    }


def test_a_roll_back_reaches_every_process_within_a_second_and_leads_back_again(
    http: httpx.Client, shop: Settings, stores: "Redis[bytes]"
) -> None:
    stores.zadd("recent:ann", {"sofa": 1_800_000_000})
    try:
        for training, version, previous in (("training-0", "v1", "v2"), ("training-1", "v2", "v1")):
            answer = http.post(f"{API}/{training}/rollback", json=REASON)
            began = time.monotonic()
            assert answer.status_code == 200, answer.text
            live = answer.json()
            assert (live["version"], live["previous"]) == (version, previous)
            assert (live["rolled_back"]["by"], live["rolled_back"]["reason"]) == (
                ADMIN.subject, REASON["reason"],
            )  # fmt: skip
            while model_versions(shop) != {version}:
                assert time.monotonic() - began < 10
            (one,) = get(http, API, version=version)["trainings"]
            assert one["is_live"]
    finally:
        stores.delete("recent:ann")


def test_a_roll_back_to_the_live_model_changes_nothing(http: httpx.Client, stores: "Redis[bytes]") -> None:
    before = stores.hgetall(STATE)

    assert http.post(f"{API}/training-1/rollback", json=REASON).status_code == 200

    assert stores.hgetall(STATE) == before


@pytest.mark.parametrize("training", ["training-0", "training-3"])
def test_a_model_that_is_not_kept_or_not_whole_is_refused(
    http: httpx.Client, stores: "Redis[bytes]", training: str
) -> None:
    stores.delete(description_key("v1"))
    before = stores.hgetall(STATE)

    answer = http.post(f"{API}/{training}/rollback", json=REASON)

    assert (answer.status_code, answer.json()["type"]) == (409, "urn:souk:problem:model-not-kept")
    assert stores.hgetall(STATE) == before


def test_a_model_that_is_neither_live_nor_the_one_before_is_refused(
    http: httpx.Client, stores: "Redis[bytes]"
) -> None:
    stores.hset(STATE, mapping={PREVIOUS: "v0"})

    answer = http.post(f"{API}/training-0/rollback", json=REASON)

    assert (answer.status_code, answer.json()["type"]) == (409, "urn:souk:problem:model-not-kept")


@pytest.mark.parametrize("body", [{}, {"reason": ""}, {"reason": "no"}, {"reason": "why", "other": 1}, []])
def test_a_roll_back_needs_a_reason(http: httpx.Client, body: Any) -> None:
    answer = http.post(f"{API}/training-0/rollback", json=body)

    assert (answer.status_code, answer.json()["type"]) == (422, "urn:souk:problem:bad-body")


def test_the_page_marks_the_live_model_and_shows_every_outcome(http: httpx.Client) -> None:
    page = http.get("/admin/trainings").text

    for text in ("Published", "Too little to learn from", "Failed", "In use", "v2", "Drift of the data"):
        assert text in page
    assert "/admin/trainings/training-1" in page


def test_whoever_defines_an_experiment_sees_how_the_newest_training_judged_the_strategies(
    http: httpx.Client, commerce: CommerceStub
) -> None:
    commerce.answers["/v1/settings"] = [present_setting(EXPERIMENTS, default_version(EXPERIMENTS))]

    page = http.get("/admin/experiments").text

    assert "Judged on random lists" in page
    assert '<a href="/admin/trainings/training-1">' in page


def test_the_page_of_a_training_escapes_reasons_and_offers_a_roll_back_only_where_it_is_possible(
    http: httpx.Client,
) -> None:
    kept, live, failed = (http.get(f"/admin/trainings/training-{night}").text for night in (0, 1, 3))

    assert "/admin/trainings/training-0/rollback" in kept
    assert "/rollback" not in live
    assert "/rollback" not in failed
    assert WORST_REASON not in failed
    assert "ndcg@5" in live
    assert http.get("/admin/trainings/none").status_code == 404


def test_a_roll_back_on_the_page_needs_a_reason_and_is_confirmed(http: httpx.Client) -> None:
    form = {"form": "rollback", "reason": "no"}
    refused = http.post("/admin/trainings/training-0/rollback", data=form)
    assert refused.status_code == 422
    assert "A reason of 3 to 500 characters is needed." in refused.text

    done = http.post("/admin/trainings/training-0/rollback", data=form | REASON)

    assert (done.status_code, done.headers["location"]) == (303, "/admin/trainings?done=rolled_back")
    page = http.get(done.headers["location"]).text
    assert "The model is rolled back." in page
    assert REASON["reason"] in page


def test_without_a_training_the_page_says_when_the_first_one_begins(
    http: httpx.Client, shop: Settings, stores: "Redis[bytes]"
) -> None:
    stores.delete(STATE)
    with connect(shop, admin=True) as admin:
        admin.command("TRUNCATE TABLE trainings")

    page = http.get("/admin/trainings").text

    assert "There was no training yet." in page
    assert "There is no model yet." in page
    assert get(http, API)["trainings"] == []
