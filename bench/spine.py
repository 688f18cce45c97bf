"""The spine's speed: Kafka → Flink → ClickHouse beside ClickHouse's own Kafka engine, freshness, memory."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

from clickhouse_connect.driver.client import Client
from rich.console import Console

from bench import counts
from bench.copy import Copy, copy_of
from bench.freshness import EVENT, WARM_UP_S, Freshness, measure
from bench.load import fill
from bench.peer import kafka_engine
from bench.stream import EVENTS, line_count
from bench.watch import Rate, rate, watch
from clickhouse.client import connect
from common.settings import Settings
from schemas.setup import register

TIMEOUT_S = 1_800.0


@dataclass(frozen=True)
class Plan:
    """What to run: events to fill the topics with, then `seconds` of `per_second` orders for freshness."""

    events: int
    per_second: int
    seconds: int
    port_offset: int


@dataclass(frozen=True)
class Measured:
    """Everything that one run measured."""

    plan: Plan
    flink: Rate
    peers: dict[str, Rate]
    """Title → rate."""
    freshness: dict[str, Freshness]
    memory_bytes: dict[str, int]

    @property
    def ratios(self) -> dict[str, float]:
        """Flink's steady rate over each peer's."""
        return {
            title: self.flink.steady_per_second / peer.steady_per_second for title, peer in self.peers.items()
        }


def run(settings: Settings, plan: Plan, console: Console) -> Measured:
    """Measure on a copy of the platform of its own. Takes minutes; the machine should do nothing else.

    Raises:
        SoukError: the copy does not start, or rows do not arrive within half an hour.
    """
    orders = -(-max(plan.events // len(EVENTS), 10) // 10) * 10
    with copy_of(settings, plan.port_offset, console) as copy:
        ids = register(copy.settings).schema_ids
        copy.stop_jobs()
        console.print(f"filling the topics with {orders * len(EVENTS):,} events")
        lines = fill(copy.settings.kafka, ids, orders)
        console.print("Kafka → Flink → ClickHouse")
        flink = _flink(copy, orders, lines)
        memory = copy.memory()
        console.print(f"freshness at {plan.per_second:,} events a second")
        fresh = _freshness(copy.settings, ids[EVENT], orders, plan)
        copy.stop_jobs()
        more = plan.per_second * (WARM_UP_S + plan.seconds)
        all_lines = lines + line_count(orders, more)
        peers = {}
        for peer in kafka_engine.PEERS:
            console.print(f"Kafka → ClickHouse, {peer.title}")
            peers[peer.title] = _peer(copy.settings, peer, orders * len(EVENTS) + more, all_lines, orders)
    return Measured(plan, flink, peers, fresh, memory)


def _flink(copy: Copy, orders: int, lines: int) -> Rate:
    with connect(copy.settings, admin=True) as client, ThreadPoolExecutor(1) as starter:
        started = starter.submit(copy.start_jobs)
        measured = _watch(client, orders * len(EVENTS), lines, orders)
        started.result()
    return measured


def _peer(settings: Settings, peer: kafka_engine.Peer, events: int, lines: int, orders: int) -> Rate:
    client = kafka_engine.prepare(settings, peer)
    try:
        with ThreadPoolExecutor(1) as starter:
            started = starter.submit(kafka_engine.read, settings, peer)
            measured = _watch(client, events, lines, orders)
            started.result()
        return measured
    finally:
        kafka_engine.stop(client, peer)


def _watch(client: Client, events: int, lines: int, orders: int) -> Rate:
    """Watch until facts, sales and order states are complete; an event counts when it is in all of them."""

    def everywhere() -> int:
        shares = (
            counts.facts(client) / events,
            counts.lines_added_up(client) / lines,
            counts.orders_delivered(client) / orders,
        )
        return int(min(shares) * events)

    return rate(watch(everywhere, events, TIMEOUT_S))


def _freshness(settings: Settings, schema_id: int, first_order: int, plan: Plan) -> dict[str, Freshness]:
    with connect(settings) as for_facts, connect(settings) as for_sales:
        counters: dict[str, Callable[[], int]] = {
            "facts": partial(counts.orders_placed, for_facts),
            "aggregates": partial(counts.orders_sold_from, for_sales, first_order),
        }
        return measure(
            settings.kafka,
            schema_id,
            counters,
            first_order=first_order,
            per_second=plan.per_second,
            seconds=plan.seconds,
        )
