"""Measures how soon a view changes recommendations, how soon sold-out products vanish, and response times."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any
from uuid import uuid4

import httpx
import numpy as np
from redis import Redis
from rich.console import Console
from rich.table import Table

from bench.small_shop import CATEGORIES, PRODUCTS, Record, RecordProducer, events, product, stock
from bench.temporary_platform import temporary_platform
from common.clock import Clock, system_clock
from common.configuration.definitions import EXPLORATION_SHARE, HOLDOUT_SHARE
from common.errors import SoukError
from common.principal_token import PlatformToken
from common.settings import Settings
from jobs.recommenders.interactions import from_columns
from jobs.recommenders.models.item_item import ItemItem
from jobs.training.neighbour_rows import ServedModel
from jobs.training.publication import Publications
from local.commerce_request import commerce_request
from schemas.setup import register

SOLD_OUT_GRACE_S = 1.0
"""A product that sold out longer ago must not be recommended."""

PARALLEL_VISITORS = 50
"""Number of visitors whose first recommendation sells out at the same time."""

MODEL_VERSION = "bench"

_TIMEOUT_S = 120.0


@dataclass(frozen=True)
class RecommendationsBenchPlan:
    """How many shoppers view a product, how many products sell out, and how many requests are timed."""

    shoppers: int
    tries: int
    answers: int


@dataclass(frozen=True)
class Quantiles:
    """Quantiles of durations in milliseconds."""

    count: int
    p50_ms: float
    p95_ms: float
    p99_ms: float
    max_ms: float

    @classmethod
    def of(cls, seconds: list[float]) -> "Quantiles":
        """Return the quantiles of durations in seconds."""
        quantiles = np.percentile(np.array(seconds) * 1000, [50, 95, 99, 100])
        return cls(len(seconds), *(round(float(value), 1) for value in quantiles))


@dataclass(frozen=True)
class RecommendationsBenchResult:
    """`changed`: from the 202 of a view to the first different answer. `answered`: single answers.

    `shown_sold_out` counts products that were shown longer than `SOLD_OUT_GRACE_S` after they sold out.
    """

    changed: Quantiles
    answered: Quantiles
    tries: int
    shown_sold_out: int


def run(
    settings: Settings, plan: RecommendationsBenchPlan, port_offset: int, console: Console
) -> RecommendationsBenchResult:
    """Measure on a temporary platform.

    Raises:
        SoukError: the platform does not start, or the jobs do not process the shop's events.
    """
    with temporary_platform(settings, port_offset, console) as platform:
        for setting in (HOLDOUT_SHARE, EXPLORATION_SHARE):  # a random list would count as a changed one
            body = {"value": 0, "reason": "every visitor gets the strategy that is measured"}
            commerce_request(platform.settings, "PUT", f"/v1/settings/{setting.name}", body)
        return measure(platform.settings, plan, console)


def show(result: RecommendationsBenchResult, console: Console) -> None:
    """Print the result."""
    table = Table("", "count", "p50", "p99", "max", title="Recommendations")
    for name, each in (("view → other answer", result.changed), ("one answer", result.answered)):
        times = (f"{value:,.0f} ms" for value in (each.p50_ms, each.p99_ms, each.max_ms))
        table.add_row(name, f"{each.count:,}", *times)
    table.caption = (
        f"shown {SOLD_OUT_GRACE_S:g} s after selling out: {result.shown_sold_out} of {result.tries:,}"
    )
    console.print(table)


def measure(
    settings: Settings, plan: RecommendationsBenchPlan, console: Console, clock: Clock = system_clock
) -> RecommendationsBenchResult:
    """Send the products and visits of a small shop to a running platform, and measure there."""
    producer = RecordProducer(settings.kafka, register(settings).schema_ids)
    sent = list(events(clock()))
    for name, record in sent:
        producer.send(name, record)
    producer.flush()
    with httpx.Client(
        base_url=settings.serving, trust_env=False, timeout=30, auth=PlatformToken(settings, "bench")
    ) as api:
        console.print("waiting for the shop")
        _await(lambda: all(_has_similar(api, number) for number in range(PRODUCTS)), "the shop")
        console.print("training a model on its visits")
        _publish_model(settings, [record for name, record in sent if name == "product_viewed"], clock())
        _await(lambda: _model_version(api) == MODEL_VERSION, "the model")

        console.print(f"{plan.shoppers} shoppers view a product")
        changed = [_seconds_to_change(api, number) for number in range(plan.shoppers)]
        console.print(f"{plan.answers} answers")
        answered = [_timed(api, f"bench-visit-{number % 500}") for number in range(plan.answers)]
        console.print(f"{plan.tries} products sell out")
        shown = _sell_out(api, producer, plan.tries, clock)
    return RecommendationsBenchResult(Quantiles.of(changed), Quantiles.of(answered), plan.tries, shown)


def _publish_model(settings: Settings, views: list[Record], trained_at: datetime) -> None:
    log = from_columns(
        [view["session_id"] for view in views],
        [view["product_id"] for view in views],
        times=np.array([view["occurred_at"].timestamp() for view in views]),
    )
    with Redis.from_url(settings.redis) as redis:
        publications = Publications(redis)
        publications.write(ServedModel.of(ItemItem().fit(log)), MODEL_VERSION, trained_at)
        publications.switch(MODEL_VERSION, None)


def _model_version(api: httpx.Client) -> str | None:
    answer = api.get("/v1/recommendations/bench-visit-1?n=50")
    version: str | None = answer.raise_for_status().json()["model_version"]
    return version


def _seconds_to_change(api: httpx.Client, number: int) -> float:
    """Return the seconds from the 202 of a shopper's second view to the first answer that differs."""
    shopper = f"bench-shopper-{uuid4().hex[:12]}"
    _view(api, shopper, product(number % PRODUCTS))
    _await(lambda: _reasons(api, shopper) == {product(number % PRODUCTS)}, "a first view")
    before = _recommended_ids(api, shopper)
    _view(api, shopper, product((number + CATEGORIES // 2) % PRODUCTS))
    accepted = time.perf_counter()
    _await(lambda: _recommended_ids(api, shopper) != before, "another answer")
    return time.perf_counter() - accepted


def _timed(api: httpx.Client, visitor: str) -> float:
    begun = time.perf_counter()
    _recommendations(api, visitor)
    return time.perf_counter() - begun


def _sell_out(api: httpx.Client, producer: RecordProducer, tries: int, clock: Clock) -> int:
    """Return how many products were still shown a second after their stock reached zero in Kafka."""
    shown, done, version = 0, 0, 1
    visitors = [f"bench-keeper-{uuid4().hex[:8]}-{number}" for number in range(min(PARALLEL_VISITORS, tries))]
    for number, visitor in enumerate(visitors):
        _view(api, visitor, product(number))
    _await(lambda: all(_recommended_ids(api, visitor) for visitor in visitors), "answers to all")
    while done < tries:
        best = {visitor: _recommended_ids(api, visitor)[0] for visitor in visitors[: tries - done]}
        version += 1
        _set_stock(producer, set(best.values()), 0, version, clock())
        time.sleep(SOLD_OUT_GRACE_S)
        shown += sum(sold_out in _recommended_ids(api, visitor) for visitor, sold_out in best.items())
        done += len(best)
        version += 1
        _set_stock(producer, set(best.values()), 100, version, clock())
        _await(partial(_all_recommended, api, best), "products to come back")
    return shown


def _set_stock(
    producer: RecordProducer, products: set[str], on_hand: int, version: int, moment: datetime
) -> None:
    for product_id in products:
        producer.send("stock_changed", stock(product_id, on_hand, version, moment))
    producer.flush()


def _view(api: httpx.Client, shopper: str, product_id: str) -> None:
    viewed = {"event": "product_viewed", "session_id": f"{shopper}-session", "shopper_id": shopper}
    answer = api.post("/v1/events", json={"events": [{**viewed, "product_id": product_id}]})
    if answer.status_code != 202 or answer.json()["accepted"] != 1:
        raise SoukError(f"a view was not accepted: {answer.text}")


def _recommendations(api: httpx.Client, visitor: str) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = api.get(f"/v1/recommendations/{visitor}").raise_for_status().json()["items"]
    return items


def _recommended_ids(api: httpx.Client, visitor: str) -> list[str]:
    return [item["product_id"] for item in _recommendations(api, visitor)]


def _all_recommended(api: httpx.Client, by_visitor: dict[str, str]) -> bool:
    return all(product_id in _recommended_ids(api, visitor) for visitor, product_id in by_visitor.items())


def _reasons(api: httpx.Client, visitor: str) -> set[str]:
    return {item["reason"]["product_id"] for item in _recommendations(api, visitor)}


def _has_similar(api: httpx.Client, number: int) -> bool:
    answer = api.get(f"/v1/products/{product(number)}/similar")
    return answer.is_success and any(i["reason"]["kind"] == "similar" for i in answer.json()["items"])


def _await(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + _TIMEOUT_S
    while not condition():
        if time.monotonic() > deadline:
            raise SoukError(f"{what} did not arrive within {_TIMEOUT_S:.0f} s")
        time.sleep(0.002)
