"""Reads whole topics, from their first to their present last message; commits nothing."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, Message, TopicPartition

from common.errors import PartUnavailable
from common.kafka import bounds

GROUP = "souk_audit"
_BATCH = 5_000
_BATCH_S = 0.1
"""A batch is handed over when it is full or after so long."""

_SILENCE_S = 30.0
"""No message for so long before the end of a topic: Kafka has gone."""

Progress = Callable[[str, int, int], None]
"""Called with (topic, messages read, messages in all)."""


@dataclass(frozen=True)
class DeadLetter:
    """One message of a dead-letter topic: what could not be used, where, and why."""

    value: bytes
    reason: str
    stage: str


class KafkaTopics:
    """Kafka's side of a comparison. One topic's messages pass by at a time; none are kept."""

    def __init__(self, bootstrap: str, progress: Progress) -> None:
        self._bootstrap = bootstrap
        self._progress = progress

    def messages(self, topic: str) -> Iterator[Message]:
        """Every message that the topic holds now, in order within each partition; none if it does not exist.

        Raises:
            PartUnavailable: Kafka does not answer.
        """
        with self.consumer() as consumer:
            ends = end_offsets(consumer, topic)
            total = sum(high - low for low, high in ends.values())
            open_ends = {partition: high for partition, (low, high) in ends.items() if high > low}
            consumer.assign([TopicPartition(topic, p, OFFSET_BEGINNING) for p in open_ends])
            seen, heard_s = 0, time.monotonic()
            while open_ends:
                batch = consumer.consume(_BATCH, timeout=_BATCH_S)
                if batch:
                    heard_s = time.monotonic()
                elif time.monotonic() - heard_s > _SILENCE_S:
                    raise PartUnavailable(
                        f"Kafka at {self._bootstrap} stopped sending {topic}: is it running?"
                    )
                for message in batch:
                    partition, offset = message.partition() or 0, message.offset() or 0
                    error = message.error()
                    if error is not None:
                        if error.code() != KafkaError._PARTITION_EOF:
                            raise KafkaException(error)
                        open_ends.pop(partition, None)
                        continue
                    if partition not in open_ends:
                        continue  # it came after we looked where the topic ends
                    seen += 1
                    yield message
                    if offset + 1 >= open_ends[partition]:
                        del open_ends[partition]
                self._progress(topic, seen, total)

    def dead_letters(self, topic: str) -> list[DeadLetter]:
        """What lies in `<topic>_dlq`."""
        return [_dead_letter(message) for message in self.messages(f"{topic}_dlq")]

    @contextmanager
    def consumer(self) -> Iterator[Consumer]:
        """A consumer that subscribes to nothing and commits nothing."""
        consumer = Consumer(
            {
                "bootstrap.servers": self._bootstrap,
                "group.id": GROUP,
                "enable.auto.commit": False,
                "enable.partition.eof": True,
                "fetch.wait.max.ms": 20,
                "log_level": 2,
            }
        )
        try:
            yield consumer
        except KafkaException as error:
            raise PartUnavailable(f"Kafka at {self._bootstrap} does not answer: {error}") from error
        finally:
            consumer.close()


def end_offsets(consumer: Consumer, topic: str) -> dict[int, tuple[int, int]]:
    """Partition → (first offset, offset after the last); empty where the topic does not exist."""
    described = consumer.list_topics(topic, timeout=_SILENCE_S).topics[topic]
    if described.error is not None:
        if described.error.code() == KafkaError.UNKNOWN_TOPIC_OR_PART:
            return {}
        raise KafkaException(described.error)
    return {p: bounds(consumer, TopicPartition(topic, p), _SILENCE_S) for p in described.partitions}


def _dead_letter(message: Message) -> DeadLetter:
    headers = {name: _text(value) for name, value in dict(message.headers() or ()).items()}
    return DeadLetter(message.value() or b"", headers.get("reason", ""), headers.get("stage", ""))


def _text(value: str | bytes | None) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else value or ""
