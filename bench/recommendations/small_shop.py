"""Generates a small shop for the recommendations benchmark: a catalogue and visits."""

import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from confluent_kafka import Producer

from common.ids import new_id
from common.kafka_producer import producer_config
from schemas.codec import Encoder
from schemas.events import all_events

PRODUCTS, CATEGORIES, VISITS, VIEWS_PER_VISIT = 400, 10, 1_000, 6

SELLER = "bench-seller"

Record = dict[str, Any]


def product(number: int) -> str:
    """Return the id of the product with this number."""
    return f"bench-product-{number:04}"


def events(now: datetime, seed: int = 1) -> Iterator[tuple[str, Record]]:
    """Yield (event, record): every product's listing, then visits from an hour ago, each in one category."""
    rng = random.Random(seed)
    listed_at = now - timedelta(days=1)
    for number in range(PRODUCTS):
        yield "product_listed", listing(product(number), SELLER, number, listed_at)
        yield "stock_changed", stock(product(number), 100, 1, listed_at)
    for number in range(VISITS):
        category = rng.randrange(CATEGORIES)
        for step in range(VIEWS_PER_VISIT):
            viewed = product(CATEGORIES * rng.randrange(PRODUCTS // CATEGORIES) + category)
            moment = now - timedelta(hours=1) + timedelta(seconds=step)
            yield "product_viewed", {**_event(moment), "session_id": f"bench-visit-{number}",
                                     "product_id": viewed, "source": "direct"}  # fmt: skip


def listing(product_id: str, seller_id: str, number: int, moment: datetime) -> Record:
    """Return a `product_listed` event. The number decides the category and the price."""
    return {
        **_event(moment), "product_id": product_id, "seller_id": seller_id, "name": f"Product {number}",
        "category": f"bench_{number % CATEGORIES}", "currency": "BRL", "price_minor": 1_000 + number,
    }  # fmt: skip


def stock(product_id: str, on_hand: int, version: int, moment: datetime, seller_id: str = SELLER) -> Record:
    """Return a `stock_changed` event that sets a seller's units on hand."""
    return {
        **_event(moment), "product_id": product_id, "seller_id": seller_id, "change": 0,
        "on_hand": on_hand, "reserved": 0, "reason": "corrected", "version": version,
    }  # fmt: skip


class RecordProducer:
    """Produces records to Kafka; `flush` returns when Kafka has acknowledged all of them."""

    def __init__(self, bootstrap: str, schema_ids: dict[str, int]) -> None:
        self._producer = Producer(producer_config(bootstrap, linger_ms=5, delivery_timeout_s=None))
        self._encoders = {name: Encoder(all_events()[name], number) for name, number in schema_ids.items()}

    def send(self, name: str, record: Record) -> None:
        """Produce one record to the topic of its event."""
        value = self._encoders[name].encode(record)
        self._producer.produce(name, value, str(record[all_events()[name].key]).encode())
        self._producer.poll(0)

    def flush(self) -> None:
        """Wait until Kafka has acknowledged every record."""
        self._producer.flush()


def send_shop(producer: RecordProducer, now: datetime) -> list[tuple[str, Record]]:
    """Send the shop's events without its stock, which the inventory service reports itself; return them."""
    sent = [(name, record) for name, record in events(now) if name != "stock_changed"]
    for name, record in sent:
        producer.send(name, record)
    producer.flush()
    return sent


def _event(moment: datetime) -> Record:
    return {"event_id": new_id(), "occurred_at": moment}
