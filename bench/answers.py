"""How soon the API answers somebody who is on another machine, while the platform lives."""

import asyncio
import os
from collections.abc import Callable, Coroutine, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import accumulate
from random import Random
from typing import Any

import httpx
from rich.console import Console
from rich.table import Table

from bench.asked import (
    ORDERS,
    PAGE,
    RECOMMENDATIONS,
    SALES,
    SLOW_MS,
    SPAN_S,
    Figures,
    Plan,
    Seen,
    arrivals,
    line,
)
from bench.crowd import LIST_LENGTH, SEED, Crowd, Shop
from bench.disk import Disk
from bench.host import LITTLE, SOON_S, Host, Watch
from bench.recommendations import Quantiles
from common import garbage
from common.errors import PartUnavailable, UserError
from common.http_client import HttpClient
from common.patience import CLIENTS_KEEP_S
from common.realtime import KEEPER, permitted
from common.settings import Settings
from producers.simulator import kept as keeping
from producers.simulator.world.shoppers import draw_shoppers

SELLERS = 100
"""The best-selling ones; who is asked about is drawn from them."""

FIRST, IN_LINE = (
    "as one on another machine would see it",
    "in line with all others: its own waits are among them",
)

ANY_NUMBER = 0
"""Of connections: a request waits for none before it."""

_MINUTE_S = 60.0


@dataclass(frozen=True)
class Measured:
    """The figures of each kind; what the host held back; what flushes of 8 KB took the disk meanwhile;
    whether this process went before all others; whether Ctrl-C ended it."""

    figures: dict[str, Figures]
    host: Host
    disk: Quantiles | None
    first: bool
    stopped: bool


def run(settings: Settings, minutes: float, console: Console) -> Measured:
    """Measure beside the running platform. Ctrl-C ends it with what was seen by then.

    Raises:
        PartUnavailable: the API does not answer.
        UserError: no simulated shoppers live there, or nobody has sold anything.
    """
    shop = look_around(settings)
    seen, stopped = Seen(), False
    garbage.look_rarely()
    with before_all_others(settings) as first, Disk(settings.home) as disk:
        console.print(f"{minutes:g} minutes, {FIRST if first else IN_LINE}", highlight=False)
        say = partial(console.print, soft_wrap=True, highlight=False, markup=False)
        try:
            asyncio.run(measure(settings.serving, shop, Plan(minutes * 60), seen, Watch(disk), say))
        except KeyboardInterrupt:
            if not seen:
                raise
            stopped = True
    return Measured(seen.figures(), seen.host(), disk.took(), first, stopped)


def show(measured: Measured, console: Console) -> None:
    """Print what was measured."""
    heads = ("", "count", "p50", "p95", "p99", "most", f"> {SLOW_MS:g} ms", "errors")
    table = Table(*heads, title="How soon the API answers, ms")
    for kind, each in measured.figures.items():
        above = f"{each.share_above_50_ms:.2%}" if each.answered else "–"
        table.add_row(kind, *_cells(each.answered), above, f"{sum(each.errors.values()):,}")
    table.caption = FIRST if measured.first else IN_LINE
    console.print(table)
    if measured.host.calm < measured.host.spans:
        calm = Table(*heads[:-2], title="Of these, asked for while neither host nor disk held anybody up")
        for kind, each in measured.figures.items():
            calm.add_row(kind, *_cells(each.calm))
        calm.caption = _held_back(measured.host)
        console.print(calm)
    if disk := measured.disk:
        console.print(
            f"• meanwhile a flush of 8 KB took the disk {disk.p50_ms:,} ms (p50), {disk.p99_ms:,} (p99), "
            f"{disk.max_ms:,} at most; each order waits for one at least",
            highlight=False,
            soft_wrap=True,
        )
    for kind, each in measured.figures.items():
        for why, count in each.errors.items():
            console.print(f"• {kind}: {count:,} times {why}", highlight=False, markup=False)
    if under_way := sum(each.under_way for each in measured.figures.values()):
        console.print(f"• requests still under way when it was stopped: {under_way:,}", highlight=False)


def _cells(found: Quantiles | None) -> tuple[str, ...]:
    if found is None:
        return ("0", *("–" for _ in range(4)))
    quantiles = (found.p50_ms, found.p95_ms, found.p99_ms, found.max_ms)
    return (f"{found.count:,}", *(f"{value:,.0f}" for value in quantiles))


def _held_back(host: Host) -> str:
    return (
        f"in {host.calm} of {host.spans} spans of {SPAN_S:g} s, and those beside them; in {host.taken_from} "
        f"the host took more than {LITTLE:.0%} of the cores ({host.stolen:.1%} in all), in {host.held_up} "
        f"the disk took longer than {SOON_S * 1000:g} ms for a flush, whoever kept it busy"
    )


@contextmanager
def before_all_others(settings: Settings) -> Iterator[bool]:
    """Let this thread go first for the block where that is wanted and permitted, which is what it gives.

    A request takes it a millisecond, so it needs nobody who looks after its share.
    """
    if not settings.real_time or not permitted():
        yield False
        return
    before = os.sched_getscheduler(0), os.sched_getparam(0)
    os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(KEEPER))
    try:
        yield True
    finally:
        os.sched_setscheduler(0, *before)


def look_around(settings: Settings) -> Shop:
    """Learn who lives there.

    Raises:
        PartUnavailable: the API does not answer.
        UserError: no simulated shoppers live there, or nobody has sold anything.
    """
    try:
        with httpx.Client(base_url=settings.serving, trust_env=False, timeout=30) as api:
            found = api.get("/v1/sellers", params={"limit": SELLERS}).raise_for_status().json()
            shown = (
                api.get("/v1/recommendations/anybody", params={"n": LIST_LENGTH}).raise_for_status().json()
            )
    except httpx.HTTPError as error:
        first_line = str(error).partition("\n")[0]
        raise PartUnavailable(
            f"the API at {settings.serving} does not answer as it should ({first_line}): "
            "run ./souk demo --rate 1000 in another terminal"
        ) from error
    kept = keeping.read(settings.home)
    if kept is None:
        raise UserError(f"{settings.home} has no simulated shoppers: run ./souk demo in another terminal")
    sellers = [seller["seller_id"] for seller in found["sellers"] if seller["orders"]]
    if not sellers or not shown["items"]:
        raise UserError("nobody has sold anything: let ./souk demo run for a while")
    # Who never comes is answered with what is popular, which is cheaper than an answer of one's own.
    shoppers = draw_shoppers(kept.shape)
    activity = list(accumulate(shoppers.activity.tolist()))
    return Shop(found["currency"], shoppers.ids, activity, sellers, shown["items"])


async def measure(
    url: str, shop: Shop, plan: Plan, seen: Seen, watch: Watch, say: Callable[[str], object]
) -> None:
    """Ask as planned and wait for the last answers; `say` takes a line a minute."""
    http = HttpClient(url, ANY_NUMBER, CLIENTS_KEEP_S, plan.patience_s, plan.patience_s)
    crowd = Crowd(http, shop, plan, seen)
    asks = {RECOMMENDATIONS: crowd.look, ORDERS: crowd.buy, SALES: crowd.figures, PAGE: crowd.page}
    begun_s = asyncio.get_running_loop().time()
    try:
        async with asyncio.TaskGroup() as tasks:
            for kind, rate in plan.rates.items():
                times = arrivals(rate, plan.seconds, Random(f"{SEED} {kind}"))
                tasks.create_task(_come(tasks, begun_s, times, asks[kind]))
            tasks.create_task(_tell(begun_s, plan.seconds, seen, say))
            tasks.create_task(_look(begun_s, plan, seen, watch))
    finally:
        await http.aclose()


async def _come(
    tasks: asyncio.TaskGroup,
    begun_s: float,
    times: Iterable[float],
    ask: Callable[[], Coroutine[Any, Any, None]],
) -> None:
    """Begin a request at each of the times, whatever has become of those before."""
    for at_s in times:
        await _until(begun_s + at_s)
        tasks.create_task(ask())


async def _tell(begun_s: float, seconds: float, seen: Seen, say: Callable[[str], object]) -> None:
    for minute in range(1, int(seconds / _MINUTE_S) + 1):
        await _until(begun_s + minute * _MINUTE_S)
        say(line(minute, seen.figures(), seen.host()))


async def _look(begun_s: float, plan: Plan, seen: Seen, watch: Watch) -> None:
    for span in range(1, int(plan.seconds / plan.span_s) + 1):
        await _until(begun_s + span * plan.span_s)
        seen.ended(watch.look())


async def _until(at_s: float) -> None:
    await asyncio.sleep(max(0.0, at_s - asyncio.get_running_loop().time()))
