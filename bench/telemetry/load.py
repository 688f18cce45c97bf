"""The two loads of the telemetry benchmark: checkouts through the API, and events through Flink."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from secrets import token_hex

import asyncpg
from confluent_kafka import Producer

from bench import row_counts
from bench.http_load import Load, LoadRequest, LoadResult
from bench.order_stream import EVENTS, Headers, orders, produce
from bench.serving.spike_traffic import make_requests
from bench.temporary_platform import TemporaryPlatform, fetch_count
from clickhouse.client import connect
from common.errors import SoukError
from common.settings import Settings
from common.tracing import span_id_of_event
from producers.feed.timeline_sender import bulk_producer_config
from schemas.codec import Encoder
from schemas.events import all_events
from schemas.setup import register

CONNECTIONS = 32
WARM_UP_S = 5.0

OPEN_AT_MOST = 100
"""No request is sent while more orders are open, or their events not yet in Kafka."""

LOOK_S = 0.2
"""Seconds between two looks at the open orders."""

GUEST_SETS = 4
"""Sets of guests of a round, so that no limit of a guest refuses a checkout."""

REFUSED_AT_MOST = 0.01

SETTLE_TIMEOUT_S = 300.0
POLL_S = 0.2

PROBE = "postgres"
"""This part does the same for a checkout with and without tracing (it has the same commits and writes as many
bytes), so its CPU time for one says how fast the machine was: that of a virtual one changes by a third."""

CALM_CORES = 0.7
"""The platform uses fewer cores than this once nothing is left to do; without traffic, it uses 0.3 to 0.6."""

CALM_WINDOWS, CALM_WINDOW_S = 2, 2.0
"""It is calm if it uses that few in so many windows, one after another, of so many seconds."""

_COUNT_OPEN = """
SELECT
    (SELECT count(*) FROM orders.orders WHERE status = 'placed')
    + (SELECT count(*) FROM orders.outbox)
    + (SELECT count(*) FROM inventory.outbox)
    + (SELECT count(*) FROM payments.outbox)
"""
"""Counts the orders that have not ended, and the events that are not in Kafka yet."""


@dataclass(frozen=True)
class CheckoutLoad:
    """Checkouts at saturation, besides those of the warm-up.

    `cpu_ms_by_part` is that of each part for one, with all that it causes.
    """

    accepted: int
    warm_up: int
    per_second: float
    cpu_ms_by_part: dict[str, float]

    @property
    def in_all(self) -> int:
        """The checkouts with those of the warm-up."""
        return self.accepted + self.warm_up

    @property
    def cpu_ms(self) -> float:
        """The CPU time of all parts for a checkout."""
        return sum(self.cpu_ms_by_part.values())

    @property
    def per_second_at_equal_speed(self) -> float:
        """Checkouts in as much time as a machine of constant speed takes for a second's work of `PROBE`."""
        return self.per_second * self.cpu_ms_by_part[PROBE]


@dataclass(frozen=True)
class EventLoad:
    """A burst of events of orders. `cpu_us` is that of all parts for one."""

    per_second: float
    cpu_us: float


def measure_checkouts(platform: TemporaryPlatform, seconds: float, seed: int) -> CheckoutLoad:
    """Place orders for `seconds`, as fast as the platform brings them to their ends.

    The API takes them three times as fast, which says how much the machine leaves for later. So no request is
    sent while more than `OPEN_AT_MOST` orders have not ended.

    Raises:
        SoukError: more than one in a hundred is refused, they do not end, or the platform stays busy.
    """
    settings = platform.settings
    seeds = range(GUEST_SETS * seed, GUEST_SETS * (seed + 1))
    requests = [request for each in seeds for request in make_requests(settings, each)["checkout"]]
    load = Load(settings.serving, CONNECTIONS)
    warm_up = asyncio.run(_sustain(load, requests, WARM_UP_S, settings))
    before = platform.cpu_s()
    result = asyncio.run(_sustain(load, requests, seconds, settings))
    if len(result.failed_seconds) > REFUSED_AT_MOST * len(result.seconds):
        raise SoukError(f"the shop refused checkouts: {result.failed} by status, {len(result.seconds)} taken")
    _await(lambda: asyncio.run(fetch_count(settings, _COUNT_OPEN)) == 0, "the orders' end")
    await_calm(platform)
    accepted = len(result.seconds)
    cpu_ms = {part: round(used * 1000 / accepted, 3) for part, used in _used_s(platform, before).items()}
    return CheckoutLoad(accepted, len(warm_up.seconds), round(result.rate, 2), cpu_ms)


async def _sustain(
    load: Load, requests: Sequence[LoadRequest], seconds: float, settings: Settings
) -> LoadResult:
    """Send requests for `seconds`, and none while too many orders are open."""
    gate = asyncio.Event()
    watcher = asyncio.create_task(_watch_open(settings, gate, time.monotonic() + seconds))
    result = await load.saturate(requests, seconds, gate)
    await watcher
    return result


async def _watch_open(settings: Settings, gate: asyncio.Event, until: float) -> None:
    connection = await asyncpg.connect(settings.postgres)
    try:
        while time.monotonic() < until:
            is_open = await connection.fetchval(_COUNT_OPEN) < OPEN_AT_MOST
            (gate.set if is_open else gate.clear)()
            await asyncio.sleep(LOOK_S)
    finally:
        gate.set()
        await connection.close()


def measure_events(platform: TemporaryPlatform, count: int, part: int) -> EventLoad:
    """Send events of new orders to Kafka at once, and wait until all are in ClickHouse's facts.

    Each order has a trace of its own. `part` numbers the measurements of a platform. Call it while that is
    calm, so that no other rows arrive.
    """
    settings = platform.settings
    per_part = -(-count // len(EVENTS))
    ids = register(settings).schema_ids
    encoders = {name: Encoder(all_events()[name], ids[name]) for name in EVENTS}
    trace = ""
    messages = []
    for name, key, record in orders(part * per_part, per_part):
        if name == EVENTS[0]:
            trace = token_hex(16)
        headers: Headers = [("traceparent", f"00-{trace}-{span_id_of_event(record['event_id'])}-01")]
        messages.append((name, encoders[name].encode(record), key.encode(), headers))
    with connect(settings) as client:
        had = row_counts.count(client, row_counts.FACTS)
        before, begun = platform.cpu_s(), time.monotonic()
        producer = Producer(bulk_producer_config(settings.kafka))
        for topic, value, order, traced in messages:
            produce(producer, topic, value, order, traced)
        producer.flush()
        _await(
            lambda: row_counts.count(client, row_counts.FACTS) - had >= len(messages), "the events' arrival"
        )
        elapsed_s = time.monotonic() - begun
    await_calm(platform)
    used_s = sum(_used_s(platform, before).values())
    return EventLoad(round(len(messages) / elapsed_s, 1), round(used_s * 1e6 / len(messages), 2))


def await_calm(platform: TemporaryPlatform) -> None:
    """Wait until the platform has nothing left to do: what a load has caused is not in the next one.

    Raises:
        SoukError: it stays busy.
    """
    calm, deadline, before = 0, time.monotonic() + SETTLE_TIMEOUT_S, sum(platform.cpu_s().values())
    while calm < CALM_WINDOWS:
        begun = time.monotonic()
        if begun > deadline:
            raise SoukError(f"the platform was still busy after {SETTLE_TIMEOUT_S:.0f} s")
        time.sleep(CALM_WINDOW_S)
        now = sum(platform.cpu_s().values())
        calm = calm + 1 if now - before < CALM_CORES * (time.monotonic() - begun) else 0
        before = now


def _used_s(platform: TemporaryPlatform, before: dict[str, float]) -> dict[str, float]:
    return {part: seconds - before.get(part, 0.0) for part, seconds in platform.cpu_s().items()}


def _await(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + SETTLE_TIMEOUT_S
    while not condition():
        if time.monotonic() > deadline:
            raise SoukError(f"{what} took longer than {SETTLE_TIMEOUT_S:.0f} s")
        time.sleep(POLL_S)
