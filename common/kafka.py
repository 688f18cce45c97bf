"""Reads a Kafka cluster's metadata and id, and the offsets and the messages of partitions."""

from collections.abc import Iterator, Mapping

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition
from confluent_kafka.admin import AdminClient, ClusterMetadata

from common.errors import PartUnavailable
from common.kafka_errors import is_retriable, retry_while_retriable

_NO_BROKER = "no broker has registered yet"

_METADATA_TIMEOUT_S = 20.0


def reader_config(bootstrap: str, group: str) -> dict[str, str | int | float | bool]:
    """Return the configuration of a consumer that reads partitions to their ends; it joins no group.

    The client requires a `group`. Nothing is committed for it, unless the caller does.
    """
    return {
        "bootstrap.servers": bootstrap,
        "group.id": group,
        "enable.auto.commit": False,
        "enable.partition.eof": True,
        "log_level": 0,
    }


def offset_range(consumer: Consumer, partition: TopicPartition, timeout_s: float) -> tuple[int, int]:
    """Return a partition's first offset and its end offset (the one after the last message) on the broker.

    Raises:
        KafkaException: Kafka does not answer, or the partition does not exist.
    """

    def request() -> tuple[int, int]:
        try:
            low, high = consumer.get_watermark_offsets(partition, timeout_s)
        except KafkaException as error:
            if error.args[0].code() in (KafkaError._UNKNOWN_PARTITION, KafkaError._NOENT):
                # The client keeps what it knows of a topic for minutes, unless all of it is asked for.
                consumer.list_topics(partition.topic, timeout_s)
            raise
        return low, high

    return retry_while_retriable(request, timeout_s)


def messages_and_ends(consumer: Consumer, timeout_s: float) -> Iterator[tuple[Message, bool]]:
    """Yield what the consumer's partitions have, and whether it is not a message but a partition's end.

    The consumer needs `enable.partition.eof`.

    Raises:
        KafkaException: Kafka answers with an error that a repetition does not cure.
        PartUnavailable: nothing came within `timeout_s`.
    """
    while True:
        message = consumer.poll(timeout_s)
        if message is None:
            raise PartUnavailable("Kafka stopped sending messages: is it running?")
        error = message.error()
        if error is None:
            yield message, False
        elif error.code() == KafkaError._PARTITION_EOF:
            yield message, True
        elif not is_retriable(error):  # the client retries the others by itself
            raise KafkaException(error)


class KafkaCluster:
    """Reads a cluster's metadata. Connects at the first request.

    A broker that was paused for longer than its session counts as dead until its next heartbeat. Until then
    the metadata has no broker. A client that receives such metadata may never look up the controller again,
    and from librdkafka 2.10 on it drops the addresses of all brokers (issue 5301). This class therefore
    replaces its client after each failed request.
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
        """The current client. After `metadata()` has returned, this client has the address of a broker."""
        self._client = client = self._client or AdminClient(self._config)
        return client

    def metadata(self, timeout_s: float) -> ClusterMetadata:
        """Return the brokers, at least one, and all topics.

        Raises:
            KafkaException: Kafka does not answer, or the metadata has no broker.
        """
        client = self.client
        try:
            found = client.list_topics(timeout=timeout_s)
            if not found.brokers:
                raise KafkaException(KafkaError(KafkaError.BROKER_NOT_AVAILABLE, _NO_BROKER))
        except KafkaException:
            if self._client is client:  # another thread may have replaced it
                self._client = None
            raise
        return found


def cluster_id(bootstrap: str) -> str:
    """Return the cluster's id. It changes when Kafka's storage is recreated.

    This also works while all brokers count as dead.

    Raises:
        PartUnavailable: Kafka does not answer.
    """
    try:
        client = KafkaCluster(bootstrap).client
        metadata = retry_while_retriable(
            lambda: client.list_topics(timeout=_METADATA_TIMEOUT_S), _METADATA_TIMEOUT_S
        )
    except KafkaException as error:
        raise PartUnavailable(f"Kafka at {bootstrap} does not answer: run `./souk up`") from error
    return str(metadata.cluster_id)
