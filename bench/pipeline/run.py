"""Measures Kafka → Flink → ClickHouse beside ClickHouse's own Kafka engine: throughput, freshness, memory."""

import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console

from bench import row_counts
from bench.order_stream import EVENTS, count_lines, fill_topics
from bench.pipeline import peer_engine
from bench.pipeline.freshness import SALE, WARM_UP_S, Freshness, measure
from bench.pipeline.peer_engine import NOTES
from bench.pipeline.sampling import Rate, Sample, poll_until, rate
from bench.row_counts import ProgressQueries, QueryClient
from bench.tables import print_notes, print_table
from bench.temporary_platform import TemporaryPlatform, temporary_platform
from clickhouse.client import connect
from common.settings import Settings
from jobs.flink_client import FlinkClient
from schemas.setup import register

TIMEOUT_S = 1_800.0

SETTLE_S = 20.0
"""The pause before the platform without traffic is measured: its parts have just started."""

_MIB = 1 << 20


@dataclass(frozen=True)
class PipelineBenchPlan:
    """What to measure: `idle_s` seconds without traffic, if any, then the load of `events` events, then the
    freshness at `per_second` events a second for `seconds`, and at last the peers if `with_peers`.
    """

    events: int
    per_second: int
    seconds: int
    port_offset: int
    idle_s: int = 0
    with_peers: bool = True

    @property
    def orders_per_second(self) -> int:
        """The orders of `per_second` events."""
        return max(self.per_second // len(SALE), 1)


@dataclass(frozen=True)
class PipelineBenchResult:
    """The figures of one run."""

    plan: PipelineBenchPlan
    flink: Rate
    peers: dict[str, Rate]
    """Title → rate."""
    freshness: dict[str, Freshness]
    memory_bytes: dict[str, int]
    cpu_us_per_event: dict[str, float]
    """Part → CPU time in microseconds an event, from the submission of the jobs to the last row."""
    idle_cores: dict[str, float]
    """Part → cores in use while the whole platform runs without traffic; empty if it was not measured."""
    shape: dict[str, int]
    """What the platform has of each thing that costs: stored tables, materialised views, jobs."""

    @property
    def ratios(self) -> dict[str, float]:
        """Flink's overall rate over each peer's."""
        return {title: self.flink.per_second / peer.per_second for title, peer in self.peers.items()}

    @property
    def total_idle_cores(self) -> float | None:
        """The cores that all parts use without traffic; None if that was not measured."""
        return round(sum(self.idle_cores.values()), 3) if self.idle_cores else None

    @property
    def total_cpu_us_per_event(self) -> float:
        """The CPU time of all parts in microseconds an event."""
        return round(sum(self.cpu_us_per_event.values()), 2)


def run(settings: Settings, plan: PipelineBenchPlan, console: Console) -> PipelineBenchResult:
    """Measure on a temporary platform. A run takes minutes; the machine should do nothing else.

    Raises:
        SoukError: the platform does not start, or rows do not arrive within half an hour.
    """
    orders = -(-max(plan.events // len(EVENTS), 10) // 10) * 10
    with temporary_platform(settings, plan.port_offset, console) as platform:
        ids = register(platform.settings).schema_ids
        idle = _idle_cores(platform, plan.idle_s, console) if plan.idle_s else {}
        shape = _shape(platform.settings)
        platform.stop_jobs()
        console.print(f"filling the topics with {orders * len(EVENTS):,} events")
        lines = fill_topics(platform.settings.kafka, ids, orders)
        console.print("Kafka → Flink → ClickHouse")
        before = platform.cpu_s()
        flink = _flink(platform, orders, lines)
        used = {part: seconds - before.get(part, 0) for part, seconds in platform.cpu_s().items()}
        cpu_us = {part: round(seconds * 1e6 / flink.rows, 2) for part, seconds in used.items()}
        memory = platform.memory()
        console.print(f"freshness at {plan.per_second:,} events a second")
        fresh = _freshness(platform.settings, ids, orders, plan)
        platform.stop_jobs()
        fresh_orders = plan.orders_per_second * (WARM_UP_S + plan.seconds)
        all_lines = lines + count_lines(orders, fresh_orders)
        events = orders * len(EVENTS) + fresh_orders * len(SALE)
        peers = _peers(platform.settings, events, all_lines, orders, console) if plan.with_peers else {}
    return PipelineBenchResult(plan, flink, peers, fresh, memory, cpu_us, idle, shape)


def _idle_cores(platform: TemporaryPlatform, seconds: int, console: Console) -> dict[str, float]:
    """Return the cores that each part uses without traffic, `SETTLE_S` after the platform is ready."""
    time.sleep(SETTLE_S)
    console.print(f"without traffic for {seconds} s")
    before, begun = platform.cpu_s(), time.monotonic()
    time.sleep(seconds)
    after, took_s = platform.cpu_s(), time.monotonic() - begun
    return {part: round((cpu_s - before.get(part, 0)) / took_s, 4) for part, cpu_s in after.items()}


def _shape(settings: Settings) -> dict[str, int]:
    with connect(settings, admin=True) as client, FlinkClient(settings.flink) as flink:
        engines = client.query(
            "SELECT if(engine = 'MaterializedView', 'materialised views', 'stored tables') AS kind, count() "
            "FROM system.tables WHERE startsWith(database, {database:String}) AND engine != 'View' "
            "GROUP BY kind ORDER BY kind",
            {"database": settings.clickhouse_database},
        ).result_rows
        return {
            **{kind: int(count) for kind, count in engines},
            "jobs": sum(not job.ended for job in flink.jobs()),
        }


def _flink(platform: TemporaryPlatform, orders: int, lines: int) -> Rate:
    with connect(platform.settings, admin=True) as client, ThreadPoolExecutor(1) as starter:
        queries = row_counts.of_platform(platform.settings.clickhouse_database)
        begun = Sample(time.monotonic(), 0)
        started = starter.submit(platform.start_jobs)
        result = _measure_rate(
            client,
            queries,
            orders * len(EVENTS),
            lines,
            orders,
            begun,
            lambda: started.done() and started.result(),
        )
        started.result()
    return result


def _peers(settings: Settings, events: int, lines: int, orders: int, console: Console) -> dict[str, Rate]:
    peers = {}
    with peer_engine.embedded_engine(settings.clickhouse_database) as folder:
        for peer in peer_engine.PEERS:
            console.print(f"Kafka → ClickHouse, {peer.title}")
            peers[peer.title] = _peer(settings, peer, folder, events, lines, orders)
    return peers


def _peer(
    settings: Settings, peer: peer_engine.Peer, folder: Path, events: int, lines: int, orders: int
) -> Rate:
    client = peer_engine.prepare(settings, peer, folder)
    try:
        begun = Sample(time.monotonic(), 0)
        peer_engine.read(client, peer)
        return _measure_rate(client, row_counts.OF_PEER, events, lines, orders, begun)
    finally:
        peer_engine.stop(client, peer)


def _measure_rate(
    client: QueryClient,
    queries: ProgressQueries,
    events: int,
    lines: int,
    orders: int,
    begun: Sample,
    check: Callable[[], object] = lambda: None,
) -> Rate:
    """Poll until facts, sales and order states are complete; an event is complete once it is in all of them.

    `begun` is from before the topics were read; the first poll may already find rows. `check` runs before
    each poll and raises to end the measurement.
    """

    def progress() -> tuple[int, int]:
        check()
        facts = row_counts.count(client, row_counts.FACTS)
        shares = (
            facts / events,
            row_counts.count(client, queries.lines) / lines,
            row_counts.count(client, queries.delivered) / orders,
        )
        return facts, int(min(shares) * events)

    return rate([begun, *poll_until(progress, events, TIMEOUT_S)])


def _freshness(
    settings: Settings, schema_ids: Mapping[str, int], first_order: int, plan: PipelineBenchPlan
) -> dict[str, Freshness]:
    with connect(settings) as for_facts, connect(settings) as for_sales:
        counters: dict[str, Callable[[], int]] = {
            "facts": partial(row_counts.count, for_facts, row_counts.PLACED_ORDERS),
            "aggregates": partial(row_counts.aggregated_orders_from, for_sales, first_order),
        }
        return measure(
            settings.kafka,
            schema_ids,
            counters,
            first_order=first_order,
            per_second=plan.orders_per_second,
            seconds=plan.seconds,
        )


def show(result: PipelineBenchResult, console: Console) -> None:
    """Print tables of rates, freshness and memory."""
    ratios = ", ".join(f"{ratio:.2f}" for ratio in result.ratios.values())
    print_table(
        console,
        ("Kafka → ClickHouse", "events", "events/s", "steady events/s", "complete after"),
        (
            (title, *_cells(rate))
            for title, rate in {"Flink (facts and rankings)": result.flink, **result.peers}.items()
        ),
        title="Rate",
        caption=f"Flink's overall rate divided by the others': {ratios}" if ratios else None,
    )
    print_table(
        console,
        ("readable in", "events", "p50", "p99"),
        (
            (name, f"{each.events:,}", f"{each.p50_ms:,.0f} ms", f"{each.p99_ms:,.0f} ms")
            for name, each in result.freshness.items()
        ),
        title=f"Freshness at {result.plan.per_second:,}/s",
    )
    memory = result.memory_bytes | {"total": sum(result.memory_bytes.values())}
    print_table(
        console,
        ("part", "resident"),
        ((part, f"{size / _MIB:,.0f} MiB") for part, size in memory.items()),
        title="Memory after the load",
    )
    cpu = _largest_first(result.cpu_us_per_event) | {"total": result.total_cpu_us_per_event}
    print_table(
        console,
        ("part", "CPU an event"),
        ((part, f"{micros:,.1f} µs") for part, micros in cpu.items()),
        title="CPU of the load",
    )
    if result.total_idle_cores is not None:
        idle = _largest_first(result.idle_cores) | {"total": result.total_idle_cores}
        print_table(
            console,
            ("part", "cores"),
            ((part, f"{cores:.3f}") for part, cores in idle.items()),
            title=f"Without traffic for {result.plan.idle_s} s",
        )
    console.print(", ".join(f"{count} {name}" for name, count in result.shape.items()), highlight=False)
    print_notes(console, NOTES if result.peers else ())


def as_plain(result: PipelineBenchResult) -> dict[str, Any]:
    """Return everything that was measured, for JSON."""
    figures = {
        "overall_events_per_s": result.flink.per_second,
        "steady_events_per_s": result.flink.steady_per_second,
        "peer_overall_events_per_s": {title: peer.per_second for title, peer in result.peers.items()},
        "total_cpu_us_per_event": result.total_cpu_us_per_event,
        "total_idle_cores": result.total_idle_cores,
    }
    return figures | asdict(result) | {"ratios": result.ratios, "notes": NOTES}


def _largest_first(by_part: Mapping[str, float]) -> dict[str, float]:
    return dict(sorted(by_part.items(), key=lambda item: -item[1]))


def _cells(rate: Rate) -> tuple[str, str, str, str]:
    return (
        f"{rate.rows:,}",
        f"{rate.per_second:,.0f}",
        f"{rate.steady_per_second:,.0f}",
        f"{rate.seconds:,.1f} s",
    )
