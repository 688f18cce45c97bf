"""Measures recommendations: how soon they follow what happens, what an answer costs, what Redis holds."""

import asyncio
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from random import Random
from uuid import uuid4

import numpy as np
from redis import Redis
from rich.console import Console

from bench.durations import Quantiles
from bench.http_load import Load, LoadRequest, LoadResult
from bench.recommendations import answer_cost, new_listings, redis_footprint, selling_out
from bench.recommendations.answer_cost import AnswerCost
from bench.recommendations.selling_out import SellingOutResult
from bench.recommendations.shop_client import ShopClient, await_true, timed, visitors
from bench.recommendations.small_shop import CATEGORIES, PRODUCTS, Record, RecordProducer, product, send_shop
from bench.tables import print_notes, print_table
from bench.temporary_platform import TemporaryPlatform, temporary_platform
from common.clock import Clock, system_clock
from common.configuration.definitions import EXPLORATION_SHARE, HOLDOUT_SHARE
from common.errors import SoukError
from common.principal_token import PlatformToken
from common.settings import Settings
from local.commerce_request import commerce_request
from recommenders.interactions import from_columns
from recommenders.models.item_item import ItemItem
from recommenders.training.neighbour_rows import ServedModel
from recommenders.training.publication import Publications, store_weights
from schemas.published_model.weights import DEFAULT_WEIGHTS, DISCOUNT, MAX_DISCOUNT
from schemas.setup import register

MODEL_VERSION = "bench"
FIRST_STOCK = 1_000
VISITORS = 500
"""The number of visitors with a history who are answered in turn."""

CONNECTIONS = 8
"""Enough to saturate the API, and so few that it sheds no load."""

HALF = 0.5

CHANGED_P99_MS = 500.0
"""A view must change the next answer within this time (p99)."""


@dataclass(frozen=True)
class RecommendationsBenchPlan:
    """How much to measure.

    `shoppers` view a product; `tries` products of lists sell out; `listings` new products are listed; single
    `answers` are timed; `load_s` are the seconds of saturation and of half of it; in-process costs are
    measured in `rounds`.
    """

    shoppers: int
    tries: int
    listings: int
    answers: int
    load_s: float
    rounds: int


@dataclass(frozen=True)
class LoadFigures:
    """The API under load: answers a second at saturation, the CPU of one, and the times at half of that rate.

    The CPU is that of all processes of the API and of Redis, in microseconds, at saturation.
    """

    rate: float
    api_us: float
    redis_us: float
    at_half: Quantiles


@dataclass(frozen=True)
class RecommendationsBenchResult:
    """`changed`: from the 202 of a view to the first different answer. `answered`, `rows`: single answers.

    `listed` has the times from new listings to the first list that shows them, `unlisted` the number of those
    in no list within a minute. `memory` has the bytes that a product or shopper takes in Redis. `cpu_load` is
    the load average of the machine at the beginning and the end.
    """

    changed: Quantiles
    listed: Quantiles | None
    unlisted: int
    selling_out: SellingOutResult
    answered: Quantiles
    rows: Quantiles
    load: dict[str, LoadFigures]
    costs: dict[str, AnswerCost]
    memory: dict[str, float]
    cpu_load: tuple[float, float]

    @property
    def missed(self) -> list[str]:
        """The goals that were missed."""
        goals = {
            f"a view changes the next answer within {CHANGED_P99_MS:g} ms (p99)": (
                self.changed.p99_ms <= CHANGED_P99_MS
            ),
            f"new listings are shown within {new_listings.LIMIT_S:g} s": self.unlisted == 0,
            f"nothing is shown {selling_out.GRACE_S:g} s after it sold out": self.selling_out.shown == 0,
        }
        return [goal for goal, reached in goals.items() if not reached]


def run(
    settings: Settings, plan: RecommendationsBenchPlan, port_offset: int, console: Console
) -> RecommendationsBenchResult:
    """Measure on a temporary platform, which trains no model of its own.

    Raises:
        SoukError: the platform does not start, or the jobs do not process the shop's events.
    """
    with temporary_platform(settings, port_offset, console) as platform:
        for setting in (HOLDOUT_SHARE, EXPLORATION_SHARE):  # a random list would count as a changed one
            body = {"value": 0, "reason": "every visitor gets the strategy that is measured"}
            commerce_request(platform.settings, "PUT", f"/v1/settings/{setting.name}", body)
        return measure(platform, plan, console)


def measure(
    platform: TemporaryPlatform,
    plan: RecommendationsBenchPlan,
    console: Console,
    clock: Clock = system_clock,
) -> RecommendationsBenchResult:
    """Send the products and visits of a small shop to a running platform, and measure there."""
    settings = platform.settings
    load_before = os.getloadavg()[0]
    producer = RecordProducer(settings.kafka, register(settings).schema_ids)
    sent = send_shop(producer, clock())
    with ShopClient(settings) as client:
        console.print("waiting for the shop")
        products = [product(number) for number in range(PRODUCTS)]
        await_true(lambda: client.set_stock(FIRST_STOCK, products), "the stock", 0.5)
        await_true(lambda: all(map(client.has_similar, products)), "the shop")
        console.print("training a model on its visits")
        _publish_model(settings, [record for name, record in sent if name == "product_viewed"], clock())
        await_true(lambda: client.model_version("bench-visit-1") == MODEL_VERSION, "the model")
        every = visitors(VISITORS, VISITORS)
        if rowless := [each for each in every if not client.rows(each)]:
            raise SoukError(f"{len(rowless)} visitors with a history have no titled rows")

        console.print(f"{plan.shoppers} shoppers view a product")
        changed = [_seconds_to_change(client, number) for number in range(plan.shoppers)]
        console.print(f"{plan.answers} answers, and as many home pages")
        answered = [timed(lambda each=each: client.items(each)) for each in visitors(plan.answers, VISITORS)]  # type: ignore[misc]
        rows = [timed(lambda each=each: client.rows(each)) for each in visitors(plan.answers, VISITORS)]  # type: ignore[misc]
        console.print(f"saturation, then half of it, {plan.load_s:g} s each")
        load = {
            "a list": _under_load(platform, plan.load_s, "/v1/recommendations/{}"),
            "the rows of a home page": _under_load(
                platform, plan.load_s, "/v1/recommendations/{}/rows?page=home"
            ),
        }
        console.print("answers and their Redis reads in one process")
        costs = answer_cost.measure(settings, every, plan.rounds)
        console.print(f"{plan.tries} products of lists sell out")
        sold_out = selling_out.measure(settings, client, plan.tries, console)
        console.print(f"{plan.listings} new products are listed")
        listed, unlisted = new_listings.measure(client, producer, plan.listings, clock, console)
        memory = redis_footprint.measure(settings)
    return RecommendationsBenchResult(
        Quantiles.of(changed),
        Quantiles.of(listed) if listed else None,
        unlisted,
        sold_out,
        Quantiles.of(answered),
        Quantiles.of(rows),
        load,
        costs,
        memory,
        (round(load_before, 1), round(os.getloadavg()[0], 1)),
    )


def _publish_model(settings: Settings, views: Sequence[Record], trained_at: datetime) -> None:
    """Publish a model and a discount of popularity: answers then cost what they cost after some nights."""
    log = from_columns(
        [view["session_id"] for view in views],
        [view["product_id"] for view in views],
        times=np.array([view["occurred_at"].timestamp() for view in views]),
    )
    with Redis.from_url(settings.redis) as redis:
        publications = Publications(redis)
        publications.write(ServedModel.of(ItemItem().fit(log)), MODEL_VERSION, trained_at)
        publications.switch(MODEL_VERSION, None)
        store_weights(
            redis, {surface: {**each, DISCOUNT: MAX_DISCOUNT} for surface, each in DEFAULT_WEIGHTS.items()}
        )


def _seconds_to_change(client: ShopClient, number: int) -> float:
    """Return the seconds from the 202 of a shopper's second view to the first answer that differs."""
    shopper = f"bench-shopper-{uuid4().hex[:12]}"
    first = product(number % PRODUCTS)
    client.view(shopper, first)
    await_true(lambda: _reasons(client, shopper) == {first}, "a first view")
    before = client.ids(shopper)
    client.view(shopper, product((number + CATEGORIES // 2) % PRODUCTS))
    accepted = time.perf_counter()
    await_true(lambda: client.ids(shopper) != before, "another answer")
    return time.perf_counter() - accepted


def _reasons(client: ShopClient, visitor: str) -> set[str]:
    """Return the products from which a list follows. Drawn products follow from none."""
    reasons = (item["reason"] for item in client.items(visitor))
    return {reason["product_id"] for reason in reasons if reason["kind"] != "discovery"}


def _under_load(platform: TemporaryPlatform, seconds: float, path: str) -> LoadFigures:
    url = platform.settings.serving

    def requests() -> list[LoadRequest]:
        token = tuple(PlatformToken(platform.settings, "bench").headers().items())  # it ends after a minute
        return [LoadRequest("GET", path.format(each), token) for each in visitors(VISITORS, VISITORS)]

    before = platform.cpu_s()
    saturated = _successful(asyncio.run(Load(url, CONNECTIONS).saturate(requests(), seconds)))
    used = platform.cpu_s()
    half = Load(url, CONNECTIONS).paced(requests(), saturated.rate * HALF, seconds, Random(1))
    at_half = _successful(asyncio.run(half))
    api_us, redis_us = ((used[part] - before[part]) / len(saturated.seconds) * 1e6
                        for part in ("serving", "redis"))  # fmt: skip
    return LoadFigures(
        round(saturated.rate, 1), round(api_us, 1), round(redis_us, 1), Quantiles.of(at_half.seconds)
    )


def _successful(result: LoadResult) -> LoadResult:
    if result.failed:
        raise SoukError(f"some answers had an unexpected status: {result.failed}")
    return result


def show(result: RecommendationsBenchResult, console: Console) -> None:
    """Print the result."""
    shown = {
        "view → other answer": result.changed,
        "new listing → in a list": result.listed,
        "order accepted → out of a list": result.selling_out.gone,
        "one answer": result.answered,
        "the rows of a home page": result.rows,
        **{f"{name}, at half of saturation": each.at_half for name, each in result.load.items()},
    }
    print_table(
        console,
        ("", "count", "p50", "p99", "max"),
        (
            (
                name,
                f"{each.count:,}",
                f"{each.p50_ms:,.1f} ms",
                f"{each.p99_ms:,.1f} ms",
                f"{each.max_ms:,.1f} ms",
            )
            for name, each in shown.items()
            if each
        ),
        title="Recommendations",
    )
    print_table(
        console,
        ("", "answers/s", "API", "Redis"),
        (
            (name, f"{each.rate:,.0f}", f"{each.api_us:,.0f}", f"{each.redis_us:,.0f}")
            for name, each in result.load.items()
        ),
        title="CPU of an answer at saturation, µs",
    )
    print_table(
        console,
        ("", "process", "Redis", "p50", "p99", "round trips", "commands"),
        (
            (
                name,
                f"{cost.cpu_us:,.0f}",
                f"{cost.redis_us:,.0f}",
                f"{cost.times.p50_ms:g} ms",
                f"{cost.times.p99_ms:g} ms",
                *((f"{cost.round_trips:g}", f"{cost.commands:g}") if cost.commands else ("", "")),
            )
            for name, cost in result.costs.items()
        ),
        title="In one process, µs of CPU",
    )
    print_table(
        console,
        ("", "bytes"),
        ((name, f"{size:,.0f}") for name, size in result.memory.items()),
        title="Redis, ids of 36 characters",
    )
    sold = result.selling_out
    print_notes(
        console,
        (
            f"shown {selling_out.GRACE_S:g} s after selling out: {sold.shown} of {sold.tries:,}",
            f"new listings in no list within {new_listings.LIMIT_S:g} s: {result.unlisted}",
            f"load of the machine: {result.cpu_load[0]} at the beginning, {result.cpu_load[1]} at the end",
            f"missed: {'; '.join(result.missed)}" if result.missed else "every goal was reached",
        ),
    )
