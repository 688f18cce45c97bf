"""Messages in Kafka are searched for an event until each partition has reached its end."""

from collections.abc import Iterable

import pytest
from confluent_kafka import KafkaError, KafkaException

from common.errors import PartUnavailable
from local.logs.order_events import _messages
from tests.kafka_message import KafkaMessage

END_MS = 1_000


class ErrorMessage:
    """What the client returns instead of a message. It has no partition if the error is not of one."""

    def __init__(self, code: int, partition: int | None = None) -> None:
        self._error, self._partition = KafkaError(code), partition

    def error(self) -> KafkaError:
        return self._error

    def partition(self) -> int | None:
        return self._partition


class Reader:
    """Returns messages as Kafka's client does, and None after them."""

    def __init__(self, messages: Iterable[KafkaMessage | ErrorMessage]) -> None:
        self._messages = iter(messages)

    def poll(self, _timeout_s: float) -> KafkaMessage | ErrorMessage | None:
        return next(self._messages, None)


def end(partition: int) -> ErrorMessage:
    return ErrorMessage(KafkaError._PARTITION_EOF, partition)


def found(partitions: int, *messages: KafkaMessage | ErrorMessage) -> list[bytes]:
    return [message.value() for message in _messages(Reader(messages), partitions, END_MS)]


def test_each_partition_is_read_to_its_end_or_to_the_time() -> None:
    late = KafkaMessage(b"late", timestamp_ms=END_MS + 1)  # in partition 3

    assert found(4, KafkaMessage(b"one"), end(0), KafkaMessage(b"two"), end(1), end(2), late) == [
        b"one",
        b"two",
    ]


def test_a_passing_error_ends_no_partition() -> None:
    passing = ErrorMessage(KafkaError.LEADER_NOT_AVAILABLE)

    assert found(1, passing, KafkaMessage(b"one"), end(0)) == [b"one"]


def test_another_error_is_raised() -> None:
    with pytest.raises(KafkaException):
        found(1, ErrorMessage(KafkaError._ALL_BROKERS_DOWN))


def test_silence_is_no_end() -> None:
    with pytest.raises(PartUnavailable):
        found(2, KafkaMessage(b"one"), end(0))
