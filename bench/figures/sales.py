"""Measures the time of a request for a seller's sales, and the CPU time of ClickHouse and the API."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import httpx
import psutil
from rich.console import Console
from rich.table import Table

from bench.quantiles import Quantiles
from common.errors import UserError
from common.principal_token import PlatformToken
from common.process_records import process_tree
from common.settings import Settings
from local.status import status
from serving.kit.watermarks import REFRESH_AFTER_REQUEST_S, REFRESH_INTERVAL_S

PARTS = ("clickhouse", "serving")
SELLERS = 50
"""Number of best-selling sellers that are requested in turn. Each answer covers the last 30 days."""
WARM_UP = 50
IDLE_S = 10.0
"""Seconds without requests in which the parts' idle CPU is measured; it is subtracted."""


@dataclass(frozen=True)
class SalesBenchResult:
    """Times of sequential answers, and each part's CPU milliseconds per answer."""

    answered: Quantiles
    cpu_ms: dict[str, float]


def run(settings: Settings, answers: int, console: Console) -> SalesBenchResult:
    """Measure on the running platform with the data it holds.

    Raises:
        UserError: the platform does not run, or no seller has sold anything.
    """
    pids = {part.name: part.pid for part in status(settings) if part.name in PARTS and part.pid}
    if len(pids) < len(PARTS):
        raise UserError("the platform does not run: start it with ./souk up")
    with httpx.Client(
        base_url=settings.serving, trust_env=False, timeout=30, auth=PlatformToken(settings, "bench")
    ) as api:
        sellers = api.get("/v1/sellers", params={"limit": SELLERS}).raise_for_status().json()["sellers"]
        paths = [f"/v1/sellers/{seller['seller_id']}/sales" for seller in sellers if seller["orders"]]
        if not paths:
            raise UserError("no seller has sold anything: run ./souk demo for a while, or ./souk replay")
        console.print(f"{answers} answers about {len(paths)} sellers")
        for number in range(WARM_UP):
            api.get(paths[number % len(paths)]).raise_for_status()
        return _measure(lambda number: _timed(api, paths[number % len(paths)]), answers, pids)


def show(result: SalesBenchResult, console: Console) -> None:
    """Print the result."""
    table = Table("", *(f"CPU of {part}" for part in PARTS), "p50", "p99", "max", title="A seller's sales")
    cpu = (f"{result.cpu_ms[part]:.1f} ms" for part in PARTS)
    each = result.answered
    table.add_row(
        "one answer", *cpu, *(f"{value:,.0f} ms" for value in (each.p50_ms, each.p99_ms, each.max_ms))
    )
    console.print(table)


def _measure(answer: Callable[[int], float], answers: int, pids: dict[str, int]) -> SalesBenchResult:
    # The API refreshes `as_of` for this long after a request.
    time.sleep(REFRESH_AFTER_REQUEST_S + REFRESH_INTERVAL_S)
    idle = {part: _cpu_s(pid) for part, pid in pids.items()}
    time.sleep(IDLE_S)
    before = {part: _cpu_s(pid) for part, pid in pids.items()}
    begun = time.monotonic()
    seconds = [answer(number) for number in range(answers)]
    duration_s = time.monotonic() - begun
    cpu_ms = {}
    for part, pid in pids.items():
        idle_cpu_s = (before[part] - idle[part]) / IDLE_S * duration_s
        cpu_ms[part] = round((_cpu_s(pid) - before[part] - idle_cpu_s) / answers * 1000, 1)
    return SalesBenchResult(Quantiles.of(seconds), cpu_ms)


def _cpu_s(pid: int) -> float:
    """Return the CPU seconds of a process and its children."""
    return sum(sum(psutil.Process(each).cpu_times()[:2]) for each in process_tree(pid))


def _timed(api: httpx.Client, path: str) -> float:
    begun = time.perf_counter()
    api.get(path).raise_for_status()
    return time.perf_counter() - begun
