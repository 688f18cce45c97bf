"""How long after it was produced an event can be read by a query, at a steady rate."""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from confluent_kafka import Producer

from bench.stream import orders
from bench.watch import REST, Seen
from schemas.codec import Encoder
from schemas.events import all_events

EVENT = "order_placed"
WARM_UP_S = 30
_POLL_S = 0.02
_TICK_S = 0.005
"""What falls due in a tick is sent at its end: waiting for each event would keep a core busy."""
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
    from `first_order` so that none was there before. The first `WARM_UP_S` are sent before those of the
    `seconds`, and not measured: a JVM that just started compiles.
    """
    warm, total = per_second * WARM_UP_S, per_second * (WARM_UP_S + seconds)
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
    return {name: freshness(sent_s, each, warm) for name, each in seen.items()}


def freshness(sent_s: Sequence[float], seen: Sequence[Seen], first: int = 0) -> Freshness:
    """Match the i-th sent event with the first look that saw more than i, from the `first` event on.

    Events that were never seen are left out.
    """
    rows = np.maximum.accumulate(np.array([each.rows for each in seen]))
    at_s = np.array([each.at_s for each in seen])
    first_look = np.searchsorted(rows, np.arange(first + 1, len(sent_s) + 1))
    there = first_look < len(rows)
    waited_ms = (at_s[first_look[there]] - np.array(sent_s[first:])[there]) * 1000
    p50, p99 = np.percentile(waited_ms, [50, 99])
    return Freshness(int(there.sum()), round(float(p50), 1), round(float(p99), 1))


def _produce(bootstrap: str, messages: Sequence[tuple[bytes, bytes]], per_second: int) -> list[float]:
    producer = Producer({"bootstrap.servers": bootstrap, "linger.ms": 5, "acks": "all"})
    begun = time.monotonic()
    sent_s: list[float] = []
    while len(sent_s) < len(messages):
        time.sleep(_TICK_S)
        due = int((time.monotonic() - begun) * per_second) + 1
        for key, value in messages[len(sent_s) : due]:
            sent_s.append(time.monotonic())
            producer.produce(EVENT, value, key)
        producer.poll(0)
    producer.flush()
    return sent_s


def _watch(count: Callable[[], int], before: int, until: int, seen: list[Seen]) -> None:
    quiet_since, last = time.monotonic(), -1
    while last < until and time.monotonic() - quiet_since < _PATIENCE_S:
        asked = time.monotonic()
        rows = count() - before
        now = time.monotonic()
        if rows > last:
            quiet_since, last = now, rows
        seen.append(Seen(now, rows))
        time.sleep(max(_POLL_S, REST * (now - asked)))
