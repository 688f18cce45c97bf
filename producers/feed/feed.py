"""Sends timelines to Kafka and knows at any moment up to where every event has been acknowledged."""

from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

from confluent_kafka import KafkaError, KafkaException, Producer

from common.errors import Retryable
from producers.feed.events import Timeline
from producers.feed.messages import messages
from producers.feed.pace import Pace

CHUNK = 4096
"""Events between two looks at deliveries; a position is the end of a chunk."""

GIVE_UP_S = 900
"""How long Kafka may be away before the replay stops; its position is kept."""

PRODUCER = {
    "enable.idempotence": True,  # acks=all, in order, no duplicate by retrying
    "compression.type": "lz4",
    "linger.ms": 20,
    "batch.size": 512 * 1024,
    "queue.buffering.max.messages": 200_000,
    "queue.buffering.max.kbytes": 256 * 1024,
    "message.timeout.ms": GIVE_UP_S * 1000,
    "retry.backoff.max.ms": 1000,
    "reconnect.backoff.max.ms": 1000,
    "partitioner": "murmur2_random",  # the Java clients' choice of partition for a key
    "log_level": 0,
}


class FeedBroken(Retryable):
    """Deliveries failed for good in this producer; a new one may go on at the acknowledged position."""


class _Chunk:
    """Events sent together; done when none of them is pending."""

    __slots__ = ("end", "error", "pending")

    def __init__(self, end: int, pending: int) -> None:
        self.end = end
        self.pending = pending
        self.error: KafkaError | None = None

    def delivered(self, error: KafkaError | None, _message: object) -> None:
        if error is not None:
            self.error = error
        self.pending -= 1


class Feed:
    """Sends one timeline after the other, each from a position on.

    `acknowledged` is a position in the timeline that is being sent; it only ever covers events that Kafka
    has on disk of all in-sync replicas. `on_progress` is called about once a chunk. `trouble` is what
    Kafka's client complains of, empty when all is well.
    """

    def __init__(self, bootstrap: str, on_progress: Callable[["Feed"], None]) -> None:
        self.acknowledged = 0
        self.trouble = ""
        self._on_progress = on_progress
        self._chunks: deque[_Chunk] = deque()
        self._producer = Producer(PRODUCER | {"bootstrap.servers": bootstrap, "error_cb": self._on_error})

    def run(self, timeline: Timeline, start: int, schema_ids: Mapping[str, int], pace: Pace) -> None:
        """Send everything from the event at `start` on and wait until it is acknowledged.

        Raises:
            FeedBroken: a delivery failed; `acknowledged` says from where to go on.
        """
        self.acknowledged = start
        try:
            self._send(timeline, schema_ids, pace)
            while self._chunks:
                self._look(0.1)
        except KafkaException as error:
            raise FeedBroken(str(error.args[0])) from error

    def stop(self, timeout_s: float) -> None:
        """After `run` was interrupted: wait that long for what is under way, and drop the rest."""
        self._producer.flush(timeout_s)
        self._settle()
        self._producer.purge()

    def _send(self, timeline: Timeline, schema_ids: Mapping[str, int], pace: Pace) -> None:
        position, total = self.acknowledged, len(timeline)
        topics = [events.name for events in timeline.events]
        sources = messages(timeline, position, schema_ids)
        produce = self._produce
        while position < total:
            end = min(position + CHUNK, total, pace.due())
            if end <= position:
                self._look(pace.wait_s(position))
                continue
            chunk = _Chunk(end, end - position)
            self._chunks.append(chunk)
            for which in timeline.which[position:end].tolist():
                key, value, headers = next(sources[which])
                produce(topics[which], value, key, chunk.delivered, headers)
            position = end
            self._look(0)

    def _produce(self, topic: str, value: bytes, key: bytes, delivered: Any, headers: Any) -> None:
        while True:
            try:
                self._producer.produce(topic, value, key, on_delivery=delivered, headers=headers)
                return
            except BufferError:
                self._look(0.1)

    def _look(self, wait_s: float) -> None:
        """Serve deliveries for up to `wait_s` and move `acknowledged` on."""
        self._producer.poll(wait_s)
        self._settle()
        self._on_progress(self)

    def _settle(self) -> None:
        for chunk in self._chunks:
            if chunk.error is not None:
                raise FeedBroken(chunk.error.str())
        while self._chunks and not self._chunks[0].pending:
            self.acknowledged = self._chunks.popleft().end
            self.trouble = ""

    def _on_error(self, error: KafkaError) -> None:
        self.trouble = "Kafka does not answer, trying again"
        if error.fatal():
            self.trouble = error.str()
