"""Measures the response times of the API while the platform is in use."""

import asyncio
import html
import re
from collections.abc import Callable, Coroutine, Iterable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial
from itertools import accumulate
from random import Random
from time import perf_counter
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import httpx
import orjson
from rich.console import Console

from bench.durations import Quantiles
from bench.interference import FLUSH_LIMIT_S, STEAL_LIMIT, DiskProbe, InterferenceMonitor, InterferenceSummary
from bench.serving.workload import (
    INTERVAL_S,
    LIST,
    ORDER,
    ORDERS,
    PAGE,
    RECOMMENDATIONS,
    SALES,
    SLOW_MS,
    RequestFigures,
    RequestLog,
    Workload,
    arrivals,
    progress_line,
)
from bench.tables import count_and_times, print_notes, print_table
from common import gc_tuning
from common.errors import PartUnavailable, UserError
from common.http_client import HttpClient, RequestFailed, RequestTimedOut
from common.principal_token import PlatformToken
from common.settings import Settings
from common.timeouts import CLIENT_KEEPALIVE_S
from producers.simulator import saved_world
from producers.simulator.world.shoppers import draw_shoppers

SELLERS = 100
"""Requests about sellers are drawn from this many of the best-selling ones."""

UNLIMITED_CONNECTIONS = 0
"""No limit of the HTTP client: no request waits for a free connection."""

_MINUTE_S = 60.0

LIST_LENGTH = 12

SEED = 1
"""With the same seed, every run has the same shoppers and sellers at the same times."""

_LIST = re.compile(r'data-part="([^"]+)"')
_JSON = ("content-type", "application/json")


@dataclass(frozen=True)
class SampledMarketplace:
    """The people and products of a running marketplace that requests are drawn from.

    `activity` has the cumulative activity of the shoppers, who are drawn by it. The sellers have orders.
    `items` are the first recommended products.
    """

    currency: str
    shoppers: Sequence[str]
    activity: Sequence[float]
    sellers: Sequence[str]
    items: list[dict[str, Any]]

    def draw_shopper(self, random: Random) -> str:
        """Draw a shopper by activity."""
        return random.choices(self.shoppers, cum_weights=self.activity)[0]


def order_body(marketplace: SampledMarketplace, shopper: str, item: dict[str, Any]) -> bytes:
    """Return the body of a checkout: one unit of a product, paid by a card that the provider accepts."""
    return orjson.dumps(
        {
            "shopper_id": shopper,
            "currency": marketplace.currency,
            "payment": {"method": "credit_card", "token": "tok_visa", "installments": 1},
            "lines": [{"product_id": item["product_id"], "seller_id": item["seller_id"], "quantity": 1}],
        }
    )


def order_headers() -> Sequence[tuple[str, str]]:
    """Return the headers of a checkout, with an idempotency key of its own."""
    return [_JSON, ("idempotency-key", str(uuid4()))]


class Clients:
    """Sends the requests of shoppers and sellers; a method sends those of one arrival."""

    def __init__(
        self, http: HttpClient, marketplace: SampledMarketplace, workload: Workload, log: RequestLog
    ) -> None:
        self._http, self._marketplace, self._workload, self._log = http, marketplace, workload, log
        self._random = Random(SEED)
        self._items = marketplace.items

    async def get_recommendations(self) -> None:
        """Request a shopper's recommendations."""
        target = f"/v1/recommendations/{quote(self._shopper())}?n={LIST_LENGTH}"
        answer = await self._request(RECOMMENDATIONS, "GET", target)
        if answer is not None:
            self._items = orjson.loads(answer)["items"] or self._items

    async def place_order(self) -> None:
        """Place an order for a product of the newest recommendations, and read the order shortly after."""
        item = self._random.choice(self._items)
        body = order_body(self._marketplace, self._shopper(), item)
        answer = await self._request(ORDERS, "POST", "/v1/orders", 202, order_headers(), body)
        if answer is not None:
            await asyncio.sleep(self._workload.read_order_after_s)
            await self._request(ORDER, "GET", f"/v1/orders/{quote(orjson.loads(answer)['order_id'])}")

    async def get_sales(self) -> None:
        """Request a seller's sales of the last 30 days."""
        await self._request(SALES, "GET", f"/v1/sellers/{quote(self._seller())}/sales")

    async def open_page(self) -> None:
        """Open a seller's page, then request the lists of that page."""
        page = await self._request(PAGE, "GET", f"/sell/{quote(self._seller())}")
        if page is not None:
            lists = map(html.unescape, _LIST.findall(page.decode()))
            await asyncio.gather(*(self._request(LIST, "GET", each) for each in lists))

    def _shopper(self) -> str:
        return self._marketplace.draw_shopper(self._random)

    def _seller(self) -> str:
        return self._random.choice(self._marketplace.sellers)

    async def _request(
        self,
        kind: str,
        method: str,
        target: str,
        expected: int = 200,
        headers: Sequence[tuple[str, str]] = (),
        body: bytes | None = None,
    ) -> bytes | None:
        """Send a request and log its outcome; returns the body of an expected answer, else None."""
        interval = self._log.start(kind)
        began_s = perf_counter()
        try:
            async with asyncio.timeout(self._workload.timeout_s):
                answer = await self._http.request(method, target, headers, body)
        except (TimeoutError, RequestTimedOut):
            self._log.fail(kind, f"no answer in {self._workload.timeout_s:g} s")
        except RequestFailed as error:
            self._log.fail(kind, f"no answer ({error})")
        else:
            if answer.status == expected:
                self._log.succeed(kind, interval, perf_counter() - began_s)
                return answer.content
            self._log.fail(kind, f"HTTP {answer.status}")
        return None


@dataclass(frozen=True)
class AnswersBenchResult:
    """The figures of each kind of request, the interference of the host, and the times of 8 KB flushes.

    `stopped` is whether Ctrl-C ended the run. The times include this process's own waits for a core.
    """

    figures: dict[str, RequestFigures]
    host: InterferenceSummary
    disk: Quantiles | None
    stopped: bool


def run(settings: Settings, minutes: float, console: Console) -> AnswersBenchResult:
    """Measure beside the running platform. Ctrl-C ends the run with the figures up to then.

    Raises:
        PartUnavailable: the API does not answer.
        UserError: the platform has no simulated shoppers, or no seller has sold anything.
    """
    marketplace = sample_marketplace(settings)
    log, stopped = RequestLog(), False
    gc_tuning.tune_gc()
    with DiskProbe(settings.home) as disk:
        console.print(f"{minutes:g} minutes", highlight=False)
        print_line = partial(console.print, soft_wrap=True, highlight=False, markup=False)
        monitor = InterferenceMonitor(disk)
        try:
            asyncio.run(
                measure(
                    settings,
                    marketplace,
                    Workload(minutes * 60),
                    log,
                    monitor,
                    print_line,
                )
            )
        except KeyboardInterrupt:
            if not log:
                raise
            stopped = True
    return AnswersBenchResult(log.figures(), log.interference(), disk.quantiles(), stopped)


def show(result: AnswersBenchResult, console: Console) -> None:
    """Print the result."""
    heads = ("", "count", "p50", "p95", "p99", "max")
    print_table(
        console,
        (*heads, f"> {SLOW_MS:g} ms", "errors"),
        (
            (
                kind,
                *_cells(each.answered),
                f"{each.share_above_50_ms:.2%}" if each.answered else "–",
                f"{sum(each.errors.values()):,}",
            )
            for kind, each in result.figures.items()
        ),
        title="Response times of the API, ms",
    )
    if result.host.calm < result.host.intervals:
        print_table(
            console,
            heads,
            ((kind, *_cells(each.calm)) for kind, each in result.figures.items()),
            title="Requests sent while neither host nor disk caused delays",
            caption=_describe_interference(result.host),
        )
    notes = []
    if disk := result.disk:
        notes.append(
            f"a flush of 8 KB to the disk took {disk.p50_ms:,} ms (p50), {disk.p99_ms:,} (p99), "
            f"{disk.max_ms:,} at most; each order waits for at least one flush"
        )
    notes += [
        f"{kind}: {count:,} times {why}"
        for kind, each in result.figures.items()
        for why, count in each.errors.items()
    ]
    if under_way := sum(each.under_way for each in result.figures.values()):
        notes.append(f"requests without an answer when the run was stopped: {under_way:,}")
    print_notes(console, notes)


def _cells(quantiles: Quantiles | None) -> list[str]:
    return count_and_times(quantiles, "p50_ms", "p95_ms", "p99_ms", "max_ms")


def _describe_interference(host: InterferenceSummary) -> str:
    return (
        f"{host.calm} of {host.intervals} intervals of {INTERVAL_S:g} s were calm, as were their neighbours. "
        f"In {host.with_steal}, the host took more than {STEAL_LIMIT:.0%} of the cores "
        f"({host.stolen:.1%} overall). "
        f"In {host.with_slow_flush}, a flush of the disk took longer than {FLUSH_LIMIT_S * 1000:g} ms."
    )


def sample_marketplace(settings: Settings) -> SampledMarketplace:
    """Read the shoppers, sellers and recommended products of the running marketplace.

    Raises:
        PartUnavailable: the API does not answer.
        UserError: the platform has no simulated shoppers, or no seller has sold anything.
    """
    try:
        with httpx.Client(
            base_url=settings.serving, trust_env=False, timeout=30, auth=PlatformToken(settings, "bench")
        ) as api:
            best_sellers = api.get("/v1/sellers", params={"limit": SELLERS}).raise_for_status().json()
            recommended = (
                api.get("/v1/recommendations/anybody", params={"n": LIST_LENGTH}).raise_for_status().json()
            )
    except httpx.HTTPError as error:
        first_line = str(error).partition("\n")[0]
        raise PartUnavailable(
            f"the API at {settings.serving} gave no valid answer ({first_line}): "
            "run ./souk demo --rate 1000 in another terminal"
        ) from error
    saved = saved_world.read(settings.home)
    if saved is None:
        raise UserError(f"{settings.home} has no simulated shoppers: run ./souk demo in another terminal")
    sellers = [seller["seller_id"] for seller in best_sellers["sellers"] if seller["orders"]]
    if not sellers or not recommended["items"]:
        raise UserError("no seller has sold anything: let ./souk demo run for a while")
    # An unknown shopper gets popular products, which costs less than personal recommendations.
    shoppers = draw_shoppers(saved.shape)
    activity = list(accumulate(shoppers.activity.tolist()))
    return SampledMarketplace(best_sellers["currency"], shoppers.ids, activity, sellers, recommended["items"])


async def measure(
    settings: Settings,
    marketplace: SampledMarketplace,
    workload: Workload,
    log: RequestLog,
    monitor: InterferenceMonitor,
    print_line: Callable[[str], object],
) -> None:
    """Send the workload and wait for the last answers; `print_line` gets a line of progress each minute."""
    http = HttpClient(
        settings.serving,
        UNLIMITED_CONNECTIONS,
        CLIENT_KEEPALIVE_S,
        workload.timeout_s,
        workload.timeout_s,
        PlatformToken(settings, "bench").headers,
    )
    clients = Clients(http, marketplace, workload, log)
    send = {
        RECOMMENDATIONS: clients.get_recommendations,
        ORDERS: clients.place_order,
        SALES: clients.get_sales,
        PAGE: clients.open_page,
    }
    begun_s = asyncio.get_running_loop().time()
    async with aclosing(http), asyncio.TaskGroup() as tasks:
        for kind, rate in workload.rates.items():
            times = arrivals(rate, workload.seconds, Random(f"{SEED} {kind}"))
            tasks.create_task(_send_at(tasks, begun_s, times, send[kind]))
        tasks.create_task(_report_minutes(begun_s, workload.seconds, log, print_line))
        tasks.create_task(_sample_interference(begun_s, workload, log, monitor))


async def _send_at(
    tasks: asyncio.TaskGroup,
    begun_s: float,
    times: Iterable[float],
    send: Callable[[], Coroutine[Any, Any, None]],
) -> None:
    """Start a request at each of the times, whether or not earlier ones have been answered."""
    for at_s in times:
        await _sleep_until(begun_s + at_s)
        tasks.create_task(send())


async def _report_minutes(
    begun_s: float, seconds: float, log: RequestLog, print_line: Callable[[str], object]
) -> None:
    for minute in range(1, int(seconds / _MINUTE_S) + 1):
        await _sleep_until(begun_s + minute * _MINUTE_S)
        print_line(progress_line(minute, log.figures(), log.interference()))


async def _sample_interference(
    begun_s: float, workload: Workload, log: RequestLog, monitor: InterferenceMonitor
) -> None:
    for number in range(1, int(workload.seconds / workload.interval_s) + 1):
        await _sleep_until(begun_s + number * workload.interval_s)
        log.end_interval(monitor.sample())


async def _sleep_until(at_s: float) -> None:
    await asyncio.sleep(max(0.0, at_s - asyncio.get_running_loop().time()))
