"""Measures how far sellers' figures are behind the clock, and how soon they include an order."""

import asyncio
import re
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any
from urllib.parse import quote, urlencode

import orjson
from rich.console import Console

from bench.durations import Quantiles
from bench.serving.answers import (
    LIST_LENGTH,
    SEED,
    SampledMarketplace,
    order_body,
    order_headers,
    sample_marketplace,
)
from bench.serving.workload import TIMEOUT_S, arrivals
from bench.tables import count_and_times, print_notes, print_table
from bench.temporary_platform import temporary_platform
from common.clock import system_clock
from common.http_client import HttpClient, RequestFailed
from common.principal_token import PlatformToken
from common.settings import Settings
from common.timeouts import CLIENT_KEEPALIVE_S
from local.demo.display import wait_for_backfill
from local.demo.simulator_process import SimulatorProcess
from local.demo_mode import set_demo

SAMPLES_PER_S = 1.0
"""Answers a second whose `as_of` is compared with the clock. Their sellers are drawn at random."""

PAUSE_S = 2.0
"""The mean pause between an order that is shown and the next one."""

WARM_UP_S = 30.0
"""Seconds of traffic before a temporary marketplace is measured: a new JVM still compiles."""

POLL_S = 0.05
"""The pause after an answer that does not include the order yet; a time is too long by at most a poll."""

SHOWN_TIMEOUT_S = 30.0
"""Figures that do not include an order after this time never do."""

_BACKFILL_POLL_S = 0.5
_ORDERS_TILE = re.compile(rb'data-metric="orders".*?class="tile-value">([^<]*)<', re.DOTALL)

Totals = Mapping[str, int]


@dataclass(frozen=True)
class LagBenchResult:
    """What was measured in answers with a seller's sales, times in milliseconds.

    Args:
        behind: `as_of`, compared with the clock when the answer arrives.
        accepted: from the 202 of an order until an answer that includes it.
        confirmed: the same from the confirmation of the order, which comes after its payment.
        page: from the 202 of an order until the seller's page shows it.
        unconfirmed: status → orders that no answer included, because they were not confirmed in time.
        missing: orders that were confirmed, but that no answer included in time.
        failed: requests without the expected answer.
        stopped: whether Ctrl-C ended the run.
    """

    behind: Quantiles | None
    accepted: Quantiles | None
    confirmed: Quantiles | None
    page: Quantiles | None
    unconfirmed: dict[str, int]
    missing: int
    failed: int
    stopped: bool


class UnexpectedAnswer(Exception):
    """The API answered with another status than expected."""


@dataclass
class _Log:
    """The seconds of each kind, and the orders and requests without any."""

    behind: list[float] = field(default_factory=list)
    accepted: list[float] = field(default_factory=list)
    confirmed: list[float] = field(default_factory=list)
    page: list[float] = field(default_factory=list)
    unconfirmed: Counter[str] = field(default_factory=Counter)
    missing: int = 0
    failed: int = 0

    def result(self, *, stopped: bool) -> LagBenchResult:
        behind, accepted, confirmed, page = (
            Quantiles.of(seconds) if seconds else None
            for seconds in (self.behind, self.accepted, self.confirmed, self.page)
        )
        return LagBenchResult(
            behind, accepted, confirmed, page, dict(self.unconfirmed), self.missing, self.failed, stopped
        )


def run(settings: Settings, minutes: float, console: Console) -> LagBenchResult:
    """Measure beside the running platform. Ctrl-C ends the run with the figures up to then.

    Raises:
        PartUnavailable: the API does not answer.
        UserError: the platform has no simulated shoppers, or no seller has sold anything.
    """
    marketplace = sample_marketplace(settings)
    log = _Log()
    console.print(f"{minutes:g} minutes", highlight=False)
    try:
        asyncio.run(_measure(settings, marketplace, minutes * 60, log))
    except KeyboardInterrupt:
        return log.result(stopped=True)
    return log.result(stopped=False)


@dataclass(frozen=True)
class SellerFreshnessPlan:
    """`rate` events a second for `minutes`, after `weeks` of history of `shoppers`."""

    rate: int
    minutes: float
    weeks: int
    shoppers: int


def run_on_temporary_platform(
    settings: Settings, plan: SellerFreshnessPlan, port_offset: int, console: Console
) -> LagBenchResult:
    """Measure on a temporary marketplace with traffic.

    Raises:
        SoukError: the platform or the simulator does not start.
    """
    world = ("--weeks", str(plan.weeks), "--shoppers", str(plan.shoppers))
    with temporary_platform(settings, port_offset, console) as platform:
        own = platform.settings
        set_demo(own)
        console.print(f"{plan.weeks} weeks of history")
        with SimulatorProcess(own, "backfill", *world) as simulator:
            while not simulator.ended():
                time.sleep(_BACKFILL_POLL_S)
        wait_for_backfill(own, console)
        console.print(f"{plan.rate:,} events a second", highlight=False)
        with SimulatorProcess(own, "live", *world, "--rate", str(plan.rate)) as simulator:
            time.sleep(WARM_UP_S)
            simulator.ended()
            return run(own, plan.minutes, console)


def show(result: LagBenchResult, console: Console) -> None:
    """Print the result."""
    rows = {
        "as_of behind the clock": result.behind,
        "from an order's 202 until they include it": result.accepted,
        "from its confirmation until they include it": result.confirmed,
        "from its 202 until the seller's page shows it": result.page,
    }
    print_table(
        console,
        ("", "count", "p50", "p95", "p99", "max"),
        (
            (name, *count_and_times(each, "p50_ms", "p95_ms", "p99_ms", "max_ms"))
            for name, each in rows.items()
        ),
        title="A seller's figures, ms",
    )
    notes = [
        f"{count:,} orders were never shown; their status: {status}"
        for status, count in result.unconfirmed.items()
    ]
    if result.missing:
        notes.append(f"{result.missing:,} confirmed orders were not shown in time")
    if result.failed:
        notes.append(f"{result.failed:,} requests failed")
    print_notes(console, notes)


def includes(before: Totals, now: Totals, gross_minor: int) -> bool:
    """Return whether totals include an order of `gross_minor` that the totals `before` did not include.

    One order more that has another amount is somebody else's. Of two or more, one is taken for the order.
    """
    more = now["orders"] - before["orders"]
    return more > 1 or (more == 1 and now["gross_minor"] - before["gross_minor"] == gross_minor)


async def _measure(settings: Settings, marketplace: SampledMarketplace, seconds: float, log: _Log) -> None:
    headers = PlatformToken(settings, "bench").headers
    async with (
        aclosing(HttpClient(settings.serving, 0, CLIENT_KEEPALIVE_S, TIMEOUT_S, TIMEOUT_S, headers)) as http,
        asyncio.TaskGroup() as tasks,
    ):
        tasks.create_task(_sample_as_of(http, marketplace, seconds, log))
        tasks.create_task(_place_orders(http, marketplace, seconds, log))


async def _sample_as_of(http: HttpClient, marketplace: SampledMarketplace, seconds: float, log: _Log) -> None:
    """Compare `as_of` with the clock, in answers about sellers at random times."""
    random, loop = Random(f"{SEED} as_of"), asyncio.get_running_loop()
    begun_s = loop.time()
    for at_s in arrivals(SAMPLES_PER_S, seconds, random):
        await asyncio.sleep(max(0.0, begun_s + at_s - loop.time()))
        try:
            sales = await _get(http, f"/v1/sellers/{quote(random.choice(marketplace.sellers))}/sales")
        except (UnexpectedAnswer, RequestFailed):
            log.failed += 1
            continue
        if sales["as_of"] is not None:
            log.behind.append((system_clock() - datetime.fromisoformat(sales["as_of"])).total_seconds())


async def _place_orders(http: HttpClient, marketplace: SampledMarketplace, seconds: float, log: _Log) -> None:
    """Place one order after the other, and wait until its seller's figures include it."""
    random, loop = Random(f"{SEED} orders"), asyncio.get_running_loop()
    until_s = loop.time() + seconds
    while loop.time() < until_s:
        try:
            await _follow_order(http, marketplace, random, log)
        except (UnexpectedAnswer, RequestFailed):
            log.failed += 1
        await asyncio.sleep(random.expovariate(1 / PAUSE_S))


async def _follow_order(http: HttpClient, marketplace: SampledMarketplace, random: Random, log: _Log) -> None:
    shopper = marketplace.draw_shopper(random)
    recommended = await _get(http, f"/v1/recommendations/{quote(shopper)}?n={LIST_LENGTH}")
    item = random.choice(recommended["items"] or marketplace.items)
    # The period begins now: few other orders of the seller are in it.
    minute = system_clock().replace(second=0, microsecond=0)
    bounds = {"from": minute.isoformat(), "to": (minute + timedelta(hours=1)).isoformat(), "grain": "hour"}
    figures = f"/v1/sellers/{quote(item['seller_id'])}/sales?{urlencode(bounds)}"
    page = f"/sell/{quote(item['seller_id'])}?{urlencode(bounds)}"
    before = (await _get(http, figures))["totals"]
    orders_before = await _orders_on_page(http, page)
    body = order_body(marketplace, shopper, item)
    order = await _send(http, "POST", "/v1/orders", 202, order_headers(), body)
    accepted_at = system_clock()
    gross_minor = sum(line["quantity"] * line["unit_price_minor"] for line in order["lines"])

    async def figures_include_it() -> bool:
        return includes(before, (await _get(http, figures))["totals"], gross_minor)

    async def page_shows_it() -> bool:
        return await _orders_on_page(http, page) > orders_before

    shown_at, on_page_at = await asyncio.gather(
        _moment_of(figures_include_it, accepted_at), _moment_of(page_shows_it, accepted_at)
    )
    stored = await _get(http, f"/v1/orders/{quote(order['order_id'])}")
    confirmed_at = [step["at"] for step in stored["history"] if step["status"] == "confirmed"]
    if not confirmed_at:
        log.unconfirmed[stored["status"]] += 1
    elif shown_at is None:
        log.missing += 1
    else:
        log.accepted.append((shown_at - accepted_at).total_seconds())
        log.confirmed.append((shown_at - datetime.fromisoformat(confirmed_at[0])).total_seconds())
        if on_page_at is not None:
            log.page.append((on_page_at - accepted_at).total_seconds())


async def _moment_of(is_shown: Callable[[], Awaitable[bool]], accepted_at: datetime) -> datetime | None:
    """Return when an order is shown; None if that takes too long."""
    while not await is_shown():
        if system_clock() - accepted_at > timedelta(seconds=SHOWN_TIMEOUT_S):
            return None
        await asyncio.sleep(POLL_S)
    return system_clock()


async def _orders_on_page(http: HttpClient, page: str) -> int:
    """Return the number of orders that a seller's page shows."""
    answer = await http.request("GET", page)
    found = _ORDERS_TILE.search(answer.content)
    if answer.status != 200 or found is None:
        raise UnexpectedAnswer(f"GET {page}: HTTP {answer.status}")
    return int(re.sub(rb"\D", b"", found[1]) or 0)


async def _get(http: HttpClient, target: str) -> Any:
    return await _send(http, "GET", target, 200)


async def _send(
    http: HttpClient,
    method: str,
    target: str,
    expected: int,
    headers: Any = (),
    body: bytes | None = None,
) -> Any:
    answer = await http.request(method, target, headers, body)
    if answer.status != expected:
        raise UnexpectedAnswer(f"{method} {target}: HTTP {answer.status}")
    return orjson.loads(answer.content)
