"""Reads the events that a test has sent to Kafka."""

import time

from confluent_kafka import Consumer, TopicPartition

from common.kafka import offset_range
from common.settings import Settings
from schemas.codec import Decoder, Record
from schemas.registry import SchemaRegistry
from schemas.topics import all_topics
from tests.integration.servers import TEST_TIMEOUT_S


def topic_ends(settings: Settings, name: str) -> list[TopicPartition]:
    """Each partition of a topic with the offset at its end."""
    consumer = Consumer({"bootstrap.servers": settings.kafka, "group.id": "test"})
    partitions = next(topic.partitions for topic in all_topics() if topic.name == name)
    ends = []
    for number in range(partitions):
        partition = TopicPartition(name, number)
        ends.append(TopicPartition(name, number, offset_range(consumer, partition, 20)[1]))
    consumer.close()
    return ends


def read_from(settings: Settings, begin: list[TopicPartition]) -> dict[int, list[Record]]:
    """Return partition → decoded records in order, from these offsets on."""
    ends = {end.partition: end.offset for end in topic_ends(settings, begin[0].topic)}
    found: dict[int, list[Record]] = {start.partition: [] for start in begin}
    expected = sum(ends[start.partition] - start.offset for start in begin)
    consumer = Consumer(
        {"bootstrap.servers": settings.kafka, "group.id": "test", "enable.auto.commit": False}
    )
    consumer.assign(begin)
    deadline = time.monotonic() + TEST_TIMEOUT_S
    with SchemaRegistry(settings.registry) as schemas:
        decoder = Decoder(schemas.schema)
        while sum(map(len, found.values())) < expected:
            assert time.monotonic() < deadline
            for message in consumer.consume(1000, 1.0):
                assert message.error() is None, message.error()
                found[message.partition()].append(decoder.decode(message.value()))
    consumer.close()
    return found


def ids_of(records: dict[int, list[Record]]) -> set[str]:
    return {record["event_id"] for of_partition in records.values() for record in of_partition}
