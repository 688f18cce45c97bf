import pytest
from confluent_kafka import KafkaError, KafkaException, TopicPartition

from common.kafka import offset_range
from common.kafka_errors import retry_while_retriable


class ConsumerThatFails:
    """A consumer whose first calls fail with the given errors."""

    def __init__(self, *errors):
        self._errors = list(errors)
        self.calls = 0
        self.looked_up = []

    def list_topics(self, topic, _timeout_s):
        self.looked_up.append(topic)

    def get_watermark_offsets(self, place, _timeout_s):
        self.calls += 1
        if self._errors:
            raise KafkaException(KafkaError(self._errors.pop(0)))
        return place.partition, 42


def test_missing_partition_metadata_is_requested_again():
    consumer = ConsumerThatFails(KafkaError._UNKNOWN_PARTITION, KafkaError._NOENT)

    assert offset_range(consumer, TopicPartition("order_placed", 3), 30) == (3, 42)
    assert consumer.calls == 3
    assert consumer.looked_up == ["order_placed"] * 2


@pytest.mark.parametrize("code", [KafkaError.UNKNOWN_LEADER_EPOCH, KafkaError.NOT_LEADER_FOR_PARTITION])
def test_an_error_that_kafka_calls_retriable_is_retried(code):
    consumer = ConsumerThatFails(code)

    assert offset_range(consumer, TopicPartition("order_placed", 3), 30) == (3, 42)


def test_a_permanent_error_is_raised_at_once():
    consumer = ConsumerThatFails(KafkaError._TRANSPORT)

    with pytest.raises(KafkaException) as raised:
        offset_range(consumer, TopicPartition("order_placed", 0), 30)

    assert raised.value.args[0].code() == KafkaError._TRANSPORT
    assert consumer.calls == 1


def test_a_partition_that_does_not_exist_is_reported_after_the_timeout():
    def request():
        raise KafkaException(KafkaError(KafkaError._UNKNOWN_PARTITION))

    with pytest.raises(KafkaException):
        retry_while_retriable(request, 0.1)
