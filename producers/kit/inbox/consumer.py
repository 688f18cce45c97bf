"""Consumes a service's topics: partitions in parallel, each in order, offsets stored after the effects."""

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

import structlog
from confluent_kafka import Consumer, KafkaError, KafkaException, Message

from common.errors import PartUnavailable, Retryable
from common.metrics import INBOX_MESSAGES
from common.timeouts import FETCH_PACE_MS
from producers.kit.backoff import Backoff
from producers.kit.finishing import finish
from producers.kit.inbox.message_processor import MessageProcessor
from producers.kit.inbox.subscription import InboundEvent, Subscription, decode_message, headers_of, key_of
from schemas.codec import Decoder
from schemas.services import consumer_group

log = structlog.get_logger()

BATCH = 200
POLL_S = 0.5
A_DAY_MS = 24 * 60 * 60 * 1000

CONSUMER: Mapping[str, object] = {
    "auto.offset.reset": "earliest",
    "enable.auto.offset.store": False,  # `_store` stores those of processed messages
    "enable.auto.commit": True,  # commits stored offsets once a second and when the consumer closes
    "auto.commit.interval.ms": 1000,
    "session.timeout.ms": 10_000,  # the partitions of a killed process are reassigned after this time
    "heartbeat.interval.ms": 2_000,
    "max.poll.interval.ms": A_DAY_MS,  # no partition is revoked while the process waits for PostgreSQL
    "fetch.wait.max.ms": 100,
    "queued.min.messages": 1,  # with messages that were not taken yet, the next fetch waits for the backoff
    "fetch.queue.backoff.ms": FETCH_PACE_MS,
    "topic.metadata.refresh.interval.ms": 30_000,
    "allow.auto.create.topics": False,
    "reconnect.backoff.max.ms": 1000,
    "log_level": 0,
}


class ServiceConsumer:
    """One member of a service's consumer group. Kafka's client blocks, so it runs in a thread."""

    def __init__(
        self,
        bootstrap: str,
        service: str,
        subscriptions: Mapping[str, Subscription],
        decoder: Decoder,
        processor: MessageProcessor,
        stop_timeout_s: float,
    ) -> None:
        """At a cancellation, messages that are being processed have `stop_timeout_s` to end."""
        self._settings = {**CONSUMER, "bootstrap.servers": bootstrap, "group.id": consumer_group(service)}
        self._service = service
        self._subscriptions = subscriptions
        self._decoder = decoder
        self._processor = processor
        self._stop_timeout_s = stop_timeout_s
        self._processed: Sequence[Message] = ()
        """Messages whose offsets are not stored yet."""
        self.joined = False
        """Whether the group has assigned partitions to this consumer."""
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=f"{service} consumer")

    async def run(self) -> None:
        """Consume until cancelled; retries with back-off while a server is unavailable.

        A cancellation takes effect between two batches: messages are processed to the end and their offsets
        are committed, as far as `stop_timeout_s` allows.
        """
        loop, backoff = asyncio.get_running_loop(), Backoff(f"{self._service} consumer")
        consumer = Consumer(self._settings)
        consumer.subscribe(list(self._subscriptions), on_assign=self._on_assign)
        try:
            while True:
                messages = await loop.run_in_executor(self._thread, self._poll, consumer)
                if messages:
                    await finish(self._handle(messages, backoff), self._stop_timeout_s)
                backoff.reset()
        finally:
            closing = self._thread.submit(self._close, consumer)
            self._thread.shutdown(wait=False)
            await asyncio.wait({asyncio.wrap_future(closing)}, timeout=self._stop_timeout_s)

    async def _handle(self, messages: Sequence[Message], backoff: Backoff) -> None:
        await self._process(await self._read(messages, backoff))
        self._processed = messages

    def _close(self, consumer: Consumer) -> None:
        """Store the last offsets, commit them and leave the group; runs in the thread."""
        _store(consumer, self._processed)
        consumer.close()

    def _on_assign(self, _consumer: Consumer, _partitions: object) -> None:
        self.joined = True

    def _poll(self, consumer: Consumer) -> list[Message]:
        """Store the offsets of processed messages and return the next ones; runs in the thread."""
        _store(consumer, self._processed)
        self._processed = ()
        first = consumer.poll(POLL_S)
        messages = [first, *consumer.consume(BATCH - 1, 0)] if first is not None else []
        return [message for message in messages if not _is_error(message)]

    async def _read(self, messages: Sequence[Message], backoff: Backoff) -> list[InboundEvent]:
        """Decode the messages that concern this service, and skip the others."""
        loop = asyncio.get_running_loop()
        while True:
            try:
                return await loop.run_in_executor(self._thread, self._decode, messages)
            except (PartUnavailable, Retryable) as error:
                await backoff.wait(error)

    def _decode(self, messages: Sequence[Message]) -> list[InboundEvent]:
        events = []
        for message in messages:
            headers, topic = headers_of(message), message.topic() or ""
            if self._subscriptions[topic].concerns(self._service, key_of(message), headers):
                events.append(decode_message(message, headers, self._decoder))
            else:
                INBOX_MESSAGES.labels(self._service, topic, "ignored").inc()
        return events

    async def _process(self, events: Sequence[InboundEvent]) -> None:
        partitions: dict[tuple[str, int], list[InboundEvent]] = defaultdict(list)
        for event in events:
            partitions[event.topic, event.message.partition() or 0].append(event)
        async with asyncio.TaskGroup() as group:
            for batch in partitions.values():
                group.create_task(self._processor.process_batch(batch))


def _store(consumer: Consumer, messages: Sequence[Message]) -> None:
    """Store the offsets of these messages, except in partitions that were revoked meanwhile."""
    for message in messages:
        try:
            consumer.store_offsets(message=message)
        except KafkaException as error:
            if error.args[0].code() != KafkaError._STATE:
                raise


def _is_error(message: Message) -> bool:
    """Return whether this is an error of Kafka's client, from which the client recovers by itself.

    Raises:
        KafkaException: the error is fatal.
    """
    error = message.error()
    if error is None:
        return False
    if error.fatal():
        raise KafkaException(error)
    log.warning("Kafka", error=error.str())
    return True
