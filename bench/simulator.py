"""Measures how fast the simulator generates a history, beside a plain stream of orders generated one by one.

Seconds are CPU time of this process, so a busy machine changes them little.
"""

import gc
import json
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass

from rich.console import Console
from rich.table import Table

from bench.order_stream import EVENTS, orders
from common.clock import system_clock, to_millis
from producers.feed.messages import messages
from producers.simulator.history.days import SimulatedHistory
from producers.simulator.history.plan import HistoryPlan
from producers.simulator.world.shape import WorldShape
from schemas.codec import Encoder
from schemas.events import all_events

AIM_PER_S = 50_000


@dataclass(frozen=True)
class Throughput:
    """Events generated, and the CPU seconds that they took."""

    events: int
    cpu_s: float

    @property
    def per_s(self) -> float:
        """Return the events generated in a CPU second."""
        return self.events / self.cpu_s if self.cpu_s else 0.0


@dataclass(frozen=True)
class SimulatorBenchResult:
    """`columns`: events as columns. `records`: events as records with ids. `wire`: as Kafka messages.

    `peer_records` and `peer_wire` are the same of the plain stream.
    """

    columns: Throughput
    records: Throughput
    wire: Throughput
    peer_records: Throughput
    peer_wire: Throughput

    @property
    def ratio(self) -> float:
        """Return how many records the simulator generates while its peer generates one."""
        return self.records.per_s / self.peer_records.per_s


def run(events: int, seed: int) -> SimulatorBenchResult:
    """Generate a history of about `events` events three times, and as many of the peer twice."""
    plan = HistoryPlan(WorldShape(seed=seed), to_millis(system_clock()), events=events)
    per_order = len(EVENTS)
    return SimulatorBenchResult(
        columns=_timed(lambda: (len(timeline) for timeline in SimulatedHistory(plan).days())),
        records=_timed(lambda: _records(plan)),
        wire=_timed(lambda: _wire(plan)),
        peer_records=_timed(lambda: (1 for _ in orders(0, events // per_order, seed))),
        peer_wire=_timed(lambda: _peer_wire(events // per_order, seed)),
    )


def show(result: SimulatorBenchResult, console: Console) -> None:
    """Print a table."""
    table = Table("one core", "events", "simulator, events/s", "plain stream, events/s", "ratio")
    for column in table.columns[1:]:
        column.justify = "right"
    table.add_row("columns", f"{result.columns.events:,}", f"{result.columns.per_s:,.0f}", "", "")
    pairs = {
        "records": (result.records, result.peer_records),
        "Avro": (result.wire, result.peer_wire),
    }
    for name, (ours, peer) in pairs.items():
        ratio = f"{ours.per_s / peer.per_s:.2f}"
        table.add_row(name, f"{ours.events:,}", f"{ours.per_s:,.0f}", f"{peer.per_s:,.0f}", ratio)
    table.caption = f"aim: {AIM_PER_S:,} events/s"
    console.print(table)


def as_json(result: SimulatorBenchResult) -> str:
    """Return the result as one JSON object."""
    throughputs = {
        name: throughput | {"per_s": getattr(result, name).per_s}
        for name, throughput in asdict(result).items()
    }
    return json.dumps(throughputs | {"ratio": result.ratio, "aim_per_s": AIM_PER_S}, indent=2)


def _records(plan: HistoryPlan) -> Iterable[int]:
    for timeline in SimulatedHistory(plan).days():
        for events in timeline.events:
            fields = ("event_id", "occurred_at", *events.columns)
            rows = zip(events.ids(), events.occurred_at.tolist(), *events.columns.values(), strict=True)
            yield sum(1 for row in rows if dict(zip(fields, row, strict=True)))


def _wire(plan: HistoryPlan) -> Iterable[int]:
    ids = dict.fromkeys(all_events(), 1)
    for timeline in SimulatedHistory(plan).days():
        for source in messages(timeline, 0, ids):
            yield sum(1 for _ in source)


def _peer_wire(count: int, seed: int) -> Iterable[int]:
    encoders = {name: Encoder(all_events()[name], 1) for name in EVENTS}
    for name, _, record in orders(0, count, seed):
        encoders[name].encode(record)
        yield 1


def _timed(make: Callable[[], Iterable[int]]) -> Throughput:
    gc.collect()
    gc.disable()
    try:
        began_s = time.process_time()
        events = sum(make())
        return Throughput(events, time.process_time() - began_s)
    finally:
        gc.enable()
