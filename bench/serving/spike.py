"""Measures what happens to each class of traffic while a shop gets five times the load that it can take."""

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from random import Random

from rich.console import Console

from bench.durations import Quantiles
from bench.http_load import NO_RESPONSE, Load, LoadResult
from bench.interference import CpuTime
from bench.recommendations.shop_client import ShopClient, await_true
from bench.recommendations.small_shop import PRODUCTS, RecordProducer, product, send_shop
from bench.serving.spike_traffic import make_requests, mix, offer, offer_from_processes
from bench.tables import print_notes, print_table, times
from bench.temporary_platform import TemporaryPlatform, fetch_count, temporary_platform
from common.access_policy import TrafficClass
from common.clock import system_clock
from common.errors import SoukError
from common.settings import ROOT, Settings
from local.state_directory import base_environment, settings_environment
from schemas.setup import register

REQUIRED_CHECKOUTS = 0.99
"""The smallest share of checkouts during the spike that must succeed."""

REFUSED_WITHIN_S = 1.0
"""Nearly all refusals (p95) must be answered within this time."""

NORMAL_WITHIN_S = 10.0
"""The shop must answer as before this long after the spike."""

HALF = 0.5
SATURATING_CONNECTIONS = 64
WINDOW_S = 1.0
WINDOW_CONNECTIONS = 16
NORMAL_FACTOR, NORMAL_AT_MOST_S = 2.0, 0.05
"""A window is normal if its p95 is at most this many times that before the spike, or at most 50 ms."""

STOCK = 1_000_000
FIRST_ORDERS, FIRST_ORDERS_S, FIRST_CONNECTIONS = 50, 5.0, 8
"""Orders before the measurement, the seconds in which they are placed, and the connections for them."""

_COUNT_ORDERS = "SELECT count(*) FROM orders.orders"


@dataclass(frozen=True)
class SpikeBenchPlan:
    """The load is `times` what saturates the shop, for `seconds`, from `processes` processes.

    `calm_seconds` is how long saturation, and the calm before the spike, are measured.
    """

    times: float
    seconds: float
    calm_seconds: float
    processes: int


@dataclass(frozen=True)
class ClassFigures:
    """The requests of a traffic class: the share that succeeded, the times, and the failures by status."""

    offered: int
    share: float
    answered: Quantiles | None
    refused: Quantiles | None
    failed: dict[int, int]

    @classmethod
    def of(cls, result: LoadResult) -> "ClassFigures":
        """Return the figures of a result."""
        offered = len(result.seconds) + len(result.failed_seconds)
        return cls(
            offered,
            len(result.seconds) / offered if offered else 1.0,
            Quantiles.of(result.seconds) if result.seconds else None,
            Quantiles.of(result.failed_seconds) if result.failed_seconds else None,
            dict(sorted(result.failed.items())),
        )


@dataclass(frozen=True)
class SpikeBenchResult:
    """What the shop did before, during and after the spike.

    `saturated_rate` has successful responses a second, `spike_rate` offered requests a second.
    `normal_after_s` is None if the shop did not answer as before within a minute. `lost_orders` counts
    checkouts that were accepted and are not in PostgreSQL. `audit_differences` is None if the audit could not
    compare everything. `sender_cores` is what the load itself used, `stolen` the host's share of all cores.
    """

    saturated_rate: float
    spike_rate: float
    calm: dict[TrafficClass, ClassFigures]
    spike: dict[TrafficClass, ClassFigures]
    sender_cores: float
    stolen: float
    normal_after_s: float | None
    accepted_orders: int
    lost_orders: int
    audit_differences: int | None

    @property
    def answered_rate(self) -> float:
        """Successful responses a second during the spike."""
        offered = sum(each.offered for each in self.spike.values())
        return self.spike_rate * sum(each.offered * each.share for each in self.spike.values()) / offered

    @property
    def missed(self) -> list[str]:
        """The goals that were missed."""
        refused_ms = max((each.refused.p95_ms for each in self.spike.values() if each.refused), default=0.0)
        checkouts = self.spike["checkout"].share
        goals = {
            f"{REQUIRED_CHECKOUTS:.0%} of checkouts succeed": checkouts >= REQUIRED_CHECKOUTS,
            f"refusals within {REFUSED_WITHIN_S:g} s (p95)": refused_ms <= REFUSED_WITHIN_S * 1000,
            f"normal within {NORMAL_WITHIN_S:g} s": (
                self.normal_after_s is not None and self.normal_after_s <= NORMAL_WITHIN_S
            ),
            "no order lost": self.lost_orders == 0,
            "the audit finds no difference": self.audit_differences == 0,
        }
        return [goal for goal, reached in goals.items() if not reached]


def run(settings: Settings, plan: SpikeBenchPlan, port_offset: int, console: Console) -> SpikeBenchResult:
    """Measure on a temporary platform.

    Raises:
        SoukError: the platform does not start, or the shop does not open.
    """
    with temporary_platform(settings, port_offset, console) as platform:
        open_shop(platform.settings, console)
        return measure(platform, plan, console)


def open_shop(settings: Settings, console: Console) -> None:
    """List the products of a small shop with plenty of stock, sell some, and wait until it recommends them.

    Raises:
        SoukError: that takes too long.
    """
    send_shop(RecordProducer(settings.kafka, register(settings).schema_ids), system_clock())
    console.print("waiting for the shop")
    products = [product(number) for number in range(PRODUCTS)]
    with ShopClient(settings) as client:
        await_true(lambda: client.set_stock(STOCK, products), "the stock", 0.5)
        asyncio.run(_sell(settings))
        await_true(lambda: client.has_items("bench"), "recommendations", 0.5)


async def _sell(settings: Settings) -> None:
    """Place the orders that make products popular."""
    sold = await Load(settings.serving, FIRST_CONNECTIONS).paced(
        make_requests(settings, 0)["checkout"], FIRST_ORDERS / FIRST_ORDERS_S, FIRST_ORDERS_S, Random(0)
    )
    if not sold.seconds:
        raise SoukError(f"the shop took no order: {sold.failed} responses by status")


def measure(platform: TemporaryPlatform, plan: SpikeBenchPlan, console: Console) -> SpikeBenchResult:
    """Measure saturation, a calm at half of it, the spike, and the time until the shop answers as before."""
    settings = platform.settings
    requests = mix(make_requests(settings, 0), 0)
    console.print(f"saturation: {plan.calm_seconds:g} s after as many to warm up")
    load = Load(settings.serving, SATURATING_CONNECTIONS)
    asyncio.run(load.saturate(requests, plan.calm_seconds))
    saturated = asyncio.run(load.saturate(requests, plan.calm_seconds)).rate
    console.print(f"{saturated:,.0f} responses a second; {plan.calm_seconds:g} s at half of that")
    calm = asyncio.run(offer(settings, saturated * HALF, plan.calm_seconds, 0))
    orders, cpu = asyncio.run(fetch_count(settings, _COUNT_ORDERS)), CpuTime.now()
    rate = saturated * plan.times
    console.print(f"the spike: {rate:,.0f} requests a second for {plan.seconds:g} s")
    spike = offer_from_processes(settings, rate, plan.seconds, plan.processes)
    stolen = CpuTime.now().stolen_since(cpu)
    accepted = len(spike.results["checkout"].seconds)
    lost = accepted - (asyncio.run(fetch_count(settings, _COUNT_ORDERS)) - orders)
    normal_after_s = asyncio.run(_await_normal(settings, saturated * HALF, _p95(calm), spike.ended_at))
    console.print("auditing")
    return SpikeBenchResult(
        round(saturated, 1),
        round(rate, 1),
        _figures(calm),
        _figures(spike.results),
        round(spike.cpu_s / plan.seconds, 2),
        round(stolen, 4),
        normal_after_s,
        accepted,
        max(0, lost),
        _audit(settings),
    )


def show(result: SpikeBenchResult, console: Console) -> None:
    """Print the result."""
    heads = ("", "offered", "succeeded", "p50", "p99", "max", "refused p50", "p95", "p99", "failures")
    for title, figures in (("Half of saturation", result.calm), ("The spike", result.spike)):
        rows = (
            (
                traffic,
                f"{each.offered:,}",
                f"{each.share:.2%}",
                *times(each.answered, "p50_ms", "p99_ms", "max_ms"),
                *times(each.refused, "p50_ms", "p95_ms", "p99_ms"),
                ", ".join(f"{_status(status)}: {number:,}" for status, number in each.failed.items()),
            )
            for traffic, each in figures.items()
        )
        print_table(console, heads, rows, title=f"{title}, times in ms")
    after = "not within a minute" if result.normal_after_s is None else f"after {result.normal_after_s:.1f} s"
    found = result.audit_differences
    audit = "could not compare everything" if found is None else f"found {found:,} differences"
    print_notes(
        console,
        (
            f"saturation: {result.saturated_rate:,.0f} responses a second; "
            f"the spike: {result.spike_rate:,.0f} requests a second",
            f"answered in the spike: {result.answered_rate:,.0f} a second, "
            f"{result.answered_rate / result.saturated_rate:.2f} of saturation",
            f"the senders used {result.sender_cores:.2f} cores; "
            f"the host took {result.stolen:.1%} of the cores",
            f"normal again {after}",
            f"{result.accepted_orders:,} orders accepted in the spike, {result.lost_orders:,} of them lost",
            f"the audit {audit}",
            f"missed: {'; '.join(result.missed)}" if result.missed else "every goal was reached",
        ),
    )


def _status(status: int) -> str:
    return "no response" if status == NO_RESPONSE else str(status)


def _figures(results: Mapping[TrafficClass, LoadResult]) -> dict[TrafficClass, ClassFigures]:
    return {traffic: ClassFigures.of(result) for traffic, result in results.items()}


def _p95(results: Mapping[TrafficClass, LoadResult]) -> float:
    """Return the 95th percentile of all successful responses in seconds."""
    seconds = [each for result in results.values() for each in result.seconds]
    return Quantiles.of(seconds).p95_ms / 1000 if seconds else float("inf")


async def _await_normal(settings: Settings, rate: float, p95_s: float, ended_at: float) -> float | None:
    """Return how long after the spike a window began that was normal; None after a minute without one."""
    seed = 0
    while (began := time.time()) - ended_at <= 60.0:
        seed += 1
        window = await offer(settings, rate, WINDOW_S, seed, WINDOW_CONNECTIONS)
        failed = any(result.failed for result in window.values())
        if not failed and _p95(window) <= max(NORMAL_FACTOR * p95_s, NORMAL_AT_MOST_S):
            return round(max(0.0, began - ended_at), 2)
    return None


def _audit(settings: Settings) -> int | None:
    """Return the differences that `./souk audit` finds; None if it did not compare everything."""
    done = subprocess.run(
        [sys.executable, "-m", "cli", "audit", "--json", "--wait", "300"],
        cwd=ROOT,
        env=base_environment() | settings_environment(settings),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if not done.stdout:
        raise SoukError(f"the audit failed: {done.stderr.strip()[-1000:]}")
    differences = int(json.loads(done.stdout)["differences"])
    return differences if differences or done.returncode == 0 else None
