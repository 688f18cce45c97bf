"""Classifies Kafka's errors, and retries requests that fail with a transient one."""

import time
from collections.abc import Callable
from typing import TypeVar

from confluent_kafka import KafkaError, KafkaException

T = TypeVar("T")

RETRIABLE_CODES = frozenset(
    {
        *(2, 3, 5, 6, 7, 9, 13, 14, 15, 16, 19, 20, 41, 51, 56, 70, 71, 72, 74, 75, 78, 80, 83, 84, 88, 89),
        *(100, 103, 106, 122, 123, 133),
    }
)
"""The errors that Kafka's protocol calls retriable (https://kafka.apache.org/protocol#protocol_error_codes).

`KafkaError.retriable()` is not enough: librdkafka sets it only for errors of transactions.
"""

_METADATA_CODES = frozenset(
    {KafkaError._UNKNOWN_PARTITION, KafkaError._NOENT, KafkaError.BROKER_NOT_AVAILABLE}
)
"""Errors that may occur although the topic or the partition exists.

librdkafka fetches the metadata of a topic once. On a busy machine, a response without that topic may arrive
in between; the request then fails with one of the first two errors. `KafkaCluster` raises the third while the
only broker counts as dead for a second.
"""

_RETRY_PAUSE_S = 0.05


def is_retriable(error: KafkaError) -> bool:
    """Return whether the same request may succeed a moment later."""
    return error.retriable() or error.code() in RETRIABLE_CODES | _METADATA_CODES


def retry_while_retriable(request: Callable[[], T], timeout_s: float) -> T:
    """Return the result of `request()`, retrying it until `timeout_s` while its error is retriable.

    Raises:
        KafkaException: the error of `request`: at once if it is permanent, after `timeout_s` otherwise.
    """
    deadline = time.monotonic() + timeout_s
    while True:
        try:
            return request()
        except KafkaException as error:
            if not is_retriable(error.args[0]) or time.monotonic() >= deadline:
                raise
        time.sleep(_RETRY_PAUSE_S)
