"""The audit's reader of topics, with a Kafka that has just started."""

from types import SimpleNamespace

from confluent_kafka import KafkaError, KafkaException

from audit.sources.kafka import offset_ranges


class ConsumerOfAStartingKafka:
    """A client whose first request for offsets fails, as while a partition's leader is being elected."""

    def __init__(self, code: int) -> None:
        self._errors = [KafkaError(code)]

    def list_topics(self, topic, timeout):  # noqa: ARG002
        return SimpleNamespace(topics={topic: SimpleNamespace(error=None, partitions={0: None, 1: None})})

    def get_watermark_offsets(self, partition, _timeout_s):
        if self._errors:
            raise KafkaException(self._errors.pop())
        return 0, 10 + partition.partition


def test_a_leader_epoch_that_the_broker_does_not_know_yet_is_requested_again():
    consumer = ConsumerOfAStartingKafka(KafkaError.UNKNOWN_LEADER_EPOCH)

    assert offset_ranges(consumer, "order_placed") == {0: (0, 10), 1: (0, 11)}
