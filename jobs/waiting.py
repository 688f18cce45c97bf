"""Counts, for Prometheus, what waits in Kafka: messages behind each consumer group, and dead letters."""

import threading
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import structlog
from confluent_kafka import ConsumerGroupTopicPartitions, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec  # type: ignore[attr-defined]

from common.metrics import DEAD_LETTERS, MESSAGES_BEHIND

log = structlog.get_logger()

EVERY_S = 10.0
TIMEOUT_S = 5.0
DEAD_LETTER_SUFFIX = "_dlq"

_EARLIEST: Any = OffsetSpec.earliest()  # type: ignore[no-untyped-call]
_LATEST: Any = OffsetSpec.latest()  # type: ignore[no-untyped-call]

Place = tuple[str, int]
"""Topic and partition."""

Offsets = Mapping[Place, int]


def behind(committed: Mapping[str, Offsets], ends: Offsets) -> dict[str, int]:
    """Group → messages after those that it has finished with, in the partitions that it has read at all."""
    return {
        group: sum(max(0, ends.get(place, offset) - offset) for place, offset in offsets.items())
        for group, offsets in committed.items()
    }


def lying(starts: Offsets, ends: Offsets) -> dict[str, int]:
    """Topic → messages that lie in it."""
    found: Counter[str] = Counter()
    for place, end in ends.items():
        found[place[0]] += end - starts.get(place, end)
    return dict(found)


def watch(bootstrap: str, stop: threading.Event) -> None:
    """Set both metrics every `EVERY_S` until told to stop; while Kafka is away they show nothing."""
    admin = AdminClient({"bootstrap.servers": bootstrap, "log_level": 0})
    answered = True
    while not stop.is_set():
        try:
            groups, letters = _groups(admin), _letters(admin)
            answered = True
        except KafkaException as error:
            groups, letters = {}, {}
            if answered:
                log.warning("waiting for Kafka", error=str(error))
            answered = False
        for gauge, counted in ((MESSAGES_BEHIND, groups), (DEAD_LETTERS, letters)):
            gauge.clear()
            for name, count in counted.items():
                gauge.labels(name).set(count)
        stop.wait(EVERY_S)


def _groups(admin: AdminClient) -> dict[str, int]:
    listed = admin.list_consumer_groups(request_timeout=TIMEOUT_S).result()
    committed: dict[str, dict[Place, int]] = {}
    for group in listed.valid:
        asked = [ConsumerGroupTopicPartitions(group.group_id)]
        (answer,) = admin.list_consumer_group_offsets(asked, request_timeout=TIMEOUT_S).values()
        places = answer.result().topic_partitions or ()
        committed[group.group_id] = {(at.topic, at.partition): at.offset for at in places if at.offset >= 0}
    return behind(committed, _offsets(admin, set().union(*committed.values()), _LATEST))


def _letters(admin: AdminClient) -> dict[str, int]:
    topics = admin.list_topics(timeout=TIMEOUT_S).topics
    places = {
        (name, partition)
        for name, topic in topics.items()
        if name.endswith(DEAD_LETTER_SUFFIX)
        for partition in topic.partitions
    }
    return lying(_offsets(admin, places, _EARLIEST), _offsets(admin, places, _LATEST))


def _offsets(admin: AdminClient, places: Iterable[Place], spec: Any) -> dict[Place, int]:
    asked = {TopicPartition(*place): spec for place in places}
    answers = admin.list_offsets(asked, request_timeout=TIMEOUT_S) if asked else {}
    return {(at.topic, at.partition): answer.result().offset for at, answer in answers.items()}
