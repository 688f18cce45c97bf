"""Puts messages into Kafka, in order, and returns once every one is acknowledged."""

from collections.abc import Mapping, Sequence
from threading import Event
from typing import Any

import orjson
import structlog
from confluent_kafka import KafkaError, KafkaException, Producer

from common.errors import Retryable
from producers.outbox.letters import too_large
from producers.outbox.message import Message

log = structlog.get_logger()

PRODUCER: Mapping[str, object] = {
    "enable.idempotence": True,  # acks=all, in order within a partition, no duplicate by retrying
    "message.timeout.ms": 0,  # never give one message up while a later one of its key gets through
    "compression.type": "lz4",
    "linger.ms": 1,
    "message.max.bytes": 1_000_000,  # less than a broker's 1,048,588: too large shows here, and for one alone
    "retry.backoff.max.ms": 500,
    "reconnect.backoff.max.ms": 1000,
    "partitioner": "murmur2_random",  # the Java clients' choice of partition for a key
    "log_level": 0,
}

_LOOK_S = 0.5


class Publisher:
    """A producer of its own; blocking, for a thread. After a Retryable, make a new one."""

    def __init__(self, bootstrap: str) -> None:
        self._stopping = Event()
        self._failed: KafkaError | None = None
        self._producer = Producer({**PRODUCER, "bootstrap.servers": bootstrap, "error_cb": self._on_error})

    def publish(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Send rows of the outbox and wait until all are acknowledged, however long Kafka is away.

        One that is too large for Kafka goes, cut short, to its dead letters: those behind it must not wait.

        Raises:
            Retryable: Kafka refused one, or `stop` was called; some may lie in Kafka all the same.
        """
        for row in rows:
            message = Message(row["topic"], row["key"], row["value"], row["headers"])
            try:
                if not self._takes(message):
                    log.error("too large for Kafka", topic=row["topic"], position=row["position"])
                    self._takes(too_large(message, row["position"]))
            except (BufferError, KafkaException) as error:
                raise Retryable(
                    f"Kafka's client does not take a message of {row['topic']}: {error}"
                ) from error
        while self._producer.flush(_LOOK_S) and not self._failed:
            if self._stopping.is_set():
                raise Retryable("stopped while Kafka was away")
        if self._failed:
            raise Retryable(f"Kafka refused a message: {self._failed.str()}")

    def stop(self) -> None:
        """Make `publish` give up; from any thread."""
        self._stopping.set()

    def close(self) -> None:
        """Drop what was not acknowledged: it is in the outbox still."""
        self._producer.purge()

    def _takes(self, message: Message) -> bool:
        """Hand a message to Kafka's client; False when it is larger than a message can ever be."""
        headers = list(orjson.loads(message.headers).items())
        try:
            self._producer.produce(
                message.topic, message.value, message.key, headers=headers, on_delivery=self._delivered
            )
        except KafkaException as error:
            if error.args[0].code() != KafkaError.MSG_SIZE_TOO_LARGE:
                raise
            return False
        return True

    def _delivered(self, error: KafkaError | None, _message: object) -> None:
        self._failed = self._failed or error

    def _on_error(self, error: KafkaError) -> None:
        if error.fatal():
            self._failed = error
