"""Sends messages to Kafka in order, and waits until all are acknowledged."""

from collections.abc import Mapping, Sequence
from threading import Event
from typing import Any

import structlog
from confluent_kafka import KafkaError, KafkaException, Producer

from common.errors import Retryable
from common.kafka_producer import producer_config
from producers.kit.outbox.dead_letter_message import oversized_dead_letter
from producers.kit.outbox.message import OutboxMessage

log = structlog.get_logger()

MAX_MESSAGE_BYTES = 1_000_000
"""Less than a broker's limit of 1,048,588, so that the client refuses a larger message, and only that one."""

_FLUSH_S = 0.5


class Publisher:
    """One Kafka producer. Its methods block: call them in a thread. After a `Retryable`, create a new one."""

    def __init__(self, bootstrap: str) -> None:
        self._stopping = Event()
        self._failed: KafkaError | None = None
        self._producer = Producer(
            {
                # No timeout: if one message timed out, a later message with the same key could be delivered.
                **producer_config(bootstrap, linger_ms=1, delivery_timeout_s=None),
                "message.max.bytes": MAX_MESSAGE_BYTES,
                "error_cb": self._on_error,
            }
        )

    def publish(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Send rows of the outbox and wait until all are acknowledged, however long Kafka is unavailable.

        A message that is too large for Kafka is sent to its dead-letter topic instead, truncated.

        Raises:
            Retryable: Kafka refused a message, or `stop` was called. Some messages may have been written.
        """
        for row in rows:
            message = OutboxMessage(row["topic"], row["key"], row["value"], row["headers"])
            try:
                if not self._enqueue(message):
                    log.error("too large for Kafka", topic=row["topic"], position=row["position"])
                    self._enqueue(oversized_dead_letter(message, row["position"]))
            except (BufferError, KafkaException) as error:
                raise Retryable(
                    f"Kafka's client does not accept a message of {row['topic']}: {error}"
                ) from error
        while self._producer.flush(_FLUSH_S) and not self._failed:
            if self._stopping.is_set():
                raise Retryable("stopped while Kafka was unavailable")
        if self._failed:
            raise Retryable(f"Kafka refused a message: {self._failed.str()}")

    def stop(self) -> None:
        """Make `publish` raise; may be called from any thread."""
        self._stopping.set()

    def close(self) -> None:
        """Drop unacknowledged messages. They are still in the outbox."""
        self._producer.purge()

    def _enqueue(self, message: OutboxMessage) -> bool:
        """Pass a message to Kafka's client; return False if it is too large for Kafka."""
        headers = list(message.headers.items())
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
