"""Experiments through the API: definitions, results, the uplift of a seller, and the log of answers."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import orjson
import pytest

from clickhouse.client import connect
from common.configuration.definitions import EXPERIMENTS, HOLDOUT_SHARE
from common.configuration.values import SettingValue
from common.settings import Settings
from schemas.configuration.saved_values import SavedValues
from schemas.published_model.weights import BLENDED, DEFAULT_WEIGHTS
from tests.integration.serving.conftest import running_serving
from tests.integration.serving.shop_audit import restored
from tests.principals import bearer

START = datetime.now(UTC) - timedelta(days=2)
INSERT = {"input_format_skip_unknown_fields": 1, "date_time_input_format": "best_effort"}
RATES = {"live": 0.3, "popular": 0.1, "blend": 0.45}
"""Arm → the share of its visitors who buy. Everybody sees one list in one session."""

HTML = {"Accept": "text/html"}
VISITORS = 900
DEFINITION = {
    "name": "uplift_test",
    "surface": "home",
    "salt": "1",
    "start": START.isoformat(),
    "stop": None,
    "arms": [{"name": arm, "strategy": arm, "share": 0.3} for arm in RATES],
    "guardrails": [{"metric": "conversion", "max_loss": 0.1}],
}


def events() -> dict[str, list[dict[str, Any]]]:
    """Return the events of visitors of each arm and of the hold-out, in equal numbers."""
    draw, made = random.Random(5), dict[str, list[dict[str, Any]]]()

    def emit(table: str, at: datetime, **fields: Any) -> None:
        rows = made.setdefault(table, [])
        moment = at.isoformat(timespec="milliseconds")
        rows.append({"event_id": f"uplift-{table}-{len(rows)}", "occurred_at": moment, **fields})

    for arm in (*RATES, "holdout"):
        for number in range(VISITORS):
            visitor, at = f"uplift-{arm}-{number}", START + timedelta(minutes=number)
            experiment = "holdout" if arm == "holdout" else "uplift_test"
            strategy = "popular" if arm == "holdout" else arm
            visit = {
                "recommendation_id": visitor,
                "session_id": visitor,
                "shopper_id": None,
                "surface": "home",
            }
            item = {
                "position": 1, "product_id": "lamp", "seller_id": "ana", "score": 0.5,
                "source": "popular_products", "propensity": 1.0, "similar_content": 0.25,
            }  # fmt: skip
            emit(
                "recommendation_answered", at, recommendation_id=visitor, visitor_id=visitor, surface="home",
                experiment=experiment, arm=arm, arm_propensity=0.3, strategy=strategy, is_explored=False,
                seeds=[{"product_id": "chair", "weight": 1.0}], items=[item], alternatives=[],
            )  # fmt: skip
            emit("recommendation_shown", at + timedelta(seconds=1), strategy=strategy, items=[], **visit)
            if draw.random() < RATES.get(arm, 0.1):
                line = {
                    "line_number": 1, "product_id": "lamp", "seller_id": "ana", "quantity": 1,
                    "unit_price_minor": 1_000, "discount_minor": 0, "shipping_minor": 0, "tax_minor": 0,
                    "commission_bp": 0,
                }  # fmt: skip
                bought = at + timedelta(minutes=2)
                order = {"order_id": visitor, "shopper_id": visitor, "currency": "BRL", "lines": [line]}
                emit("order_placed", bought, session_id=visitor, **order)
                emit("order_confirmed", bought, placed_at=bought.isoformat(), **order)
    return made


@pytest.fixture(scope="module")
def served(shop: Settings) -> Iterator[Settings]:
    """The API over the shop's stores, with an experiment among its last known settings."""
    values = SavedValues(shop)
    before = values.path.read_bytes() if values.path.exists() else b"{}"
    with restored(shop):
        with connect(shop, admin=True) as client:
            for table, rows in events().items():
                block = b"\n".join(map(orjson.dumps, rows))
                client.raw_insert(table, insert_block=block, fmt="JSONEachRow", settings=INSERT)
        value = EXPERIMENTS.parse(orjson.dumps([DEFINITION]).decode())
        values.save({EXPERIMENTS.name: SettingValue(3, value), HOLDOUT_SHARE.name: SettingValue(2, 0.02)})
        try:
            with running_serving(shop) as served:
                yield served
        finally:
            values.path.write_bytes(before)


@pytest.fixture(scope="module")
def client(served: Settings) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=served.serving, trust_env=False, timeout=60, headers=bearer(served)) as client:
        yield client


def get(client: httpx.Client, path: str) -> Any:
    answer = client.get(path)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_the_definitions_are_those_of_the_setting(client: httpx.Client) -> None:
    found = get(client, "/v1/admin/experiments")
    assert (found["version"], found["holdout_share"]) == (3, 0.02)
    (experiment,) = found["experiments"]
    assert (experiment["name"], experiment["state"]) == ("uplift_test", "running")
    assert [arm["name"] for arm in experiment["arms"]] == list(RATES)


def test_a_better_arm_is_found_and_a_worse_one_breaks_the_guardrail(client: httpx.Client) -> None:
    found = get(client, "/v1/admin/experiments/uplift_test")
    control, popular, blend = found["arms"]
    assert [arm["visitors"] for arm in found["arms"]] == [VISITORS] * 3
    assert found["sample_ratio"]["mismatch"] is False
    assert found["warnings"] == []
    conversion = {arm["name"]: arm["metrics"][0] for arm in found["arms"]}
    assert conversion["live"]["metric"] == "conversion"
    assert conversion["live"]["value"] == pytest.approx(RATES["live"], abs=0.05)
    assert conversion["live"]["verdict"] is None
    assert conversion["blend"]["verdict"] == "better"
    assert conversion["blend"]["difference"]["low"] < 0.15 < conversion["blend"]["difference"]["high"]
    one_look = conversion["blend"]["difference_of_one_look"]
    assert one_look["low"] > conversion["blend"]["difference"]["low"]
    assert conversion["popular"]["verdict"] == "worse"
    assert (control["breached"], popular["breached"], blend["breached"]) == (None, "conversion", None)
    revenue = {arm["name"]: arm["metrics"][1] for arm in found["arms"]}
    assert revenue["live"]["value"] == pytest.approx(1_000 * conversion["live"]["value"])


def test_the_hold_out_is_compared_with_everybody_else(client: httpx.Client) -> None:
    found = get(client, "/v1/admin/experiments/holdout")
    held_out, recommended = found["arms"]
    assert (held_out["name"], held_out["visitors"]) == ("holdout", VISITORS)
    assert (recommended["name"], recommended["visitors"]) == ("recommended", 3 * VISITORS)
    assert found["sample_ratio"]["mismatch"] is True, "a fourth of the visitors are held out, not 2 %"
    assert "Do not trust these results" in found["warnings"][0]
    assert recommended["metrics"][0]["verdict"] == "sample_ratio_mismatch"


def test_a_seller_sees_the_revenue_that_recommendations_added(client: httpx.Client) -> None:
    found = get(client, "/v1/sellers/ana/analytics/recommendation_uplift?days=7")
    mean = sum(RATES.values()) / 3
    truth = 3 * VISITORS * (mean - 0.1) * 1_000
    assert found["enough_data"] is True
    assert found["uplift_minor"]["low"] < truth < found["uplift_minor"]["high"]
    assert found["uplift_minor"]["low"] > 0
    assert found["sequence_minor"]["low"] < found["uplift_minor"]["low"]
    assert "moved from one seller to another" in found["bias"]


def test_a_seller_without_sales_has_not_enough_data(client: httpx.Client) -> None:
    found = get(client, "/v1/sellers/new/analytics/recommendation_uplift")
    assert (found["enough_data"], found["uplift_minor"]) == (False, None)


def test_an_answer_says_where_it_came_from(client: httpx.Client) -> None:
    found = get(client, "/v1/admin/recommendations/uplift-live-7")
    assert (found["experiment"], found["arm"], found["strategy"]) == ("uplift_test", "live", "live")
    assert found["seeds"] == [{"product_id": "chair", "weight": 1.0}]
    assert found["items"][0]["source"] == "popular_products"
    assert found["items"][0]["propensity"] == 1.0
    assert {source: found["items"][0][source] for source in BLENDED} == {
        "item_neighbours": None, "trained_neighbours": None, "similar_content": 0.25,
        "popular_in_category": None,
    }  # fmt: skip
    assert (found["answer_ms"], found["passed_over"]) == (None, [])


def test_an_answer_has_the_weights_by_which_it_was_ranked(client: httpx.Client, served: Settings) -> None:
    """The visitors of an arm answered a minute after each other; the second training was in between."""
    learned = [{"item_neighbours": 0.4, "popular_in_category": 0.6, "popularity_discount": 0.5},
               {"trained_neighbours": 1.0}]  # fmt: skip
    cards = [
        (f"v{number}", START + timedelta(minutes=3 * number - 1), orjson.dumps(
            {"blend_weights": {"weights": {"home": weights}, "reasons": {}}}
        ).decode())
        for number, weights in enumerate(learned)
    ]  # fmt: skip
    with connect(served, admin=True) as admin:
        admin.insert("model_cards", cards, column_names=("version", "trained_at", "card"))
        try:
            found = {
                visitor: get(client, f"/v1/admin/recommendations/uplift-{visitor}")["weights"]
                for visitor in ("blend-1", "blend-2", "live-2")
            }
        finally:
            admin.command("TRUNCATE TABLE model_cards")

    assert found == {"blend-1": learned[0], "blend-2": learned[1], "live-2": DEFAULT_WEIGHTS["home"]}


@pytest.mark.parametrize(
    ("path", "status", "kind"),
    [
        ("/v1/admin/experiments/nothing", 404, "unknown-experiment"),
        ("/v1/admin/recommendations/nothing", 404, "unknown-recommendation"),
        ("/v1/sellers/nobody/analytics/recommendation_uplift", 404, "unknown-seller"),
        ("/v1/sellers/ana/analytics/recommendation_uplift?days=3", 422, "bad-parameter"),
    ],
)
def test_what_does_not_exist_is_a_problem_that_says_so(
    client: httpx.Client, path: str, status: int, kind: str
) -> None:
    answer = client.get(path)
    assert (answer.status_code, answer.json()["type"].rpartition(":")[2]) == (status, kind)


def test_the_answer_to_a_visitor_names_the_experiment_and_the_arm(client: httpx.Client) -> None:
    arms: dict[tuple[str | None, str | None], int] = {}
    for number in range(120):
        found = get(client, f"/v1/recommendations/uplift-visitor-{number}")
        key = found["experiment"], found["variant"]
        arms[key] = arms.get(key, 0) + 1
    assert {arm for experiment, arm in arms if experiment == "uplift_test"} == set(RATES)
    assert (None, None) in arms
    elsewhere = get(client, "/v1/recommendations/uplift-visitor-1?context=cart")
    assert elsewhere["experiment"] in (None, "holdout")


def test_the_page_shows_the_verdicts_and_an_interval_for_each_metric(client: httpx.Client) -> None:
    page = client.get("/admin/experiments/uplift_test", headers=HTML).raise_for_status().text
    assert "Better than control" in page
    assert "Worse than control" in page
    assert "Breaks the guardrail: Conversion of sessions" in page
    assert page.count('class="interval"') == 4, "conversion and revenue of two arms; nobody clicked"
    assert "Stop the experiment" in page
    held_out = client.get("/admin/experiments/holdout", headers=HTML).raise_for_status().text
    assert "Do not trust these results" in held_out
    assert "Stop the experiment" not in held_out


@pytest.mark.parametrize(
    ("language", "enough", "too_little"),
    [
        ("en", "Recommendations brought you", "Not enough data yet."),
        ("pt-BR", "As recomendações trouxeram", "Ainda não há dados suficientes."),
    ],
)
def test_the_page_of_a_seller_says_what_recommendations_brought(
    client: httpx.Client, language: str, enough: str, too_little: str
) -> None:
    spoken = HTML | {"Accept-Language": language}
    assert enough in client.get("/sell/ana/recommendations", headers=spoken).raise_for_status().text
    assert too_little in client.get("/sell/new/recommendations", headers=spoken).raise_for_status().text
