"""Clients go on after Kafka was paused for so long that its controller counted the broker as dead."""

import signal
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from confluent_kafka import Consumer

from common.settings import Settings
from local.parts import kafka as local_kafka
from producers.inbox.consumer import CONSUMER
from producers.outbox.publisher import Publisher
from tests.integration.conftest import Kafka, free_offset

pytestmark = [pytest.mark.nightly, pytest.mark.timeout(300)]

PAUSE_S = 15.0
"""Longer than the broker's session of 10 s."""

CONSUMERS = 3


@pytest.fixture
def slow_kafka(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Kafka]:
    """Kafka whose broker says seldom that it lives: for seconds after a pause, the metadata has no broker."""
    often, seldom = "broker.heartbeat.interval.ms=1000", "broker.heartbeat.interval.ms=7000"
    assert often in local_kafka.CONFIG
    monkeypatch.setattr(local_kafka, "CONFIG", local_kafka.CONFIG.replace(often, seldom))
    server = Kafka(Settings(home=tmp_path, port_offset=free_offset()))
    yield server
    server.process.send_signal(signal.SIGCONT)
    server.kill()


def test_consumers_and_the_publisher_go_on_after_a_pause_of_kafka(slow_kafka, wait_until):
    """From librdkafka 2.10 on, they never do (librdkafka issue 5301)."""
    topic = slow_kafka.topic()
    publisher = Publisher(slow_kafka.bootstrap)
    often = {"topic.metadata.refresh.interval.ms": 1_000, "bootstrap.servers": slow_kafka.bootstrap}
    consumers = [Consumer({**CONSUMER, **often, "group.id": uuid4().hex}) for _ in range(CONSUMERS)]
    for consumer in consumers:
        consumer.subscribe([topic])

    def arrives(value: bytes) -> None:
        publisher.publish([{"topic": topic, "key": "a key", "value": value, "headers": "{}", "position": 1}])
        for consumer in consumers:
            wait_until(lambda: value in [each.value() for each in consumer.consume(10, 1.0)])  # noqa: B023

    arrives(b"before")
    slow_kafka.process.send_signal(signal.SIGSTOP)
    time.sleep(PAUSE_S)
    slow_kafka.process.send_signal(signal.SIGCONT)

    arrives(b"after")

    for consumer in consumers:
        consumer.close()
