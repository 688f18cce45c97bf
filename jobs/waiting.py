"""Counts what waits in Kafka: messages behind each consumer group, and dead letters."""

import threading
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from typing import Any

import structlog
from confluent_kafka import ConsumerGroupTopicPartitions, KafkaException, TopicPartition
from confluent_kafka.admin import (  # type: ignore[attr-defined]
    AdminClient,
    OffsetSpec,
    TopicMetadata,
)

from common.errors import PartUnavailable
from common.kafka import Cluster, asked_again
from common.metrics import DEAD_LETTERS, MESSAGES_BEHIND

log = structlog.get_logger()

EVERY_S = 10.0
TIMEOUT_S = 10.0
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


def messages_behind(bootstrap: str, readers: Mapping[str, Collection[str]]) -> int:
    """How many messages lie beyond what each consumer group (name → topics) has committed, added up.

    A partition of which a group has committed nothing counts whole; what comes while this is asked does not
    count. A job commits an offset after a checkpoint, hence after everything before it was written to the
    stores.

    Raises:
        PartUnavailable: Kafka does not answer.
    """
    cluster = Cluster(bootstrap)
    try:
        topics = asked_again(lambda: cluster.metadata(TIMEOUT_S), TIMEOUT_S).topics
        admin = cluster.client
        places = {
            name: [(name, partition) for partition in topics[name].partitions]
            for name in set().union(*readers.values()) & topics.keys()
        }
        every = [place for each in places.values() for place in each]
        starts, ends = (_offsets(admin, every, which) for which in (_EARLIEST, _LATEST))
        read = {group: _committed(admin, group) for group in readers}
    except KafkaException as error:
        raise PartUnavailable(f"Kafka at {bootstrap} does not answer: {error}") from error
    return sum(
        max(0, ends[place] - max(starts[place], read[group].get(place, 0)))
        for group, names in readers.items()
        for name in names
        for place in places.get(name, ())
    )


def watch(bootstrap: str, stop: threading.Event) -> None:
    """Set both metrics every `EVERY_S` until told to stop; while Kafka is away they show nothing."""
    cluster, answered = Cluster(bootstrap), True
    while not stop.is_set():
        try:
            topics = cluster.metadata(TIMEOUT_S).topics
            groups, letters = _groups(cluster.client), _letters(cluster.client, topics)
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
    committed = {group.group_id: _committed(admin, group.group_id) for group in listed.valid}
    return behind(committed, _offsets(admin, set().union(*committed.values()), _LATEST))


def _committed(admin: AdminClient, group: str) -> dict[Place, int]:
    asked = [ConsumerGroupTopicPartitions(group)]
    (answer,) = admin.list_consumer_group_offsets(asked, request_timeout=TIMEOUT_S).values()
    places = answer.result().topic_partitions or ()
    return {(at.topic, at.partition): at.offset for at in places if at.offset >= 0}


def _letters(admin: AdminClient, topics: Mapping[str, TopicMetadata]) -> dict[str, int]:
    places = {
        (name, partition)
        for name, topic in topics.items()
        if name.endswith(DEAD_LETTER_SUFFIX)
        for partition in topic.partitions
    }
    return lying(_offsets(admin, places, _EARLIEST), _offsets(admin, places, _LATEST))


def _offsets(admin: AdminClient, places: Iterable[Place], which: Any) -> dict[Place, int]:
    asked = {TopicPartition(*place): which for place in places}

    def answered() -> dict[Place, int]:
        answers = admin.list_offsets(asked, request_timeout=TIMEOUT_S) if asked else {}
        return {(at.topic, at.partition): answer.result().offset for at, answer in answers.items()}

    return asked_again(answered, TIMEOUT_S)
