"""Commits an offset that depends on the committed one, also if other processes do so at the same time."""

import random
import time
from collections.abc import Callable

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition

from common.kafka_errors import retry_while_retriable

_MAX_PAUSE_S = 0.5
_BEGIN_AGAIN = (
    *(KafkaError._FENCED, KafkaError.INVALID_PRODUCER_EPOCH, KafkaError.PRODUCER_FENCED),
    KafkaError.UNKNOWN,  # the broker ends a transaction that another producer is fencing
)
"""Errors of a producer after another one has begun with the same transactional id."""


def commit_exclusively(
    consumer: Consumer,
    bootstrap: str,
    transactional_id: str,
    changed: Callable[[], TopicPartition],
    timeout_s: float,
) -> None:
    """Commit what `changed` returns, which reads the committed offset, for the consumer's group.

    All processes that change the same offset use the same id. If another one begins meanwhile, `changed` is
    called again.

    Raises:
        KafkaException: Kafka does not answer.
    """
    deadline = time.monotonic() + timeout_s
    while True:
        try:
            _commit(consumer, bootstrap, transactional_id, changed, timeout_s)
            return
        except KafkaException as error:
            if error.args[0].code() not in _BEGIN_AGAIN or time.monotonic() >= deadline:
                raise
        time.sleep(random.uniform(0, _MAX_PAUSE_S))  # by chance, so that two do not end each other again


def _commit(
    consumer: Consumer,
    bootstrap: str,
    transactional_id: str,
    changed: Callable[[], TopicPartition],
    timeout_s: float,
) -> None:
    """Read, change and commit in a transaction.

    `init_transactions` ends the transactions of others with the same id, or waits for one that commits. So
    nobody else can commit between this reading and this commit.
    """
    producer = Producer(
        {"bootstrap.servers": bootstrap, "transactional.id": transactional_id, "log_level": 0}
    )
    retry_while_retriable(lambda: producer.init_transactions(timeout_s), timeout_s)
    producer.begin_transaction()
    offsets, group = [changed()], consumer.consumer_group_metadata()
    retry_while_retriable(lambda: producer.send_offsets_to_transaction(offsets, group, timeout_s), timeout_s)
    retry_while_retriable(lambda: producer.commit_transaction(timeout_s), timeout_s)
