"""How long after it was produced an event can be read by a query, at a steady rate."""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from confluent_kafka import Producer

from bench.stream import orders
from bench.watch import Seen
from schemas.codec import Encoder
from schemas.events import all_events

EVENT = "order_placed"
_POLL_S = 0.02
_PATIENCE_S = 60.0


@dataclass(frozen=True)
class Freshness:
    """Milliseconds from `produce()` to the end of the first query that shows the event."""

    events: int
    p50_ms: float
    p99_ms: float


def measure(
    bootstrap: str,
    schema_id: int,
    counters: dict[str, Callable[[], int]],
    *,
    first_order: int,
    per_second: int,
    seconds: int,
) -> dict[str, Freshness]:
    """Produce one `order_placed` every 1/per_second and watch every counter all the while.

    A counter tells how many orders a query sees; each has its own thread and client. Orders are numbered
    from `first_order` so that none was there before.
    """
    total = per_second * seconds
    encode = Encoder(all_events()[EVENT], schema_id).encode
    messages = [
        (key.encode(), encode(record)) for name, key, record in orders(first_order, total) if name == EVENT
    ]
    before = {name: count() for name, count in counters.items()}
    seen: dict[str, list[Seen]] = {name: [] for name in counters}
    watchers = [
        threading.Thread(target=_watch, args=(count, before[name], total, seen[name]), name=name)
        for name, count in counters.items()
    ]
    for watcher in watchers:
        watcher.start()
    sent_s = _produce(bootstrap, messages, per_second)
    for watcher in watchers:
        watcher.join()
    return {name: freshness(sent_s, each) for name, each in seen.items()}


def freshness(sent_s: Sequence[float], seen: Sequence[Seen]) -> Freshness:
    """Match the i-th sent event with the first look that saw more than i; events never seen are left out."""
    rows = np.maximum.accumulate(np.array([each.rows for each in seen]))
    at_s = np.array([each.at_s for each in seen])
    first_look = np.searchsorted(rows, np.arange(1, len(sent_s) + 1))
    there = first_look < len(rows)
    waited_ms = (at_s[first_look[there]] - np.array(sent_s)[there]) * 1000
    p50, p99 = np.percentile(waited_ms, [50, 99])
    return Freshness(int(there.sum()), round(float(p50), 1), round(float(p99), 1))


def _produce(bootstrap: str, messages: Sequence[tuple[bytes, bytes]], per_second: int) -> list[float]:
    producer = Producer({"bootstrap.servers": bootstrap, "linger.ms": 5, "acks": "all"})
    begun, sent_s = time.monotonic(), []
    for number, (key, value) in enumerate(messages):
        due = begun + number / per_second
        while (wait := due - time.monotonic()) > 0:
            producer.poll(min(wait, 0.005))
        sent_s.append(time.monotonic())
        producer.produce(EVENT, value, key)
    producer.flush()
    return sent_s


def _watch(count: Callable[[], int], before: int, until: int, seen: list[Seen]) -> None:
    quiet_since, last = time.monotonic(), -1
    while last < until and time.monotonic() - quiet_since < _PATIENCE_S:
        rows = count() - before
        now = time.monotonic()
        if rows > last:
            quiet_since, last = now, rows
        seen.append(Seen(now, rows))
        time.sleep(_POLL_S)
