"""Reads the events that drop cached responses from Kafka, in one process of all, and records what changed."""

import asyncio
import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from secrets import token_hex
from time import monotonic
from typing import Any

import structlog
from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition
from confluent_kafka.admin import OffsetSpec
from redis import Redis, RedisError

from common.kafka import KafkaCluster
from common.metrics import CACHE_CHANGES
from common.settings import Settings
from schemas.services import OTHERS
from serving.kit.cache.keys import (
    CATALOGUE,
    FLOOR,
    POPULAR,
    SEQUENCE,
    WATCHED,
    WATCHER,
    product_tag,
    seller_tag,
    tag_key,
)
from serving.kit.cache.store import MAX_AGE_MS, SETTLING_MS, script

MAX_TAGS = 500
"""With more tags at once, everything is dropped in one write. Most entries have one of these tags anyway."""

WATCHER_TTL_MS = 3_000
"""After this time without `keep_watching`, another process may become the watcher."""

_TAG_TTL_MS = MAX_AGE_MS + SETTLING_MS
"""A tag is needed until the last entry has expired that was computed before its change."""


class ChangeLog:
    """Records in Redis the newest change of each tag: cached responses with the tag are dropped. It blocks.

    Its methods raise `redis.RedisError` if Redis does not answer.
    """

    def __init__(self, redis: Redis) -> None:
        self._change = redis.register_script(script("change"))
        self._watch = redis.register_script(script("watch"))

    def record(self, tags: Collection[str]) -> None:
        """Drop the entries that have one of these tags; with more than `MAX_TAGS` tags, all entries."""
        if len(tags) > MAX_TAGS:
            self.drop_everything()
        elif tags:
            self._change(keys=(SEQUENCE, FLOOR), args=(tag_key(""), _TAG_TTL_MS, *tags))

    def drop_everything(self) -> None:
        """Drop all entries."""
        self._change(keys=(SEQUENCE, FLOOR), args=(tag_key(""), _TAG_TTL_MS))

    def keep_watching(self, token: str, up_to_date: bool) -> bool:
        """Become or stay the watcher: the one process that reads the events. Return whether that succeeded.

        `up_to_date` is whether all changes have been recorded. Unless the watcher says so every
        `WATCHER_TTL_MS`, entries are used for a short time only.
        """
        return bool(self._watch(keys=(WATCHER, WATCHED), args=(token, WATCHER_TTL_MS, int(up_to_date))))


def _listing(product_id: str) -> tuple[str, ...]:
    return product_tag(product_id), CATALOGUE


DROPPED_BY: Mapping[str, Callable[[str], tuple[str, ...]]] = {
    "product_listed": _listing,
    "product_changed": _listing,
    "product_delisted": _listing,
    "stock_changed": lambda product_id: (product_tag(product_id),),
    "order_confirmed": lambda _order_id: (POPULAR,),
    "seller_registered": lambda seller_id: (seller_tag(seller_id),),
    "seller_changed": lambda seller_id: (seller_tag(seller_id),),
}
"""Event → its key in Kafka → the tags of the responses to drop.

A list of products is dropped by every change of a listing, because a product may have entered or left it. An
event does not name the former category of a product.
"""

OTHERS["serving/kit/cache"].check_reads(DROPPED_BY)


RECORD_INTERVAL_S = 0.1
"""Changes are recorded at most this often."""

CHECK_INTERVAL_S = 1.0
"""How often the watcher compares its position with the ends of the topics. Another process tries as often to
become the watcher."""

TIMEOUT_S = 2.0
"""Timeout of a request to Kafka or Redis."""

BATCH = 2_000

CONSUMER: dict[str, Any] = {
    "group.id": "souk_cache",  # required by the client; nothing is committed
    "enable.auto.commit": False,
    "auto.offset.reset": "error",  # a gap: the watcher starts again and drops everything
    "enable.partition.eof": True,
    "allow.auto.create.topics": False,
    "fetch.wait.max.ms": 100,
    "reconnect.backoff.max.ms": 1_000,
    "log_level": 0,
}

_LATEST: Any = OffsetSpec.latest()

Partition = tuple[str, int]
"""Topic and partition number."""

log = structlog.get_logger()


class CacheWatcher:
    """A thread that tries to become the watcher, and then records the changes that it reads.

    The watcher begins at the ends of the topics and drops everything first, because it does not know what
    happened before. While Kafka does not answer, it is not up to date, and entries are used for a short time
    only (`MAX_AGE_UNWATCHED_MS`).
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._token = token_hex(8)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="cache-watcher", daemon=True)

    def start(self) -> None:
        """Start the thread. It connects to Redis, and to Kafka once it is the watcher."""
        self._thread.start()

    def stop(self) -> None:
        """Stop the thread, and wait for its end for a short time."""
        self._stopping.set()
        self._thread.join(TIMEOUT_S)

    async def aclose(self) -> None:
        """Stop as `stop` does, without blocking the event loop."""
        await asyncio.to_thread(self.stop)

    def _run(self) -> None:
        failure = ""
        with Redis.from_url(
            self._settings.redis, socket_timeout=TIMEOUT_S, socket_connect_timeout=TIMEOUT_S
        ) as redis:
            changes = ChangeLog(redis)
            while not self._stopping.is_set():
                try:
                    if changes.keep_watching(self._token, up_to_date=False):
                        self._watch(changes)
                        failure = ""
                except (RedisError, KafkaException) as error:
                    if str(error) != failure:
                        log.warning("cached responses are not dropped by events", reason=str(error))
                    failure = str(error)
                self._stopping.wait(CHECK_INTERVAL_S)

    def _watch(self, changes: ChangeLog) -> None:
        """Record changes until another process is the watcher.

        Raises:
            KafkaException: Kafka does not answer, a topic is missing, or messages have been missed.
            RedisError: Redis does not answer, or is full.
        """
        cluster = KafkaCluster(self._settings.kafka)
        ends = _ends(cluster)
        consumer = Consumer({**CONSUMER, "bootstrap.servers": self._settings.kafka})
        try:
            consumer.assign([TopicPartition(*partition, end) for partition, end in ends.items()])
            changes.drop_everything()
            reading = TopicReading(dict(ends))
            recorded_at = checked_at = monotonic()
            while not self._stopping.is_set():
                reading.take(consumer.consume(BATCH, RECORD_INTERVAL_S))
                if reading.tags and monotonic() - recorded_at >= RECORD_INTERVAL_S:
                    _record(changes, reading)
                    recorded_at = monotonic()
                if monotonic() - checked_at >= CHECK_INTERVAL_S:
                    if not changes.keep_watching(self._token, not reading.tags and reading.has_reached(ends)):
                        return
                    ends = _ends(cluster)
                    checked_at = monotonic()
        finally:
            consumer.close()


class TopicReading:
    """The tags that messages have changed, and the position in each partition."""

    def __init__(self, positions: dict[Partition, int]) -> None:
        self.tags: set[str] = set()
        self._positions = positions

    def take(self, messages: Sequence[Message]) -> None:
        """Add messages.

        Raises:
            KafkaException: messages have been missed.
        """
        for message in messages:
            error = message.error()
            if error is not None and error.code() != KafkaError._PARTITION_EOF:
                raise KafkaException(error)
            topic, offset = message.topic() or "", message.offset() or 0
            # The offset at the end counts control records, too. They are not returned as messages.
            self._positions[topic, message.partition() or 0] = offset if error else offset + 1
            # With more tags than this, everything is dropped: their names no longer matter.
            if error is None and len(self.tags) <= MAX_TAGS:
                key: Any = message.key() or b""
                self.tags.update(DROPPED_BY[topic](key.decode(errors="replace")))

    def has_reached(self, ends: dict[Partition, int]) -> bool:
        """Return whether all messages before these offsets have been taken."""
        return all(self._positions.get(partition, 0) >= end for partition, end in ends.items())


def _record(changes: ChangeLog, reading: TopicReading) -> None:
    changes.record(reading.tags)
    CACHE_CHANGES.labels("everything" if len(reading.tags) > MAX_TAGS else "tags").inc()
    reading.tags = set()


def _ends(cluster: KafkaCluster) -> dict[Partition, int]:
    """Return the end offset of each partition of the topics.

    Raises:
        KafkaException: Kafka does not answer, or a topic is missing.
    """
    topics = cluster.metadata(TIMEOUT_S).topics
    if missing := DROPPED_BY.keys() - topics.keys():
        raise KafkaException(KafkaError(KafkaError.UNKNOWN_TOPIC_OR_PART, f"no topic {min(missing)}"))
    partitions = {
        TopicPartition(name, number): _LATEST for name in DROPPED_BY for number in topics[name].partitions
    }
    answers = cluster.client.list_offsets(partitions, request_timeout=TIMEOUT_S)
    return {(at.topic, at.partition): answer.result().offset for at, answer in answers.items()}
