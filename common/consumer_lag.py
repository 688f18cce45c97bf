"""Measures how far consumer groups are behind the end of their topics, and counts dead letters."""

import threading
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from typing import Any

import structlog
from confluent_kafka import ConsumerGroupTopicPartitions, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec, TopicMetadata

from common.errors import PartUnavailable
from common.kafka import KafkaCluster
from common.kafka_errors import retry_while_retriable
from common.metrics import DEAD_LETTERS, MESSAGES_BEHIND, UNRESOLVED_DEAD_LETTERS
from common.resolved_offsets import RESOLVING_GROUP, ResolvedOffsets

log = structlog.get_logger()

EXPORT_EVERY_S = 10.0
TIMEOUT_S = 10.0
DEAD_LETTER_SUFFIX = "_dlq"
INTERNAL_PREFIX = "__"

_EARLIEST: Any = OffsetSpec.earliest()
_LATEST: Any = OffsetSpec.latest()

Partition = tuple[str, int]
"""Topic and partition number."""

Offsets = Mapping[Partition, int]


@dataclass(frozen=True, slots=True)
class Backlog:
    """What waits in Kafka.

    `behind` is consumer group → messages after its committed offsets. `dead_letters` is dead-letter topic →
    messages, `unresolved` those that were neither replayed nor discarded. `written` is the number of messages
    that were ever written to all topics.
    """

    behind: Mapping[str, int]
    dead_letters: Mapping[str, int]
    unresolved: Mapping[str, int]
    written: int


def lag_by_group(committed: Mapping[str, Offsets], ends: Offsets) -> dict[str, int]:
    """Return group → messages after its committed offsets.

    Partitions without a committed offset do not count.
    """
    return {
        group: sum(max(0, ends.get(partition, offset) - offset) for partition, offset in offsets.items())
        for group, offsets in committed.items()
    }


def messages_by_topic(starts: Offsets, ends: Offsets) -> dict[str, int]:
    """Return topic → messages between its start offsets and its end offsets."""
    found: Counter[str] = Counter()
    for partition, end in ends.items():
        found[partition[0]] += end - starts.get(partition, end)
    return dict(found)


def end_offsets(bootstrap: str) -> dict[Partition, int]:
    """Return the end offset of every partition of every topic, except Kafka's internal topics.

    Raises:
        PartUnavailable: Kafka does not answer.
    """
    with _topics(bootstrap) as (admin, topics):
        return _offsets(admin, _partitions(topics), _LATEST)


def committed_offsets(bootstrap: str, group: str) -> dict[Partition, int]:
    """Return the offsets that a group has committed.

    Raises:
        PartUnavailable: Kafka does not answer.
    """
    with _topics(bootstrap) as (admin, _):
        return _committed(admin, group)


def total_lag(bootstrap: str, readers: Mapping[str, Collection[str]], until: Offsets | None = None) -> int:
    """Return the sum of `lag_of_readers`.

    Raises:
        PartUnavailable: Kafka does not answer.
    """
    return sum(lag_of_readers(bootstrap, readers, until).values())


def lag_of_readers(
    bootstrap: str, readers: Mapping[str, Collection[str]], until: Offsets | None = None
) -> dict[str, int]:
    """Return group → messages after its committed offsets in its topics. `readers` is group → topics.

    A partition without a committed offset counts from its first message. Messages after the offsets `until`
    do not count. If `until` is None, messages that arrive during this call do not count. A job commits an
    offset after a checkpoint, when the sinks have written everything before it.

    Raises:
        PartUnavailable: Kafka does not answer.
    """
    with _topics(bootstrap) as (admin, topics):
        partitions = {
            name: [(name, partition) for partition in topics[name].partitions]
            for name in set().union(*readers.values()) & topics.keys()
        }
        starts, ends = (
            _offsets(admin, chain.from_iterable(partitions.values()), which) for which in (_EARLIEST, _LATEST)
        )
        committed = {group: _committed(admin, group) for group in readers}
    if until is not None:
        ends = {partition: min(end, until.get(partition, 0)) for partition, end in ends.items()}
    return {
        group: sum(
            max(0, ends[partition] - max(starts[partition], committed[group].get(partition, 0)))
            for name in names
            for partition in partitions.get(name, ())
        )
        for group, names in readers.items()
    }


def delete_group(bootstrap: str, group: str) -> None:
    """Delete a consumer group that nobody uses any more, with its offsets, if it exists.

    Raises:
        PartUnavailable: Kafka does not answer.
    """
    cluster = KafkaCluster(bootstrap)

    def delete() -> None:
        (answer,) = cluster.client.delete_consumer_groups([group], request_timeout=TIMEOUT_S).values()
        answer.result()

    try:
        cluster.metadata(TIMEOUT_S)
        retry_while_retriable(delete, TIMEOUT_S)
    except KafkaException as error:
        if error.args[0].code() != KafkaError.GROUP_ID_NOT_FOUND:
            raise PartUnavailable(f"Kafka at {bootstrap} does not answer: {error}") from error


def unresolved_in(first: int, end: int, resolved: ResolvedOffsets) -> int:
    """Return how many dead letters from offset `first` to before `end` are not resolved."""
    start = max(first, resolved.before)
    return max(0, end - start) - sum(start <= offset < end for offset in resolved.beyond)


def read_backlog(cluster: KafkaCluster) -> Backlog:
    """Return what waits in Kafka now.

    Raises:
        KafkaException: Kafka does not answer.
    """
    topics = cluster.metadata(TIMEOUT_S).topics
    admin = cluster.client
    ends = _offsets(admin, _partitions(topics), _LATEST)
    listed = retry_while_retriable(
        lambda: admin.list_consumer_groups(request_timeout=TIMEOUT_S).result(), TIMEOUT_S
    )
    committed = {group.group_id: _committed(admin, group.group_id) for group in listed.valid}
    dead_letters, unresolved = _dead_letters(admin, ends)
    return Backlog(lag_by_group(committed, ends), dead_letters, unresolved, sum(ends.values()))


def export_lag(
    bootstrap: str,
    stop: threading.Event,
    ignored: Callable[[], Collection[str]],
    job_of: Callable[[str], str],
) -> None:
    """Set the metrics of consumer groups and dead letters every `EXPORT_EVERY_S` until `stop` is set.

    The groups in `ignored()` are left out: a version that is built is behind, and must raise no alert.
    `job_of` returns the Flink job to which a group belongs, or an empty text. While Kafka is unavailable, the
    metrics have no values.
    """
    cluster, available = KafkaCluster(bootstrap), True
    while not stop.is_set():
        try:
            backlog = read_backlog(cluster)
            available = True
        except KafkaException as error:
            backlog = Backlog({}, {}, {}, 0)
            if available:
                log.warning("waiting for Kafka", error=str(error))
            available = False
        MESSAGES_BEHIND.clear()
        left_out = ignored()
        for group, count in backlog.behind.items():
            if group not in left_out:
                MESSAGES_BEHIND.labels(group, job_of(group)).set(count)
        for gauge, counted in (
            (DEAD_LETTERS, backlog.dead_letters),
            (UNRESOLVED_DEAD_LETTERS, backlog.unresolved),
        ):
            gauge.clear()
            for topic, count in counted.items():
                gauge.labels(topic).set(count)
        stop.wait(EXPORT_EVERY_S)


@contextmanager
def _topics(bootstrap: str) -> Iterator[tuple[AdminClient, Mapping[str, TopicMetadata]]]:
    """Yield a client and the topics. In the block, errors of Kafka are raised as PartUnavailable."""
    cluster = KafkaCluster(bootstrap)
    try:
        topics = retry_while_retriable(lambda: cluster.metadata(TIMEOUT_S), TIMEOUT_S).topics
        yield cluster.client, topics
    except KafkaException as error:
        raise PartUnavailable(f"Kafka at {bootstrap} does not answer: {error}") from error


def _partitions(topics: Mapping[str, TopicMetadata]) -> list[Partition]:
    """Return every partition of every topic, except Kafka's internal topics."""
    return [
        (name, partition)
        for name, topic in topics.items()
        if not name.startswith(INTERNAL_PREFIX)
        for partition in topic.partitions
    ]


def _committed(admin: AdminClient, group: str) -> dict[Partition, int]:
    return {(at.topic, at.partition): at.offset for at in _committed_entries(admin, group)}


def _committed_entries(admin: AdminClient, group: str) -> list[TopicPartition]:
    """Return topic, partition, offset and metadata of every offset that a group has committed."""
    request = [ConsumerGroupTopicPartitions(group)]

    def list_group_offsets() -> list[TopicPartition]:
        (answer,) = admin.list_consumer_group_offsets(request, request_timeout=TIMEOUT_S).values()
        return [at for at in answer.result().topic_partitions or () if at.offset >= 0]

    return retry_while_retriable(list_group_offsets, TIMEOUT_S)


def _dead_letters(admin: AdminClient, all_ends: Offsets) -> tuple[dict[str, int], dict[str, int]]:
    """Return topic → its dead letters, and topic → those that are not resolved."""
    ends = {
        partition: end for partition, end in all_ends.items() if partition[0].endswith(DEAD_LETTER_SUFFIX)
    }
    starts = _offsets(admin, ends, _EARLIEST)
    resolved = {
        (at.topic, at.partition): ResolvedOffsets.parse(at.offset, at.metadata)
        for at in _committed_entries(admin, RESOLVING_GROUP)
    }
    unresolved: Counter[str] = Counter()
    for partition, end in ends.items():
        first = starts.get(partition, end)
        unresolved[partition[0]] += unresolved_in(first, end, resolved.get(partition, ResolvedOffsets(0)))
    return messages_by_topic(starts, ends), dict(unresolved)


def _offsets(admin: AdminClient, partitions: Iterable[Partition], which: Any) -> dict[Partition, int]:
    request = {TopicPartition(*partition): which for partition in partitions}

    def list_offsets() -> dict[Partition, int]:
        answers = admin.list_offsets(request, request_timeout=TIMEOUT_S) if request else {}
        return {(at.topic, at.partition): answer.result().offset for at, answer in answers.items()}

    return retry_while_retriable(list_offsets, TIMEOUT_S)
