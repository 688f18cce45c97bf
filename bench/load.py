"""Fills the topics with the made-up stream, from several processes."""

import os
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from confluent_kafka import Producer

from bench.stream import EVENTS, orders
from schemas.codec import Encoder
from schemas.events import all_events

PRODUCER = {"compression.type": "lz4", "linger.ms": 20, "batch.size": 512 * 1024, "acks": "all",
            "queue.buffering.max.messages": 200_000, "partitioner": "murmur2_random"}  # fmt: skip


def fill(bootstrap: str, schema_ids: dict[str, int], count: int) -> int:
    """Send the events of `count` orders; the number of order lines among them. Each process sends a part."""
    parts = min(os.cpu_count() or 1, 8)
    share = -(-count // parts)
    firsts = range(0, count, share)
    with ProcessPoolExecutor(parts, mp_context=get_context("spawn")) as pool:
        done = [
            pool.submit(_send, bootstrap, schema_ids, first, min(share, count - first)) for first in firsts
        ]
        return sum(each.result() for each in done)


def _send(bootstrap: str, schema_ids: dict[str, int], first: int, count: int) -> int:
    encoders = {name: Encoder(all_events()[name], schema_ids[name]) for name in EVENTS}
    producer = Producer(PRODUCER | {"bootstrap.servers": bootstrap})
    lines = 0
    for name, key, record in orders(first, count):
        if name == "order_placed":
            lines += len(record["lines"])
        value = encoders[name].encode(record)
        while True:
            try:
                producer.produce(name, value, key.encode())
                break
            except BufferError:
                producer.poll(0.1)
    producer.flush()
    return lines
