"""Reads a service's topics: partitions beside each other, each in order, offsets kept after the effects."""

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

import structlog
from confluent_kafka import Consumer, KafkaError, KafkaException, Message

from common.errors import PartUnavailable, Retryable
from common.metrics import INBOX_MESSAGES
from producers.backoff import Backoff
from producers.inbox.acting import Acting
from producers.inbox.subscription import Received, Subscription, headers_of, key_of, receive
from schemas.codec import Decoder

log = structlog.get_logger()

BATCH = 200
POLL_S = 0.5
A_DAY_MS = 24 * 60 * 60 * 1000

CONSUMER: Mapping[str, object] = {
    "auto.offset.reset": "earliest",
    "enable.auto.offset.store": False,  # only what was acted on
    "enable.auto.commit": True,  # of what is stored, once a second and when the consumer closes
    "auto.commit.interval.ms": 1000,
    "session.timeout.ms": 10_000,  # so long a killed process keeps its partitions from the next
    "heartbeat.interval.ms": 2_000,
    "max.poll.interval.ms": A_DAY_MS,  # waiting for PostgreSQL is no reason to lose the partitions
    "fetch.wait.max.ms": 100,
    "topic.metadata.refresh.interval.ms": 30_000,
    "allow.auto.create.topics": False,
    "reconnect.backoff.max.ms": 1000,
    "log_level": 0,
}


def group_of(service: str) -> str:
    """The consumer group of a service."""
    return f"souk_{service}"


class ServiceConsumer:
    """One member of the service's consumer group. Kafka's client blocks, so it has a thread."""

    def __init__(
        self,
        bootstrap: str,
        service: str,
        subscriptions: Mapping[str, Subscription],
        decoder: Decoder,
        acting: Acting,
    ) -> None:
        self._settings = {**CONSUMER, "bootstrap.servers": bootstrap, "group.id": group_of(service)}
        self._service = service
        self._subscriptions = subscriptions
        self._decoder = decoder
        self._acting = acting
        self.joined = False
        """Whether it has been given partitions: from then on it misses nothing."""
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=f"{service} consumer")

    async def run(self) -> None:
        """Consume until cancelled; waits with back-off while Kafka, the registry or PostgreSQL is away."""
        loop, backoff = asyncio.get_running_loop(), Backoff(f"{self._service} consumer")
        consumer = Consumer(self._settings)
        consumer.subscribe(list(self._subscriptions), on_assign=self._on_assign)
        acted_on: Sequence[Message] = ()
        try:
            while True:
                messages = await loop.run_in_executor(self._thread, self._poll, consumer, acted_on)
                if messages:
                    await self._act(await self._read(messages, backoff))
                acted_on = messages
                backoff.reset()
        finally:
            self._thread.submit(consumer.close)
            self._thread.shutdown(wait=False)

    def _on_assign(self, _consumer: Consumer, _partitions: object) -> None:
        self.joined = True

    def _poll(self, consumer: Consumer, acted_on: Sequence[Message]) -> list[Message]:
        """Some messages; waits for the first. Keeps the positions of the last ones before. In its thread."""
        _store(consumer, acted_on)
        first = consumer.poll(POLL_S)
        if first is None:
            return []
        messages = [first, *consumer.consume(BATCH - 1, 0)]
        return [message for message in messages if not _failed(message)]

    async def _read(self, messages: Sequence[Message], backoff: Backoff) -> list[Received]:
        """Decode what concerns this service; the rest is history, however much of it there is."""
        loop = asyncio.get_running_loop()
        while True:
            try:
                return await loop.run_in_executor(self._thread, self._decode, messages)
            except (PartUnavailable, Retryable) as error:
                await backoff.wait(error)

    def _decode(self, messages: Sequence[Message]) -> list[Received]:
        concerning = []
        for message in messages:
            headers, topic = headers_of(message), message.topic() or ""
            if self._subscriptions[topic].concerns(self._service, key_of(message), headers):
                concerning.append(receive(message, headers, self._decoder))
            else:
                INBOX_MESSAGES.labels(self._service, topic, "ignored").inc()
        return concerning

    async def _act(self, received: Sequence[Received]) -> None:
        partitions: dict[tuple[str, int], list[Received]] = defaultdict(list)
        for one in received:
            partitions[one.topic, one.message.partition() or 0].append(one)
        async with asyncio.TaskGroup() as group:
            for queue in partitions.values():
                group.create_task(self._acting.act_on_all(queue))


def _store(consumer: Consumer, messages: Sequence[Message]) -> None:
    """Keep the positions after these messages; a partition that was taken away meanwhile keeps its own."""
    for message in messages:
        try:
            consumer.store_offsets(message=message)
        except KafkaException as error:
            if error.args[0].code() != KafkaError._STATE:
                raise


def _failed(message: Message) -> bool:
    """Whether this is Kafka's client saying that something is wrong; it goes on by itself."""
    error = message.error()
    if error is None:
        return False
    if error.fatal():
        raise KafkaException(error)
    log.warning("Kafka", error=error.str())
    return True
