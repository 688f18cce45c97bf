"""A message whose handler fails unexpectedly is dead-lettered, and later messages are processed."""

import asyncio
from typing import Any

import orjson
import pytest
from confluent_kafka import Consumer, Message, Producer
from confluent_kafka.admin import AdminClient, NewTopic

from common.clock import system_clock
from common.errors import Rejected
from common.ids import new_id
from producers.kit.inbox.message_processor import MessageProcessor
from producers.kit.inbox.subscription import InboundEvent, Subscription
from producers.kit.outbox.dead_letter_message import MAX_TRACEBACK_CHARS
from producers.kit.outbox.message import EventWriter
from producers.kit.outbox.transaction import Transactions
from producers.kit.postgres.listen_notify import Notifier
from producers.kit.postgres.pool import make_pool
from tests.integration.commerce.conftest import SPARE

TOPIC = "recreated"
"""A topic that only these tests use; no process reads it."""

ERRORS = 'souk_unexpected_errors_total{event="order_placed",service="inventory"}'


def twice_line_one(product_id: str) -> list[dict[str, Any]]:
    """Two order lines with the same number, which violate the primary key of inventory's `reserved_lines`."""
    line = {
        "line_number": 1, "product_id": product_id, "seller_id": "seller-1", "quantity": 1,
        "unit_price_minor": 1, "discount_minor": 0, "shipping_minor": 0, "tax_minor": 0, "commission_bp": 0,
    }  # fmt: skip
    return [line, line]


def error_count(shop) -> float:
    lines = shop.http.get("/metrics").text.splitlines()
    return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith(ERRORS))


def test_a_message_that_breaks_its_handler_is_dead_lettered_and_its_partition_goes_on(shop, eventually):
    order_id, lamp = new_id(), shop.product(stock=5)
    order = {"order_id": order_id, "shopper_id": "ana", "currency": "BRL"}
    errors_before = error_count(shop)

    shop.tell("order_placed", "orders", **order, lines=twice_line_one(lamp))
    behind = shop.tell("order_placed", "orders", **order, lines=twice_line_one(lamp)[:1])

    (letter,) = eventually(
        lambda: [
            dict(message.headers())
            for message in shop.messages("order_placed_dlq")
            if message.key() == order_id.encode()
        ]
    )
    assert letter["stage"] == b"inventory"
    assert letter["reason"].startswith(b"unexpected error after 5 attempts: UniqueViolationError: ")
    assert b"in reserve" in letter["traceback"]
    assert len(letter["traceback"].decode()) <= MAX_TRACEBACK_CHARS
    assert error_count(shop) == errors_before + 1
    eventually(lambda: shop.sql("SELECT FROM inventory.inbox WHERE id = $1", behind))
    assert shop.stock(lamp) == (5, 1)
    assert shop.settled(shop.buy(lamp))["status"] == "confirmed"
    assert shop.process.poll() is None


@pytest.mark.usefixtures("books")
def test_an_event_that_its_handler_does_not_record_is_dead_lettered(shop):
    async def forget(tx, event):
        """A handler that does nothing and does not record the event."""

    processed = InboundEvent(first_message(shop, b"an event"), {}, {"event_id": new_id()})

    asyncio.run(process(shop, processed, Subscription(TOPIC, forget, records_event=True)))

    (headers,) = letters(shop)
    assert "without recording it" in headers["reason"]


@pytest.mark.usefixtures("books")
def test_a_rejected_message_is_dead_lettered_once_and_another_in_its_place_of_a_new_kafka_is_too(shop):
    first = InboundEvent(first_message(shop, b"garbage"), {}, Rejected("no"))
    asyncio.run(process(shop, first))
    asyncio.run(process(shop, first))
    assert len(letters(shop)) == 1

    second = InboundEvent(first_message(shop, b"garbage"), {}, Rejected("no"))
    asyncio.run(process(shop, second))

    assert first.location == second.location == f"{TOPIC}/0/0"
    assert len(letters(shop)) == 2


async def process(shop, event: InboundEvent, subscription: Subscription | None = None) -> None:
    """Process an event as the service of the spare schema, whose outbox no relay reads."""
    async with make_pool(shop.settings, SPARE, 1) as pool:
        transactions = Transactions(pool, EventWriter(SPARE, {}), system_clock, Notifier(SPARE))
        subscriptions = {TOPIC: subscription} if subscription else {}
        await MessageProcessor(SPARE, subscriptions, transactions).process(event)


def letters(shop) -> list[dict[str, str]]:
    """Headers of the dead letters in the spare outbox."""
    rows = shop.sql(f"SELECT headers FROM {SPARE}.outbox ORDER BY position")
    return [orjson.loads(row["headers"]) for row in rows]


def first_message(shop, value: bytes) -> Message:
    """Create the topic with one message, as after the loss of Kafka's disk; return the message."""
    admin = AdminClient({"bootstrap.servers": shop.settings.kafka})
    for done in admin.create_topics([NewTopic(TOPIC, 1, 1)]).values():
        done.result()
    producer = Producer({"bootstrap.servers": shop.settings.kafka})
    producer.produce(TOPIC, value)
    assert producer.flush(60) == 0
    consumer = Consumer(
        {"bootstrap.servers": shop.settings.kafka, "group.id": new_id(), "auto.offset.reset": "earliest"}
    )
    consumer.subscribe([TOPIC])
    try:
        message = consumer.poll(60)
    finally:
        consumer.close()
    for done in admin.delete_topics([TOPIC]).values():
        done.result()
    return message
