"""Compares the throughput of routes with the gateway and without it, and measures latency at half load."""

import asyncio
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from random import Random
from statistics import median

import httpx
from rich.console import Console
from rich.table import Table

from bench.durations import Quantiles
from bench.http_load import Load, LoadRequest
from bench.serving.gateway_app import WITH, WITHOUT
from common.errors import PartUnavailable, SoukError, UserError
from common.settings import LOOPBACK, ROOT, Settings
from local.state_directory import base_environment, settings_environment
from serving.gateway.cookies import GuestSessions

CONNECTIONS = 8
"""Enough to saturate one process, and so few that it sheds no load. Each connection comes from an address of
its own, so that no limit by address refuses requests."""

REQUIRED_RATIO = 0.7
"""The smallest share of the throughput without the gateway that is accepted on the cached route."""

GUESTS = 1_000
"""So many that no limit of a guest refuses requests."""

HALF = 0.5
_START_TIMEOUT_S = 60.0


@dataclass(frozen=True)
class GatewayBenchPlan:
    """`rounds` rounds of `seconds` for each route and variant. The server has the port after `port`, too."""

    rounds: int
    seconds: float
    port: int


@dataclass(frozen=True)
class RouteThroughput:
    """Responses a second of one route: the medians over the rounds, and of the ratio within a round."""

    with_gateway: float
    without_gateway: float
    ratio: float


@dataclass(frozen=True)
class GatewayBenchResult:
    """Throughput by route, and response times with the gateway at half of the saturated rate."""

    throughput: dict[str, RouteThroughput]
    at_half: dict[str, Quantiles]

    @property
    def is_fast_enough(self) -> bool:
        """Whether the gateway leaves enough of the cached route's throughput."""
        return self.throughput["cached"].ratio >= REQUIRED_RATIO


def run(settings: Settings, plan: GatewayBenchPlan, console: Console) -> GatewayBenchResult:
    """Measure two processes of the API on the data of the running platform.

    Raises:
        UserError: the platform does not run, or has no data.
        PartUnavailable: a process does not start.
        SoukError: the responses of a route are not successful.
    """
    routes = _routes(settings)
    with _server(settings, plan.port, WITH) as guarded, _server(settings, plan.port + 1, WITHOUT) as plain:
        urls = {WITH: guarded, WITHOUT: plain}
        throughput = {}
        for name, requests in routes.items():
            console.print(f"{name}: {plan.rounds} rounds of {plan.seconds:g} s with the gateway and without")
            throughput[name] = asyncio.run(_compare(urls, requests, plan))
        at_half = {}
        for name, requests in routes.items():
            rate = throughput[name].with_gateway * HALF
            console.print(f"{name}: {rate:,.0f} requests a second, half of saturation")
            at_half[name] = asyncio.run(_latency(guarded, requests, rate, plan.seconds))
    return GatewayBenchResult(throughput, at_half)


def show(result: GatewayBenchResult, console: Console) -> None:
    """Print the result."""
    table = Table("", "with/s", "without/s", "ratio", "p50 at half", "p99 at half", title="The gateway")
    for name, each in result.throughput.items():
        times = result.at_half[name]
        table.add_row(
            name,
            f"{each.with_gateway:,.0f}",
            f"{each.without_gateway:,.0f}",
            f"{each.ratio:.2f}",
            f"{times.p50_ms:.1f} ms",
            f"{times.p99_ms:.1f} ms",
        )
    console.print(table)


def _routes(settings: Settings) -> dict[str, list[LoadRequest]]:
    """Return the requests of a route that is answered from memory, and of one that reads Redis each time.

    Guests send them, so that the gateway does all its work: it limits no process of the platform.
    """
    sessions = GuestSessions(settings)
    try:
        with httpx.Client(base_url=settings.serving, trust_env=False, timeout=30) as api:
            popular = api.get("/v1/products/popular").raise_for_status().json()["products"]
    except httpx.HTTPError as error:
        raise UserError(f"the platform does not run ({error}): start it with ./souk demo") from error
    if not popular:
        raise UserError("nothing was sold yet: let ./souk demo run for a while")
    guests = [sessions.new() for _ in range(GUESTS)]
    tokens = [("Authorization", f"Bearer {sessions.token(guest)}") for guest in guests]
    return {
        "cached": [LoadRequest("GET", "/v1/products/popular", (token,)) for token in tokens],
        "uncached": [
            LoadRequest("GET", f"/v1/recommendations/{guest}", (token,))
            for guest, token in zip(guests, tokens, strict=True)
        ],
    }


async def _compare(
    urls: Mapping[str, str], requests: Sequence[LoadRequest], plan: GatewayBenchPlan
) -> RouteThroughput:
    """Measure both variants in turn; every second round begins with the other one."""
    rates: dict[str, list[float]] = {variant: [] for variant in urls}
    for number in range(plan.rounds):
        order = list(urls) if number % 2 == 0 else list(urls)[::-1]
        for variant in order:
            result = await Load(urls[variant], CONNECTIONS).saturate(requests, plan.seconds)
            _require_success(result.failed, variant)
            rates[variant].append(result.rate)
    ratios = [guarded / plain for guarded, plain in zip(rates[WITH], rates[WITHOUT], strict=True)]
    return RouteThroughput(
        round(median(rates[WITH]), 1), round(median(rates[WITHOUT]), 1), round(median(ratios), 3)
    )


async def _latency(url: str, requests: Sequence[LoadRequest], rate: float, seconds: float) -> Quantiles:
    result = await Load(url, CONNECTIONS).paced(requests, rate, seconds, Random(1))
    _require_success(result.failed, WITH)
    return Quantiles.of(result.seconds)


def _require_success(failed: Mapping[int, int], variant: str) -> None:
    if failed:
        raise SoukError(f"{variant} the gateway, some responses had an unexpected status: {dict(failed)}")


@contextmanager
def _server(settings: Settings, port: int, variant: str) -> Iterator[str]:
    """Run one process of the API, and yield its URL."""
    url = f"http://{LOOPBACK}:{port}"
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.serving.gateway_app", str(port), variant],
        cwd=ROOT,
        env=base_environment() | settings_environment(settings),
        stdin=subprocess.DEVNULL,
    )
    try:
        _await_ready(process, url)
        yield url
    finally:
        process.terminate()
        try:
            process.wait(_START_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _await_ready(process: "subprocess.Popen[bytes]", url: str) -> None:
    deadline = time.monotonic() + _START_TIMEOUT_S
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if httpx.get(f"{url}/health", trust_env=False).is_success:
                return
        except httpx.HTTPError:
            time.sleep(0.05)
    raise PartUnavailable(f"the API did not start at {url}: see the message above")
