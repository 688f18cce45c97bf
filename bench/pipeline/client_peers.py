"""Compares the platform's clients of Kafka and ClickHouse with other well-known clients."""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from clickhouse_connect.driver.client import Client
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic
from kafka import KafkaConsumer, KafkaProducer
from kafka import TopicPartition as PeerPartition
from rich.console import Console
from rich.table import Table

from clickhouse.client import connect
from common.http_client import HttpClient
from common.ids import new_id
from common.kafka_producer import producer_config
from common.settings import Settings
from common.timeouts import PEER_TIMEOUT_S

MESSAGE_BYTES, LINGER_MS, BATCH = 200, 5, 500
QUERY = "SELECT number, toString(number) AS text FROM numbers(20)"
WARM_UP = 20


@dataclass(frozen=True)
class ClientTimes:
    """The duration of a task with one client: elapsed seconds, and CPU seconds of this process."""

    wall_s: float
    cpu_s: float

    @classmethod
    def now(cls) -> "ClientTimes":
        """Read both clocks."""
        return cls(time.perf_counter(), time.process_time())

    def until_now(self) -> "ClientTimes":
        """Return the time since these clocks were read."""
        now = self.now()
        return ClientTimes(now.wall_s - self.wall_s, now.cpu_s - self.cpu_s)


def run(settings: Settings, messages: int, queries: int) -> Mapping[str, Mapping[str, ClientTimes]]:
    """Return task → client → times, on the running platform. The topic is deleted at the end.

    Raises:
        PartUnavailable: ClickHouse does not answer.
        KafkaException: Kafka does not answer.
    """
    with connect(settings) as clickhouse:  # first, because it fails at once if the platform does not run
        query_times = {
            "aiohttp (serving)": asyncio.run(_query(settings, queries)),
            "clickhouse-connect (tools)": _peer_query(clickhouse, queries),
        }
    return {
        f"produce {messages:,} messages": {
            "confluent-kafka": _on_new_topic(settings, messages, _produce, None),
            "kafka-python": _on_new_topic(settings, messages, _peer_produce, None),
        },
        f"consume {messages:,} messages": {
            "confluent-kafka": _on_new_topic(settings, messages, _consume, _produce),
            "kafka-python": _on_new_topic(settings, messages, _peer_consume, _produce),
        },
        f"{queries:,} small queries": query_times,
    }


def show(results: Mapping[str, Mapping[str, ClientTimes]], console: Console) -> None:
    """Print a row for each client, with the ratio of its times to those of the first client."""
    table = Table("task", "client", "time, s", "CPU, s", "ratio of time", "ratio of CPU")
    for task, by_client in results.items():
        ours = next(iter(by_client.values()))
        for client, times in by_client.items():
            ratios = f"{times.wall_s / ours.wall_s:.1f}", f"{times.cpu_s / ours.cpu_s:.1f}"
            table.add_row(task, client, f"{times.wall_s:.2f}", f"{times.cpu_s:.2f}", *ratios)
    console.print(table)


def _timed(work: Callable[[], object]) -> ClientTimes:
    began = ClientTimes.now()
    work()
    return began.until_now()


def _on_new_topic(
    settings: Settings,
    messages: int,
    work: Callable[[str, str, int], None],
    prepare: Callable[[str, str, int], None] | None,
) -> ClientTimes:
    admin = AdminClient({"bootstrap.servers": settings.kafka})
    topic = f"bench-{new_id()}"
    admin.create_topics([NewTopic(topic, 1, 1)])[topic].result()
    try:
        if prepare:
            prepare(settings.kafka, topic, messages)
        return _timed(lambda: work(settings.kafka, topic, messages))
    finally:
        admin.delete_topics([topic])[topic].result()


def _produce(bootstrap: str, topic: str, messages: int) -> None:
    producer = Producer(producer_config(bootstrap, LINGER_MS, None) | {"compression.type": "gzip"})
    for number in range(messages):
        while True:
            try:
                producer.produce(topic, _message(number))
                break
            except BufferError:
                producer.poll(0.1)
        producer.poll(0)
    producer.flush()


def _peer_produce(bootstrap: str, topic: str, messages: int) -> None:
    producer = KafkaProducer(
        bootstrap_servers=bootstrap,
        acks="all",
        enable_idempotence=True,
        linger_ms=LINGER_MS,
        compression_type="gzip",
    )
    for number in range(messages):
        producer.send(topic, _message(number))
    producer.flush()
    producer.close()


def _consume(bootstrap: str, topic: str, messages: int) -> None:
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": new_id(), "enable.auto.commit": False})
    consumer.assign([TopicPartition(topic, 0, 0)])
    read = 0
    while read < messages:
        read += sum(len(message.value() or b"") == MESSAGE_BYTES for message in consumer.consume(BATCH, 1.0))
    consumer.close()


def _peer_consume(bootstrap: str, topic: str, messages: int) -> None:
    consumer = KafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False)
    partition = PeerPartition(topic, 0)
    consumer.assign([partition])
    consumer.seek_to_beginning(partition)
    read = 0
    while read < messages:
        batches = consumer.poll(timeout_ms=1_000, max_records=BATCH)
        read += sum(len(message.value) == MESSAGE_BYTES for message in batches.get(partition, ()))
    consumer.close()


def _message(number: int) -> bytes:
    return f"{number:08}".encode() * (MESSAGE_BYTES // 8)


async def _query(settings: Settings, queries: int) -> ClientTimes:
    http = HttpClient(settings.clickhouse, 1, PEER_TIMEOUT_S, PEER_TIMEOUT_S, PEER_TIMEOUT_S)
    target = "/?" + urlencode({"default_format": "JSONCompact"})
    headers = (
        ("X-ClickHouse-User", settings.clickhouse_analyst_user),
        ("X-ClickHouse-Key", settings.clickhouse_analyst_password.get_secret_value()),
    )

    async def send(count: int) -> None:
        for _ in range(count):
            answer = await http.request("POST", target, headers, QUERY.encode())
            assert answer.status == 200, answer.content

    try:
        await send(WARM_UP)
        began = ClientTimes.now()
        await send(queries)
        return began.until_now()
    finally:
        await http.aclose()


def _peer_query(clickhouse: Client, queries: int) -> ClientTimes:
    def send(count: int) -> None:
        for _ in range(count):
            assert clickhouse.query(QUERY).result_rows

    send(WARM_UP)
    return _timed(lambda: send(queries))
