"""Waits until a service has acted on what lay in a topic: what it would do before that may be wrong."""

import asyncio

from confluent_kafka import Consumer, KafkaException, TopicPartition

from common.errors import Retryable
from common.kafka import bounds
from producers.inbox.consumer import group_of

LOOK_S = 0.5
_TIMEOUT_S = 5.0


async def backlog_acted_on(bootstrap: str, service: str, topic: str) -> None:
    """Return once the service, in whichever processes, has acted on all that lies in the topic now.

    Raises:
        Retryable: Kafka does not answer.
    """
    consumer = Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": group_of(service),  # whose offsets it asks for; it never joins
            "enable.auto.commit": False,
            "allow.auto.create.topics": False,
            "log_level": 0,
        }
    )
    try:
        ends = await asyncio.to_thread(_ends, consumer, topic)
        while await asyncio.to_thread(_behind, consumer, topic, ends):
            await asyncio.sleep(LOOK_S)
    except KafkaException as error:
        raise Retryable(f"Kafka does not say how far {service} has read {topic}: {error}") from error
    finally:
        consumer.close()


def _ends(consumer: Consumer, topic: str) -> dict[int, int]:
    """The end of each partition that holds anything."""
    ends = {}
    for partition in consumer.list_topics(topic, _TIMEOUT_S).topics[topic].partitions:
        low, high = bounds(consumer, TopicPartition(topic, partition), _TIMEOUT_S)
        if high > low:
            ends[partition] = high
    return ends


def _behind(consumer: Consumer, topic: str, ends: dict[int, int]) -> bool:
    places = [TopicPartition(topic, partition) for partition in ends]
    committed = consumer.committed(places, _TIMEOUT_S) if places else []
    return any(place.offset < ends[place.partition] for place in committed)
