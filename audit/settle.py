"""Waits until the jobs have taken in what Kafka holds, so that no difference is only a delay."""

import time
from collections.abc import Callable, Mapping, Sequence

from confluent_kafka import TopicPartition

from audit.sources.kafka import KafkaTopics, end_offsets

_BETWEEN_S = 0.5
_HURRY_EVERY_S = 3.0

Lag = Callable[[], int]


def messages_behind(kafka: KafkaTopics, readers: Mapping[str, Sequence[str]]) -> int:
    """How many messages lie beyond what each consumer group (name → topics) has committed, added up.

    A job commits an offset after a checkpoint, hence after everything before it was written to the stores.

    Raises:
        PartUnavailable: Kafka does not answer.
    """
    behind = 0
    for group, topics in readers.items():
        with kafka.consumer(group) as consumer:
            filled = {
                (topic, partition): ends
                for topic in topics
                for partition, ends in end_offsets(consumer, topic).items()
                if ends[1] > ends[0]
            }
            for committed in consumer.committed([TopicPartition(*at) for at in filled], timeout=30):
                first, last = filled[committed.topic, committed.partition]
                behind += last - max(first, committed.offset)
    return behind


def settle(lag: Lag, wait_s: float, progress: Callable[[int], None], hurry: Callable[[], None]) -> bool:
    """Wait until `lag()` is zero, at most `wait_s`; whether it got there. Tells `progress` the lag.

    `hurry` is called every few seconds: what was read is committed only when someone says so.
    """
    deadline, hurried = time.monotonic() + wait_s, float("-inf")
    while behind := lag():
        now = time.monotonic()
        if now >= deadline:
            return False
        progress(behind)
        if now - hurried >= _HURRY_EVERY_S:
            hurry()
            hurried = now
        time.sleep(_BETWEEN_S)
    return True
