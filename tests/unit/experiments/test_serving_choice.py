"""What serving makes of the definitions: strategies of visitors, random lists, and the log."""

import asyncio
from collections import Counter
from datetime import UTC, datetime
from random import Random
from typing import Any

import orjson
import pytest

from common.configuration.definitions import EXPERIMENTS, EXPLORATION_SHARE, HOLDOUT_SHARE
from common.configuration.setting import InvalidValue
from common.configuration.values import SettingValue, SettingValues
from common.experiments.assignment import HOLDOUT, Assignment
from common.metrics import ANSWERS_LOGGED
from common.settings import Settings
from schemas.codec import Decoder, Encoder
from schemas.events import all_events
from schemas.published_model.weights import BLENDED
from serving.kit.event_producer import EventProducer
from serving.recommendations.answer_log import EVENT, Answer, AnswerLog, message_of, record_of
from serving.recommendations.ranker import explored
from serving.recommendations.scoring import Seed
from serving.recommendations.strategies import StrategyChoice
from tests.unit.experiments.test_definitions import definition

NOW = datetime(2026, 12, 2, tzinfo=UTC)
VISITORS = [f"visitor-{number}" for number in range(2_000)]


def choice(holdout: float = 0.0, exploration: float = 0.0, *definitions: Any) -> StrategyChoice:
    values = SettingValues()
    text = EXPERIMENTS.parse(orjson.dumps(definitions).decode())
    values.update(
        {
            EXPERIMENTS.name: SettingValue(1, text),
            HOLDOUT_SHARE.name: SettingValue(1, holdout),
            EXPLORATION_SHARE.name: SettingValue(1, exploration),
        }
    )
    return StrategyChoice(values, lambda: NOW, Random(1))


def item(product_id: str, **sources: float) -> Any:
    seller_id, reason = f"seller of {product_id}", {"kind": "popular"}
    return {
        "product_id": product_id,
        "seller_id": seller_id,
        "score": 0.5,
        "sources": sources,
        "sponsored": False,
        "reason": reason,
    }


def test_the_setting_refuses_a_bad_definition_and_says_why() -> None:
    bad = definition(arms=[{"name": "live", "strategy": "live", "share": 1.2}])
    with pytest.raises(InvalidValue, match=r"share must be a number from 0\.001 to 1"):
        EXPERIMENTS.parse(orjson.dumps([bad]).decode())
    with pytest.raises(InvalidValue, match="takes a list of experiments"):
        EXPERIMENTS.parse("[" + " " * 10_000 + "]")


def test_the_setting_writes_a_definition_always_the_same_way() -> None:
    written = EXPERIMENTS.parse(orjson.dumps([definition()], option=orjson.OPT_INDENT_2).decode())
    assert EXPERIMENTS.parse(written) == written
    assert "\n" not in written


def test_visitors_get_the_strategies_of_their_arms() -> None:
    assigned = choice(0.02, 0.0, definition())
    arms = Counter(assigned.strategy_for(visitor, "home").arm for visitor in VISITORS)
    assert set(arms) == {"live", "blend", "holdout"}
    assert arms["live"] / 2_000 == pytest.approx(0.49, abs=0.04)
    elsewhere = Counter(assigned.strategy_for(visitor, "cart").arm for visitor in VISITORS)
    assert set(elsewhere) == {None, "holdout"}


def test_the_share_of_random_lists_is_that_of_the_setting() -> None:
    exploring, assigned = choice(0.0, 0.1), choice().strategy_for("ann", "home")
    assert sum(exploring.explores(assigned) for _ in range(10_000)) / 10_000 == pytest.approx(0.1, abs=0.01)
    assert not any(choice().explores(assigned) for _ in range(1_000))


def test_the_hold_out_gets_no_random_list() -> None:
    exploring = choice(0.2, 0.2)
    assigned = [exploring.strategy_for(visitor, "home") for visitor in VISITORS]
    held_out = [each for each in assigned if each.experiment == HOLDOUT]
    assert len(held_out) > 300
    assert not any(exploring.explores(each) for each in held_out)


def test_every_product_of_every_list_has_the_logged_chance_at_every_place() -> None:
    lists = {"live": [item(name) for name in "abcd"], "popular": [item(name) for name in "cxyz"]}
    drawing = choice()
    places: Counter[tuple[int, str]] = Counter()
    for _ in range(7_000):
        items, propensity = explored(lists.values(), 4, drawing.shuffled)
        assert propensity == 1 / 7
        assert len(items) == 4
        places.update((place, one["product_id"]) for place, one in enumerate(items))
    assert len(places) == 4 * 7
    assert min(places.values()) > 850
    assert max(places.values()) < 1_150


def test_nothing_to_explore_is_an_empty_list() -> None:
    assert explored([[], []], 4, choice().shuffled) == ([], 1.0)


def answer(**changes: Any) -> Answer:
    fields: dict[str, Any] = {
        "recommendation_id": "0193a2c4-b12e-7c14-b122-cd0130d40d10",
        "answered_at": NOW,
        "visitor_id": "ann",
        "surface": "home",
        "anchor_product_id": None,
        "assignment": Assignment("blend_home", "blend", "blend", 0.49),
        "strategy": "live",
        "model_version": None,
        "seeds": [Seed("sofa", 1.0)],
        "items": [
            item("lamp", item_neighbours=1.0, similar_content=0.5),
            item("desk", popular_in_category=0.2),
        ],
        "propensities": [0.25, 0.5],
        "alternatives": {"live": ["lamp", "desk"], "popular": ["desk"]},
        "answer_ms": 4.2504,
        "parts": [
            {"source": "item_neighbours", "answered": True, "reason": None},
            {"source": "trained_neighbours", "answered": False, "reason": "no_model"},
        ],
    }
    return Answer(**(fields | changes))


def test_the_event_has_everything_that_the_answer_came_from() -> None:
    event = all_events()[EVENT]
    sent = Encoder(event, 1).encode(record_of(answer()))
    record = Decoder(lambda _: event.parsed).decode(sent)
    assert record["event_id"] == record["recommendation_id"]
    assert (record["experiment"], record["arm"], record["arm_propensity"]) == ("blend_home", "blend", 0.49)
    assert record["is_explored"] is True
    assert record["seeds"] == [{"product_id": "sofa", "weight": 1.0}]
    assert [(one["position"], one["product_id"], one["source"]) for one in record["items"]] == [
        (1, "lamp", "item_neighbours+similar_content"),
        (2, "desk", "popular_in_category"),
    ]
    assert [one["propensity"] for one in record["items"]] == [0.25, 0.5]
    scores = [{source: one[source] for source in BLENDED} for one in record["items"]]
    assert scores == [
        dict.fromkeys(BLENDED) | {"item_neighbours": 1.0, "similar_content": 0.5},
        dict.fromkeys(BLENDED) | {"popular_in_category": 0.2},
    ]
    assert record["alternatives"][2] == {"strategy": "popular", "position": 1, "product_id": "desk"}
    assert record["answer_ms"] == 4.25
    assert record["passed_over"] == [{"source": "trained_neighbours", "reason": "no_model"}]
    assert record_of(answer(alternatives={}))["is_explored"] is False


def test_a_sponsored_place_is_logged_as_one_whoever_else_proposed_the_product() -> None:
    paid = item("lamp", item_neighbours=0.5) | {"sponsored": True, "reason": {"kind": "sponsored"}}
    [logged] = record_of(answer(items=[paid], propensities=[1.0]))["items"]
    assert (logged["source"], logged["item_neighbours"]) == ("sponsored", 0.5)


def dropped() -> float:
    value: float = ANSWERS_LOGGED.labels("dropped")._value.get()
    return value


def test_an_answer_that_does_not_fit_the_event_is_dropped_alone() -> None:
    before, encoder = dropped(), Encoder(all_events()[EVENT], 1)

    assert message_of(answer(surface=7), encoder) is None
    assert message_of(answer(), encoder) is not None
    assert dropped() - before == 1


def test_without_kafka_answers_are_dropped_and_counted_and_nobody_waits() -> None:
    async def fill() -> float:
        settings = Settings(registry_url="http://127.0.0.1:9", kafka_bootstrap="127.0.0.1:9")
        log = AnswerLog(settings, EventProducer(settings.kafka), queue_length=10)
        before = dropped()
        started = asyncio.get_running_loop().time()
        for _ in range(15):
            log.put(answer())
        assert asyncio.get_running_loop().time() - started < 0.1
        assert dropped() - before == 5, "the queue has room for ten"
        log.start()
        while dropped() - before < 15:
            await asyncio.sleep(0.01)
        await log.aclose()
        return dropped() - before

    assert asyncio.run(asyncio.wait_for(fill(), 30)) == 15
