"""How fast the simulator makes a history, beside a plain stream of orders that is made one by one.

Seconds are of this process' CPU, so that a busy machine does not change them much.
"""

import gc
import json
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass

from rich.console import Console
from rich.table import Table

from bench.stream import EVENTS, orders
from common.clock import system_clock, to_millis
from producers.feed.messages import messages
from producers.simulator.history.days import History
from producers.simulator.history.plan import Plan
from producers.simulator.world.shape import Shape
from schemas.codec import Encoder
from schemas.events import all_events

AIM_PER_S = 50_000


@dataclass(frozen=True)
class Pace:
    """So many events in so many CPU seconds."""

    events: int
    cpu_s: float

    @property
    def per_s(self) -> float:
        """Events in a CPU second."""
        return self.events / self.cpu_s if self.cpu_s else 0.0


@dataclass(frozen=True)
class Measured:
    """`columns`: events as columns, as the feed takes them. `records`: with their ids, as records. `wire`: as
    Kafka messages. The peer's are the same of the made-up stream."""

    columns: Pace
    records: Pace
    wire: Pace
    peer_records: Pace
    peer_wire: Pace

    @property
    def ratio(self) -> float:
        """How many records the simulator makes while its peer makes one."""
        return self.records.per_s / self.peer_records.per_s


def run(events: int, seed: int) -> Measured:
    """Make a history of about so many events three times, and as many of the peer twice."""
    plan = Plan(Shape(seed=seed), to_millis(system_clock()), events=events)
    per_order = len(EVENTS)
    return Measured(
        columns=_timed(lambda: (len(timeline) for timeline in History(plan).days())),
        records=_timed(lambda: _records(plan)),
        wire=_timed(lambda: _wire(plan)),
        peer_records=_timed(lambda: (1 for _ in orders(0, events // per_order, seed))),
        peer_wire=_timed(lambda: _peer_wire(events // per_order, seed)),
    )


def show(measured: Measured, console: Console) -> None:
    """Print a table."""
    table = Table("one core", "events", "simulator, events/s", "plain stream, events/s", "ratio")
    for column in table.columns[1:]:
        column.justify = "right"
    table.add_row("columns", f"{measured.columns.events:,}", f"{measured.columns.per_s:,.0f}", "", "")
    pairs = {
        "records": (measured.records, measured.peer_records),
        "Avro": (measured.wire, measured.peer_wire),
    }
    for name, (ours, peer) in pairs.items():
        ratio = f"{ours.per_s / peer.per_s:.2f}"
        table.add_row(name, f"{ours.events:,}", f"{ours.per_s:,.0f}", f"{peer.per_s:,.0f}", ratio)
    table.caption = f"aim: {AIM_PER_S:,} events/s"
    console.print(table)


def as_json(measured: Measured) -> str:
    """Everything measured, as one JSON object."""
    paces = {name: pace | {"per_s": getattr(measured, name).per_s} for name, pace in asdict(measured).items()}
    return json.dumps(paces | {"ratio": measured.ratio, "aim_per_s": AIM_PER_S}, indent=2)


def _records(plan: Plan) -> Iterable[int]:
    for timeline in History(plan).days():
        for events in timeline.events:
            fields = ("event_id", "occurred_at", *events.columns)
            rows = zip(events.ids(), events.occurred_at.tolist(), *events.columns.values(), strict=True)
            yield sum(1 for row in rows if dict(zip(fields, row, strict=True)))


def _wire(plan: Plan) -> Iterable[int]:
    ids = dict.fromkeys(all_events(), 1)
    for timeline in History(plan).days():
        for source in messages(timeline, 0, ids):
            yield sum(1 for _ in source)


def _peer_wire(count: int, seed: int) -> Iterable[int]:
    encoders = {name: Encoder(all_events()[name], 1) for name in EVENTS}
    for name, _, record in orders(0, count, seed):
        encoders[name].encode(record)
        yield 1


def _timed(make: Callable[[], Iterable[int]]) -> Pace:
    gc.collect()
    gc.disable()
    try:
        began_s = time.process_time()
        events = sum(make())
        return Pace(events, time.process_time() - began_s)
    finally:
        gc.enable()
