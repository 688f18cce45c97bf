"""How far readers are behind, by what a real Kafka says."""

import pytest
from confluent_kafka import Consumer, TopicPartition

from common.errors import PartUnavailable
from common.settings import Settings
from jobs.waiting import messages_behind
from tests.integration.conftest import Kafka
from tests.ports import free_offset


def test_a_reader_is_behind_by_all_that_it_has_not_committed(kafka: Kafka, settings: Settings) -> None:
    read, unread = kafka.topic(), kafka.topic()
    kafka.send(read, [b"first", b"second", b"third"])
    kafka.send(unread, [b"first", b"second"])
    reader = Consumer({"bootstrap.servers": settings.kafka, "group.id": "half_way"})
    reader.commit(offsets=[TopicPartition(read, 0, 2)], asynchronous=False)
    reader.close()

    assert messages_behind(settings.kafka, {"half_way": [read]}) == 1
    assert messages_behind(settings.kafka, {"half_way": [read, unread]}) == 3
    assert messages_behind(settings.kafka, {"half_way": [read], "never_came": [read, "no_such_topic"]}) == 4


def test_what_one_has_read_beyond_the_end_makes_up_for_nobody(kafka: Kafka, settings: Settings) -> None:
    begun_anew = kafka.topic()
    kafka.send(begun_anew, [b"first"])
    reader = Consumer({"bootstrap.servers": settings.kafka, "group.id": "from_before"})
    reader.commit(offsets=[TopicPartition(begun_anew, 0, 7)], asynchronous=False)
    reader.close()

    assert messages_behind(settings.kafka, {"from_before": [begun_anew], "never_came": [begun_anew]}) == 1


def test_a_kafka_that_is_away_is_said_to_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jobs.waiting.TIMEOUT_S", 0.5)
    with pytest.raises(PartUnavailable, match="does not answer"):
        messages_behind(Settings(port_offset=free_offset()).kafka, {"facts": ["order_placed"]})
