"""A small made-up shop for the benchmark of recommendations: a catalogue, and visits that make neighbours."""

import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from confluent_kafka import Producer

from common.ids import new_id
from schemas.codec import Encoder
from schemas.events import all_events

PRODUCTS, CATEGORIES, VISITS, SEEN = 400, 10, 1_000, 6

Record = dict[str, Any]


def product(number: int) -> str:
    """The id of the product with this number."""
    return f"bench-product-{number:04}"


def events(now: datetime, seed: int = 1) -> Iterator[tuple[str, Record]]:
    """(event, record): every product listed, then visits, each within one category, an hour ago and later."""
    drawn = random.Random(seed)
    listed_at = now - timedelta(days=1)
    for number in range(PRODUCTS):
        yield "product_listed", {
            **_event(listed_at), "product_id": product(number), "seller_id": "bench-seller",
            "name": f"Product {number}", "category": f"bench_{number % CATEGORIES}", "currency": "BRL",
            "price_minor": 1_000 + number,
        }  # fmt: skip
        yield "stock_changed", stock(product(number), 100, 1, listed_at)
    for number in range(VISITS):
        category = drawn.randrange(CATEGORIES)
        for step in range(SEEN):
            seen = product(CATEGORIES * drawn.randrange(PRODUCTS // CATEGORIES) + category)
            moment = now - timedelta(hours=1) + timedelta(seconds=step)
            yield "product_viewed", {**_event(moment), "session_id": f"bench-visit-{number}",
                                     "product_id": seen, "source": "direct"}  # fmt: skip


def stock(product_id: str, on_hand: int, version: int, moment: datetime) -> Record:
    """A `stock_changed` that says how many units there are now."""
    return {
        **_event(moment), "product_id": product_id, "seller_id": "bench-seller", "change": 0,
        "on_hand": on_hand, "reserved": 0, "reason": "corrected", "version": version,
    }  # fmt: skip


class Feed:
    """Sends records to Kafka; `flush` returns when all are acknowledged."""

    def __init__(self, bootstrap: str, schema_ids: dict[str, int]) -> None:
        self._producer = Producer({"bootstrap.servers": bootstrap, "acks": "all", "linger.ms": 5})
        self._encoders = {name: Encoder(all_events()[name], number) for name, number in schema_ids.items()}

    def send(self, name: str, record: Record) -> None:
        """Send one record to the topic of its event."""
        value = self._encoders[name].encode(record)
        self._producer.produce(name, value, str(record[all_events()[name].key]).encode())
        self._producer.poll(0)

    def flush(self) -> None:
        """Wait for Kafka."""
        self._producer.flush()


def _event(moment: datetime) -> Record:
    return {"event_id": new_id(), "occurred_at": moment}
