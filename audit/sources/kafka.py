"""Reads topics from their first message to their end, or to a cut; commits nothing."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, Message, TopicPartition

from common.errors import PartUnavailable
from common.kafka import offset_range, reader_config
from common.kafka_errors import is_retriable, retry_while_retriable

GROUP = "souk_audit"
_BATCH = 5_000
_BATCH_S = 0.1
"""A batch is processed when it is full, or after this time."""

_TIMEOUT_S = 30.0
"""Without a message for this long before the end of a topic, Kafka counts as unavailable."""

Progress = Callable[[str, int, int], None]
"""Called with (topic, messages read, messages in total)."""

Offsets = Mapping[tuple[str, int], int]
"""(topic, partition) → end offset."""


@dataclass(frozen=True)
class DeadLetterRecord:
    """A message of a dead-letter topic: the original value, why it was rejected, and at which stage.

    `before_cut` says whether the dead letter was in Kafka before the cut.
    """

    value: bytes
    reason: str
    stage: str
    before_cut: bool = True


class KafkaTopics:
    """Kafka's side of a comparison. Messages are streamed; none are kept in memory.

    `ends` are the offsets of a cut by topic and partition number; None reads to the present end.
    """

    def __init__(self, bootstrap: str, progress: Progress, ends: Offsets | None = None) -> None:
        self._bootstrap = bootstrap
        self._progress = progress
        self._ends = ends
        self._idle: list[Consumer] = []

    def messages(self, topic: str, *, beyond_cut: bool = False) -> Iterator[Message]:
        """Yield every message up to the cut, in order within a partition; none if the topic does not exist.

        With `beyond_cut`, messages after the cut follow, up to the present end.

        Raises:
            PartUnavailable: Kafka does not answer.
        """
        with self.consumer() as consumer:
            ends = offset_ranges(consumer, topic)
            if self._ends is not None and not beyond_cut:
                ends = {p: (low, min(high, self._ends.get((topic, p), 0))) for p, (low, high) in ends.items()}
            ends = {p: (low, max(low, high)) for p, (low, high) in ends.items()}
            total = sum(high - low for low, high in ends.values())
            open_ends = {partition: high for partition, (low, high) in ends.items() if high > low}
            consumer.assign([TopicPartition(topic, p, OFFSET_BEGINNING) for p in open_ends])
            read, last_message_s = 0, time.monotonic()
            while open_ends:
                batch = consumer.consume(_BATCH, timeout=_BATCH_S)
                if any(message.error() is None for message in batch):
                    last_message_s = time.monotonic()
                elif time.monotonic() - last_message_s > _TIMEOUT_S:
                    raise PartUnavailable(
                        f"Kafka at {self._bootstrap} stopped sending {topic}: is it running?"
                    )
                for message in batch:
                    partition, offset = message.partition() or 0, message.offset() or 0
                    error = message.error()
                    if error is not None:
                        if error.code() == KafkaError._PARTITION_EOF:
                            open_ends.pop(partition, None)
                        elif not is_retriable(error):  # the client retries after retriable errors
                            raise KafkaException(error)
                        continue
                    if partition not in open_ends:
                        continue  # the message is after the end
                    read += 1
                    yield message
                    if offset + 1 >= open_ends[partition]:
                        del open_ends[partition]
                self._progress(topic, read, total)

    def dead_letters(self, topic: str) -> list[DeadLetterRecord]:
        """Return the present messages of `<topic>_dlq`."""
        messages = self.messages(f"{topic}_dlq", beyond_cut=True)
        return [_dead_letter(message, self._is_before_cut(message)) for message in messages]

    def _is_before_cut(self, message: Message) -> bool:
        if self._ends is None:
            return True
        return (message.offset() or 0) < self._ends.get((message.topic() or "", message.partition() or 0), 0)

    @contextmanager
    def consumer(self) -> Iterator[Consumer]:
        """Yield a consumer without subscriptions, which commits nothing.

        It is used again: to close one takes a second now and then.
        """
        consumer = self._idle.pop() if self._idle else self._new_consumer()
        try:
            yield consumer
        except BaseException as error:
            consumer.close()
            if isinstance(error, KafkaException):
                raise PartUnavailable(f"Kafka at {self._bootstrap} does not answer: {error}") from error
            raise
        consumer.unassign()
        self._idle.append(consumer)

    def _new_consumer(self) -> Consumer:
        return Consumer(
            {
                **reader_config(self._bootstrap, GROUP),
                "fetch.wait.max.ms": 20,
                # Metadata of a busy broker may lack a topic: ask again sooner than in five minutes.
                "topic.metadata.refresh.interval.ms": 2_000,
                "log_level": 2,
            }
        )


def offset_ranges(consumer: Consumer, topic: str) -> dict[int, tuple[int, int]]:
    """Return partition → (first offset, end offset); empty if the topic does not exist."""

    def partitions() -> list[int]:
        described = consumer.list_topics(topic, timeout=_TIMEOUT_S).topics[topic]
        if described.error is None:
            return list(described.partitions)
        if described.error.code() == KafkaError.UNKNOWN_TOPIC_OR_PART:
            return []
        raise KafkaException(described.error)

    found = retry_while_retriable(partitions, _TIMEOUT_S)
    return {p: offset_range(consumer, TopicPartition(topic, p), _TIMEOUT_S) for p in found}


def _dead_letter(message: Message, before_cut: bool) -> DeadLetterRecord:
    headers = {name: _text(value) for name, value in dict(message.headers() or ()).items()}
    return DeadLetterRecord(
        message.value() or b"", headers.get("reason", ""), headers.get("stage", ""), before_cut
    )


def _text(value: str | bytes | None) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else value or ""
