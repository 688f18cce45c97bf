"""A stream of orders shaped like a real one, with skewed sellers, few lines and five events an order."""

import os
import random
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from multiprocessing import get_context
from typing import Any

from confluent_kafka import Producer

from common.ids import derived_event_id
from producers.feed.timeline_sender import bulk_producer_config
from schemas.codec import Encoder
from schemas.events import all_events

BEGIN_MS = int(datetime(2018, 1, 1, tzinfo=UTC).timestamp() * 1000)
EVENTS = ("order_placed", "payment_captured", "order_confirmed", "order_shipped", "order_delivered")
"""The events of every order, in this order."""

SELLERS, PRODUCTS, SHOPPERS = 3_000, 33_000, 96_000
_PER_ORDER_MS = 6_000
_STEPS_MS = {"payment_captured": 900_000, "order_confirmed": 960_000, "order_shipped": 2 * 86_400_000,
             "order_delivered": 9 * 86_400_000}  # fmt: skip

Headers = list[tuple[str, str | bytes | None]]
KeyedEvent = tuple[str, str, dict[str, Any]]
"""(event, key, record)"""


def orders(first: int, count: int, seed: int = 1) -> Iterator[KeyedEvent]:
    """Yield the events of orders `first` … `first + count - 1`, 14,400 orders a day from 2018 on.

    Sellers and products are drawn from a squared uniform distribution, so the top tenth of the sellers has a
    third of the lines. One order in eight has two or three lines. The same arguments give the same events.
    """
    for number in range(first, first + count):
        rng = random.Random(seed << 40 | number)
        placed_id, shopper_id = order_id(number), f"shopper-{rng.randrange(SHOPPERS)}"
        at_ms = placed_ms(number)
        lines = [_line(rng, at + 1) for at in range(1 + (rng.random() < 0.12) + (rng.random() < 0.02))]
        yield _event("order_placed", at_ms, placed_id, shopper_id=shopper_id, currency="BRL", lines=lines,
                     estimated_delivery_at=None, session_id=None)  # fmt: skip
        amount = sum(line["quantity"] * line["unit_price_minor"] + line["shipping_minor"] for line in lines)
        moments = {name: at_ms + delay for name, delay in _STEPS_MS.items()}
        yield _event("payment_captured", moments["payment_captured"], placed_id, payment_id=f"{placed_id}-1",
                     shopper_id=shopper_id, method="credit_card", installments=1, currency="BRL",
                     amount_minor=amount)  # fmt: skip
        yield _event("order_confirmed", moments["order_confirmed"], placed_id, shopper_id=shopper_id,
                     placed_at=at_ms, currency="BRL", lines=lines)  # fmt: skip
        shipment = {"shipment_id": f"{placed_id}-1", "seller_id": lines[0]["seller_id"]}
        yield _event("order_shipped", moments["order_shipped"], placed_id, **shipment, carrier=None,
                     tracking_code=None)  # fmt: skip
        yield _event("order_delivered", moments["order_delivered"], placed_id, **shipment)


def order_id(number: int) -> str:
    """Return the id of the order with this number. Ids sort in the order of the numbers."""
    return f"{number:032x}"


def placed_ms(number: int) -> int:
    """Return when the order with this number is placed: ten orders a minute, the first at the full minute."""
    return BEGIN_MS + number * _PER_ORDER_MS


def count_lines(first: int, count: int, seed: int = 1) -> int:
    """Return how many order lines `orders` yields for the same arguments."""
    return sum(
        len(record["lines"]) for name, _, record in orders(first, count, seed) if name == "order_placed"
    )


def _line(rng: random.Random, number: int) -> dict[str, Any]:
    return {
        "line_number": number,
        "product_id": f"product-{int(rng.random() ** 2 * PRODUCTS)}",
        "seller_id": f"seller-{int(rng.random() ** 2 * SELLERS)}",
        "quantity": 1 + (rng.random() < 0.08),
        "unit_price_minor": rng.randrange(500, 30_000),
        "discount_minor": 0,
        "shipping_minor": rng.randrange(0, 4_000),
        "tax_minor": 0,
        "commission_bp": 1_000,
    }


def _event(name: str, occurred_ms: int, order: str, **fields: Any) -> KeyedEvent:
    event_id = derived_event_id(occurred_ms, "bench", name, order)
    return name, order, {"event_id": event_id, "occurred_at": occurred_ms, "order_id": order, **fields}


def fill_topics(bootstrap: str, schema_ids: dict[str, int], count: int) -> int:
    """Send the events of `count` orders, a share from each process; returns the number of order lines."""
    parts = min(os.cpu_count() or 1, 8)
    share = -(-count // parts)
    with ProcessPoolExecutor(parts, mp_context=get_context("spawn")) as pool:
        done = [
            pool.submit(_send, bootstrap, schema_ids, first, min(share, count - first))
            for first in range(0, count, share)
        ]
        return sum(each.result() for each in done)


def _send(bootstrap: str, schema_ids: dict[str, int], first: int, count: int) -> int:
    encoders = {name: Encoder(all_events()[name], schema_ids[name]) for name in EVENTS}
    producer = Producer(bulk_producer_config(bootstrap))
    lines = 0
    for name, key, record in orders(first, count):
        if name == "order_placed":
            lines += len(record["lines"])
        produce(producer, name, encoders[name].encode(record), key.encode())
    producer.flush()
    return lines


def produce(producer: Producer, topic: str, value: bytes, key: bytes, headers: Headers | None = None) -> None:
    """Produce a message, and wait while the producer's queue is full."""
    while True:
        try:
            producer.produce(topic, value, key, headers=headers or [])
            return
        except BufferError:
            producer.poll(0.1)
