"""Asks a Kafka which it is and who belongs to it, and again what its client library has just forgotten."""

import time
from collections.abc import Callable, Mapping
from typing import TypeVar

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # it re-exports these without __all__
    AdminClient,
    ClusterMetadata,
)

from common.errors import PartUnavailable

T = TypeVar("T")

_FORGOTTEN = (KafkaError._UNKNOWN_PARTITION, KafkaError._NOENT, KafkaError.BROKER_NOT_AVAILABLE)
"""What librdkafka says of partitions that exist, where it looks between asking for a topic and the answer:
any other answer in between makes it look, and it looks once only. On a busy machine that happens. And what
`Cluster` says where a broker counts as dead for a second."""

_NOBODY = "no broker has registered yet"

_BETWEEN_S = 0.05
_METADATA_S = 20.0


def asked_again(ask: Callable[[], T], timeout_s: float) -> T:
    """What `ask` answers; asked again for so long while the client library knows no broker or partition.

    Raises:
        KafkaException: what `ask` raised: of any other kind at once, of this kind when the time is over.
    """
    deadline = time.monotonic() + timeout_s
    while True:
        try:
            return ask()
        except KafkaException as error:
            if error.args[0].code() not in _FORGOTTEN or time.monotonic() >= deadline:
                raise
        time.sleep(_BETWEEN_S)


def bounds(consumer: Consumer, place: TopicPartition, timeout_s: float) -> tuple[int, int]:
    """The first offset of a partition and the one after its last, as the broker knows them.

    Raises:
        KafkaException: Kafka does not answer, or there is no such partition.
    """
    low, high = asked_again(lambda: consumer.get_watermark_offsets(place, timeout_s), timeout_s)
    return low, high


class Cluster:
    """Asks a cluster for its brokers and topics; connects when it is asked first.

    A broker that stood still for longer than its session counts as dead until its next heartbeat, and tells
    who asks that there is none. A client that has heard this forgets the addresses that it has (librdkafka's
    issue 5301) or asks for no controller again: so after each question that failed there is a new client.
    """

    def __init__(self, bootstrap: str, config: Mapping[str, int] | None = None) -> None:
        self.bootstrap = bootstrap
        self._config: dict[str, str | int | float | bool] = {
            "bootstrap.servers": bootstrap,
            "log_level": 0,
            **(config or {}),
        }
        self._client: AdminClient | None = None

    @property
    def client(self) -> AdminClient:
        """The client; after `metadata` answered, one that has a broker."""
        self._client = client = self._client or AdminClient(self._config)
        return client

    def metadata(self, timeout_s: float) -> ClusterMetadata:
        """The brokers, at least one, and all topics.

        Raises:
            KafkaException: no answer, or one of no broker.
        """
        client = self.client
        try:
            found = client.list_topics(timeout=timeout_s)
            if not found.brokers:
                raise KafkaException(KafkaError(KafkaError.BROKER_NOT_AVAILABLE, _NOBODY))
        except KafkaException:
            if self._client is client:  # not the new one of another thread
                self._client = None
            raise
        return found


def cluster_id(bootstrap: str) -> str:
    """Tells one Kafka from another, so that a new one gets everything; one without a broker has it, too.

    Raises:
        PartUnavailable: it does not answer.
    """
    try:
        metadata = Cluster(bootstrap).client.list_topics(timeout=_METADATA_S)
    except KafkaException as error:
        raise PartUnavailable(f"Kafka at {bootstrap} does not answer: run `./souk up`") from error
    return str(metadata.cluster_id)
