"""Settles the returns that orders accepted before the event `return_settled` existed.

Until then inventory and payments read `order_returned` themselves. What they had not read at the update, they
learn from here. A database that has no such returns reads nothing.
"""

import asyncio
from collections.abc import Collection, Iterator
from contextlib import closing

import structlog
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaException, TopicPartition

from common.errors import PartUnavailable, Rejected
from common.kafka import messages_and_ends, reader_config
from common.settings import Settings
from producers.kit.backoff import retry_until_done
from producers.kit.outbox.trace import Trace
from producers.kit.outbox.transaction import Transactions
from producers.kit.postgres.errors import RETRYABLE
from producers.services.orders import store
from producers.services.orders.handlers import settled
from schemas.codec import Decoder, Record
from schemas.registry import SchemaRegistry

log = structlog.get_logger()

TOPIC = "order_returned"
TIMEOUT_S = 20.0


async def settle_returns_of_before(transactions: Transactions, settings: Settings) -> None:
    """Emit `return_settled` for each return that waits for it, then end."""

    async def step() -> None:
        async with transactions.connection() as sql:
            return_ids = await store.find_unsettled_returns(sql)
        for event in await asyncio.to_thread(_read, settings, return_ids) if return_ids else ():
            async with transactions.begin(Trace(event["order_id"])) as tx:
                if await store.settle_return(tx, event["order_id"], event["return_id"]):
                    # With the id of its cause, services skip what they have read as `order_returned`.
                    tx.emit("return_settled", event_id=event["event_id"], **settled(event))
                    log.info("a return of before is settled", order_id=event["order_id"])

    await retry_until_done("returns of before", step, (*RETRYABLE, PartUnavailable, KafkaException))


def _read(settings: Settings, return_ids: Collection[str]) -> list[Record]:
    """Return the events of these returns.

    Raises:
        KafkaException, PartUnavailable: Kafka or the registry does not answer.
    """
    consumer = Consumer(reader_config(settings.kafka, "souk_returns_of_before"))
    with closing(consumer), SchemaRegistry(settings.registry) as registry:
        partitions = consumer.list_topics(TOPIC, TIMEOUT_S).topics[TOPIC].partitions
        consumer.assign([TopicPartition(TOPIC, number, OFFSET_BEGINNING) for number in partitions])
        return list(_records(consumer, len(partitions), Decoder(registry.schema), return_ids))


def _records(
    consumer: Consumer, partitions: int, decoder: Decoder, return_ids: Collection[str]
) -> Iterator[Record]:
    ended = 0
    for message, is_end in messages_and_ends(consumer, TIMEOUT_S):
        ended += is_end
        if ended == partitions:
            return
        if not is_end:
            try:
                record = decoder.decode(message.value())
            except Rejected:
                continue  # its dead letter says why
            if record["return_id"] in return_ids:
                yield record
