"""Clients go on after Kafka was paused for so long that its controller counted the broker as dead."""

import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from confluent_kafka import Consumer

from common.settings import Settings
from local.parts import kafka as local_kafka
from producers.kit.inbox.consumer import CONSUMER
from producers.kit.outbox.relay import Publisher
from tests.integration.conftest import Kafka, free_offset

pytestmark = [pytest.mark.nightly, pytest.mark.timeout(300)]

PAUSE_S = 15.0
"""Longer than the broker's session of 10 s."""

NO_BROKER_S = 10.0
"""Longer than it takes until the broker says that it lives."""

PAUSES, TOPICS, PARTITIONS, WRITERS, READERS = 4, 8, 4, 6, 12
"""As many as this, because not every reader asks for metadata in the moment without a broker."""


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


class Reader(threading.Thread):
    """A thread that reads topics as the services do, and keeps the newest number."""

    def __init__(self, kafka: Kafka, topics: list[str], ending: threading.Event) -> None:
        super().__init__(daemon=True)
        often = {"topic.metadata.refresh.interval.ms": 1_000, "bootstrap.servers": kafka.bootstrap}
        self._consumer = Consumer({**CONSUMER, **often, "group.id": uuid4().hex})
        self._consumer.subscribe(topics)
        self._ending = ending
        self.newest = 0
        self.start()

    def run(self) -> None:
        while not self._ending.is_set():
            messages = self._consumer.consume(10, 0.2)
            self.newest = max([self.newest, *(int(each.value() or b"") for each in messages)])
        self._consumer.close()


class Writer(threading.Thread):
    """A thread that publishes increasing numbers to all topics, as a service's relay does."""

    def __init__(self, kafka: Kafka, topics: list[str], ending: threading.Event) -> None:
        super().__init__(daemon=True)
        self._publisher, self._topics, self._ending = Publisher(kafka.bootstrap), topics, ending
        self.newest = 0
        self.start()

    def run(self) -> None:
        while not self._ending.wait(0.05):
            message = {"key": str(self.newest), "value": b"%d" % self.newest, "headers": {}}
            self._publisher.publish([{**message, "topic": topic, "position": 1} for topic in self._topics])
            self.newest += 1


def test_consumers_and_the_publisher_go_on_after_a_pause_of_kafka(slow_kafka, wait_until):
    """From librdkafka 2.10 on, they may not (librdkafka issue 5301)."""
    topics = [slow_kafka.topic(PARTITIONS) for _ in range(TOPICS)]
    ending = threading.Event()
    writers = [Writer(slow_kafka, topics, ending) for _ in range(WRITERS)]
    readers = [Reader(slow_kafka, topics, ending) for _ in range(READERS)]

    def go_on() -> None:
        before = max(writer.newest for writer in writers)
        wait_until(lambda: all(writer.newest > before for writer in writers))
        wait_until(lambda: all(reader.newest > before for reader in readers))

    go_on()
    for _ in range(PAUSES):
        slow_kafka.process.send_signal(signal.SIGSTOP)
        time.sleep(PAUSE_S)
        slow_kafka.process.send_signal(signal.SIGCONT)
        time.sleep(NO_BROKER_S)

        go_on()

    ending.set()
    for thread in (*writers, *readers):
        thread.join()
