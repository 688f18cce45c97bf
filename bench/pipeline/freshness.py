"""Measures, at a steady rate, how long it takes until a query shows a produced event."""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from confluent_kafka import Producer

from bench.order_stream import orders
from bench.pipeline.sampling import PAUSE_RATIO, Sample
from common.kafka_producer import producer_config
from schemas.codec import Encoder
from schemas.events import all_events

SALE = ("order_placed", "order_confirmed")
"""The events that make an order a sale; they are sent together."""

WARM_UP_S = 30
_POLL_S = 0.02
_TICK_S = 0.005
"""Events that fall due within a tick are sent at its end; waiting for each event would keep a core busy."""
_IDLE_TIMEOUT_S = 60.0


@dataclass(frozen=True)
class Freshness:
    """Milliseconds from `produce()` to the end of the first query that shows the event."""

    events: int
    p50_ms: float
    p99_ms: float


def measure(
    bootstrap: str,
    schema_ids: Mapping[str, int],
    counters: dict[str, Callable[[], int]],
    *,
    first_order: int,
    per_second: int,
    seconds: int,
) -> dict[str, Freshness]:
    """Produce the events of `SALE` of `per_second` orders a second and poll every counter meanwhile.

    A counter returns how many orders a query counts. Each counter runs in its own thread with its own client.
    Orders are numbered from `first_order`, so all of them are new. The events of the first `WARM_UP_S` are
    not measured, because a JVM that has just started still compiles.
    """
    warm, total = per_second * WARM_UP_S, per_second * (WARM_UP_S + seconds)
    encoders = {name: Encoder(all_events()[name], schema_ids[name]) for name in SALE}
    sales: dict[str, list[bytes]] = {}
    for name, key, record in orders(first_order, total):
        if name in SALE:
            sales.setdefault(key, []).append(encoders[name].encode(record))
    before = {name: count() for name, count in counters.items()}
    samples: dict[str, list[Sample]] = {name: [] for name in counters}
    pollers = [
        threading.Thread(target=_poll, args=(count, before[name], total, samples[name]), name=name)
        for name, count in counters.items()
    ]
    for poller in pollers:
        poller.start()
    sent_s = _produce(bootstrap, list(sales.items()), per_second)
    for poller in pollers:
        poller.join()
    return {name: freshness(sent_s, each, warm) for name, each in samples.items()}


def freshness(sent_s: Sequence[float], samples: Sequence[Sample], first: int = 0) -> Freshness:
    """Match the i-th sent event with the first sample of more than i rows, from event `first` on.

    Events that no sample shows are left out.
    """
    rows = np.maximum.accumulate(np.array([each.rows for each in samples]))
    at_s = np.array([each.at_s for each in samples])
    first_sample = np.searchsorted(rows, np.arange(first + 1, len(sent_s) + 1))
    visible = first_sample < len(rows)
    waited_ms = (at_s[first_sample[visible]] - np.array(sent_s[first:])[visible]) * 1000
    p50, p99 = np.percentile(waited_ms, [50, 99])
    return Freshness(int(visible.sum()), round(float(p50), 1), round(float(p99), 1))


def _produce(bootstrap: str, sales: Sequence[tuple[str, list[bytes]]], per_second: int) -> list[float]:
    producer = Producer(producer_config(bootstrap, linger_ms=5, delivery_timeout_s=None))
    begun = time.monotonic()
    sent_s: list[float] = []
    while len(sent_s) < len(sales):
        time.sleep(_TICK_S)
        due = int((time.monotonic() - begun) * per_second) + 1
        for key, values in sales[len(sent_s) : due]:
            sent_s.append(time.monotonic())
            for event, value in zip(SALE, values, strict=True):
                producer.produce(event, value, key.encode())
        producer.poll(0)
    producer.flush()
    return sent_s


def _poll(count: Callable[[], int], before: int, until: int, samples: list[Sample]) -> None:
    idle_since, last = time.monotonic(), -1
    while last < until and time.monotonic() - idle_since < _IDLE_TIMEOUT_S:
        begun = time.monotonic()
        rows = count() - before
        now = time.monotonic()
        if rows > last:
            idle_since, last = now, rows
        samples.append(Sample(now, rows))
        time.sleep(max(_POLL_S, PAUSE_RATIO * (now - begun)))
