"""Fills the topics with the generated order stream, from several processes."""

import os
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from confluent_kafka import Producer

from bench.order_stream import EVENTS, orders
from producers.feed.timeline_producer import bulk_producer_config
from schemas.codec import Encoder
from schemas.events import all_events


def fill_topics(bootstrap: str, schema_ids: dict[str, int], count: int) -> int:
    """Send the events of `count` orders, a share from each process; returns the number of order lines."""
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
    producer = Producer(bulk_producer_config(bootstrap))
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
