import pytest
from confluent_kafka import KafkaError, KafkaException, TopicPartition

from common.kafka import asked_again, bounds


class Forgetful:
    """A client library that does not know a partition the first few times."""

    def __init__(self, *errors):
        self._errors = list(errors)
        self.asked = 0

    def get_watermark_offsets(self, place, _timeout_s):
        self.asked += 1
        if self._errors:
            raise KafkaException(KafkaError(self._errors.pop(0)))
        return place.partition, 42


def test_a_partition_that_the_client_library_has_forgotten_is_asked_for_again():
    consumer = Forgetful(KafkaError._UNKNOWN_PARTITION, KafkaError._NOENT)

    assert bounds(consumer, TopicPartition("order_placed", 3), 30) == (3, 42)
    assert consumer.asked == 3


def test_another_error_is_told_at_once():
    consumer = Forgetful(KafkaError._TRANSPORT)

    with pytest.raises(KafkaException) as raised:
        bounds(consumer, TopicPartition("order_placed", 0), 30)

    assert raised.value.args[0].code() == KafkaError._TRANSPORT
    assert consumer.asked == 1


def test_a_partition_that_does_not_exist_is_told_when_the_time_is_over():
    def ask():
        raise KafkaException(KafkaError(KafkaError._UNKNOWN_PARTITION))

    with pytest.raises(KafkaException):
        asked_again(ask, 0.1)
