"""How soon a view changes the next answer, how soon what is sold out is gone, how fast answers come."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any
from uuid import uuid4

import httpx
import numpy as np
from rich.console import Console
from rich.table import Table

from bench.copy import copy_of
from bench.small_shop import CATEGORIES, PRODUCTS, Feed, events, product, stock
from common.clock import Clock, system_clock
from common.errors import SoukError
from common.settings import Settings
from schemas.setup import register

GONE_AFTER_S = 1.0
"""What is sold out must not be shown from then on."""

AT_ONCE = 50
"""Products that are sold out at the same time."""

_PATIENCE_S = 120.0


@dataclass(frozen=True)
class Plan:
    """What to run: shoppers who view a product, products that sell out, answers that are timed."""

    shoppers: int
    tries: int
    answers: int


@dataclass(frozen=True)
class Quantiles:
    """Milliseconds."""

    count: int
    p50_ms: float
    p95_ms: float
    p99_ms: float
    max_ms: float

    @classmethod
    def of(cls, seconds: list[float]) -> "Quantiles":
        """Those of a list of durations."""
        found = np.percentile(np.array(seconds) * 1000, [50, 95, 99, 100])
        return cls(len(seconds), *(round(float(value), 1) for value in found))


@dataclass(frozen=True)
class Measured:
    """From the 202 of a view to the first other answer; answers; products shown though long sold out."""

    changed: Quantiles
    answered: Quantiles
    tries: int
    shown_sold_out: int


def run(settings: Settings, plan: Plan, port_offset: int, console: Console) -> Measured:
    """Measure on a copy of the platform of its own.

    Raises:
        SoukError: the copy does not start, or the jobs do not take in the shop.
    """
    with copy_of(settings, port_offset, console) as copy:
        return measure(copy.settings, plan, console)


def show(measured: Measured, console: Console) -> None:
    """Print what was measured."""
    table = Table("", "count", "p50", "p99", "most", title="Recommendations")
    for name, each in (("view → other answer", measured.changed), ("one answer", measured.answered)):
        times = (f"{value:,.0f} ms" for value in (each.p50_ms, each.p99_ms, each.max_ms))
        table.add_row(name, f"{each.count:,}", *times)
    table.caption = (
        f"shown {GONE_AFTER_S:g} s after selling out: {measured.shown_sold_out} of {measured.tries:,}"
    )
    console.print(table)


def measure(settings: Settings, plan: Plan, console: Console, clock: Clock = system_clock) -> Measured:
    """Measure on a running platform, which gets the products and visits of a small shop of its own."""
    feed = Feed(settings.kafka, register(settings).schema_ids)
    for name, record in events(clock()):
        feed.send(name, record)
    feed.flush()
    with httpx.Client(base_url=settings.serving, trust_env=False, timeout=30) as api:
        console.print("waiting for the shop")
        _await(lambda: all(_similar(api, number) for number in range(PRODUCTS)), "the shop")
        console.print(f"{plan.shoppers} shoppers view a product")
        changed = [_change(api, number) for number in range(plan.shoppers)]
        console.print(f"{plan.answers} answers")
        answered = [_timed(api, f"bench-visit-{number % 500}") for number in range(plan.answers)]
        console.print(f"{plan.tries} products sell out")
        shown = _sell_out(api, feed, plan.tries, clock)
    return Measured(Quantiles.of(changed), Quantiles.of(answered), plan.tries, shown)


def _change(api: httpx.Client, number: int) -> float:
    """Seconds from the 202 of a shopper's second view to the first answer that differs."""
    shopper, run_id = f"bench-shopper-{uuid4().hex[:12]}", number
    _view(api, shopper, product(run_id % PRODUCTS))
    _await(lambda: _reasons(api, shopper) == {product(run_id % PRODUCTS)}, "a first view")
    before = _shown(api, shopper)
    _view(api, shopper, product((run_id + CATEGORIES // 2) % PRODUCTS))
    accepted = time.perf_counter()
    _await(lambda: _shown(api, shopper) != before, "another answer")
    return time.perf_counter() - accepted


def _timed(api: httpx.Client, visitor: str) -> float:
    begun = time.perf_counter()
    _ask(api, visitor)
    return time.perf_counter() - begun


def _sell_out(api: httpx.Client, feed: Feed, tries: int, clock: Clock) -> int:
    """How many products were shown a second after Kafka had their last unit's end; each was shown before."""
    shown, done, version = 0, 0, 1
    visitors = [f"bench-keeper-{uuid4().hex[:8]}-{number}" for number in range(min(AT_ONCE, tries))]
    for number, visitor in enumerate(visitors):
        _view(api, visitor, product(number))
    _await(lambda: all(_shown(api, visitor) for visitor in visitors), "answers to all")
    while done < tries:
        best = {visitor: _shown(api, visitor)[0] for visitor in visitors[: tries - done]}
        version += 1
        _set(feed, set(best.values()), 0, version, clock())
        time.sleep(GONE_AFTER_S)
        shown += sum(sold_out in _shown(api, visitor) for visitor, sold_out in best.items())
        done += len(best)
        version += 1
        _set(feed, set(best.values()), 100, version, clock())
        _await(partial(_all_shown, api, best), "products to come back")
    return shown


def _set(feed: Feed, products: set[str], on_hand: int, version: int, moment: datetime) -> None:
    for product_id in products:
        feed.send("stock_changed", stock(product_id, on_hand, version, moment))
    feed.flush()


def _view(api: httpx.Client, shopper: str, product_id: str) -> None:
    viewed = {"event": "product_viewed", "session_id": f"{shopper}-session", "shopper_id": shopper}
    answer = api.post("/v1/events", json={"events": [{**viewed, "product_id": product_id}]})
    if answer.status_code != 202 or answer.json()["accepted"] != 1:
        raise SoukError(f"a view was not taken: {answer.text}")


def _ask(api: httpx.Client, visitor: str) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = api.get(f"/v1/recommendations/{visitor}").raise_for_status().json()["items"]
    return items


def _shown(api: httpx.Client, visitor: str) -> list[str]:
    return [item["product_id"] for item in _ask(api, visitor)]


def _all_shown(api: httpx.Client, by_visitor: dict[str, str]) -> bool:
    return all(product_id in _shown(api, visitor) for visitor, product_id in by_visitor.items())


def _reasons(api: httpx.Client, visitor: str) -> set[str]:
    return {item["reason"]["product_id"] for item in _ask(api, visitor)}


def _similar(api: httpx.Client, number: int) -> bool:
    answer = api.get(f"/v1/products/{product(number)}/similar")
    return answer.is_success and any(i["reason"]["kind"] == "similar" for i in answer.json()["items"])


def _await(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while not condition():
        if time.monotonic() > deadline:
            raise SoukError(f"{what} did not come within {_PATIENCE_S:.0f} s")
        time.sleep(0.002)
