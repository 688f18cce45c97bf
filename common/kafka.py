"""Asks Kafka again what its client library has just forgotten."""

import time
from collections.abc import Callable
from typing import TypeVar

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

T = TypeVar("T")

_FORGOTTEN = (KafkaError._UNKNOWN_PARTITION, KafkaError._NOENT)
"""What librdkafka says of partitions that exist, where it looks between asking for a topic and the answer:
any other answer in between makes it look, and it looks once only. On a busy machine that happens."""

_BETWEEN_S = 0.05


def asked_again(ask: Callable[[], T], timeout_s: float) -> T:
    """What `ask` answers; asked again for so long while the client library does not know a partition.

    Raises:
        KafkaException: what `ask` raised: of any other kind at once, of this kind when the time is over.
    """
    deadline = time.monotonic() + timeout_s
    while True:
        try:
            return ask()
        except KafkaException as error:
            if error.args[0].code() not in _FORGOTTEN or time.monotonic() >= deadline:
                raise
        time.sleep(_BETWEEN_S)


def bounds(consumer: Consumer, place: TopicPartition, timeout_s: float) -> tuple[int, int]:
    """The first offset of a partition and the one after its last, as the broker knows them.

    Raises:
        KafkaException: Kafka does not answer, or there is no such partition.
    """
    low, high = asked_again(lambda: consumer.get_watermark_offsets(place, timeout_s), timeout_s)
    return low, high
