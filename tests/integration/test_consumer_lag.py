"""The lag of consumer groups of a real Kafka."""

import pytest
from confluent_kafka import Consumer, TopicPartition

from common.consumer_lag import lag_of_readers, total_lag
from common.errors import PartUnavailable
from common.kafka_errors import retry_while_retriable
from common.settings import Settings
from tests.integration.conftest import Kafka
from tests.ports import free_offset


def commit(settings: Settings, group: str, offset: TopicPartition) -> None:
    reader = Consumer({"bootstrap.servers": settings.kafka, "group.id": group})
    retry_while_retriable(lambda: reader.commit(offsets=[offset], asynchronous=False), 60)
    reader.close()


def test_the_lag_counts_every_message_after_the_committed_offsets(kafka: Kafka, settings: Settings) -> None:
    read, unread = kafka.topic(), kafka.topic()
    kafka.send(read, [b"first", b"second", b"third"])
    kafka.send(unread, [b"first", b"second"])
    commit(settings, "half_way", TopicPartition(read, 0, 2))

    assert lag_of_readers(settings.kafka, {"half_way": [read], "new": [read]}) == {"half_way": 1, "new": 3}
    assert total_lag(settings.kafka, {"half_way": [read]}) == 1
    assert total_lag(settings.kafka, {"half_way": [read, unread]}) == 3
    assert total_lag(settings.kafka, {"half_way": [read], "without_offsets": [read, "no_such_topic"]}) == 4


def test_an_offset_beyond_the_end_does_not_reduce_the_lag_of_other_groups(
    kafka: Kafka, settings: Settings
) -> None:
    recreated = kafka.topic()
    kafka.send(recreated, [b"first"])
    commit(settings, "from_before", TopicPartition(recreated, 0, 7))

    assert total_lag(settings.kafka, {"from_before": [recreated], "without_offsets": [recreated]}) == 1


def test_a_kafka_that_does_not_answer_raises_part_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("common.consumer_lag.TIMEOUT_S", 0.5)
    with pytest.raises(PartUnavailable, match="does not answer"):
        total_lag(Settings(port_offset=free_offset()).kafka, {"facts": ["order_placed"]})
