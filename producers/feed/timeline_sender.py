"""Sends timelines to Kafka, recovers from failures, and reports up to where all events are acknowledged."""

import gc
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from confluent_kafka import KafkaError, KafkaException, Producer

from common.errors import PartUnavailable, Retryable
from common.kafka_producer import producer_config
from producers.feed.events import Timeline
from producers.feed.messages import messages
from producers.feed.pace import Pace

CHUNK = 4096
"""Events between two checks of deliveries. The acknowledged position is always the end of a chunk."""

DELIVERY_TIMEOUT_S = 900
"""How long Kafka may be unavailable before sending fails."""


def bulk_producer_config(bootstrap: str) -> dict[str, str | int | float | bool]:
    """Return the configuration of a producer of many events: large batches and a large queue."""
    return {
        **producer_config(bootstrap, linger_ms=20, delivery_timeout_s=DELIVERY_TIMEOUT_S),
        "batch.size": 512 * 1024,
        "queue.buffering.max.messages": 200_000,
        "queue.buffering.max.kbytes": 256 * 1024,
    }


class ProducerFailed(Retryable):
    """This producer's deliveries failed. A new producer may continue at the acknowledged position."""


@dataclass(slots=True)
class _Chunk:
    """Events that are sent together. The chunk is done when none of its events is pending."""

    end: int
    pending: int
    error: KafkaError | None = None

    def delivered(self, error: KafkaError | None, _message: object) -> None:
        if error is not None:
            self.error = error
        self.pending -= 1


class TimelineProducer:
    """Sends timelines, one after the other, each from a position on.

    `acknowledged` is a position in the current timeline: all in-sync replicas have every event before it.
    `on_progress` is called about once for each chunk. `trouble` describes an error of Kafka's client, or is
    empty.
    """

    def __init__(self, bootstrap: str, on_progress: Callable[["TimelineProducer"], None]) -> None:
        self.acknowledged = 0
        self.trouble = ""
        self._on_progress = on_progress
        self._chunks: deque[_Chunk] = deque()
        self._producer = Producer({**bulk_producer_config(bootstrap), "error_cb": self._on_error})

    def run(self, timeline: Timeline, start: int, schema_ids: Mapping[str, int], pace: Pace) -> None:
        """Send all events from position `start` on and wait until they are acknowledged.

        Raises:
            ProducerFailed: a delivery failed. Continue at `acknowledged`.
        """
        self.acknowledged = start
        try:
            self._send(timeline, schema_ids, pace)
            while self._chunks:
                self._poll(0.1)
        except KafkaException as error:
            raise ProducerFailed(str(error.args[0])) from error

    def stop(self, timeout_s: float) -> None:
        """Wait at most `timeout_s` for deliveries, then drop the rest. Call it after an interrupted `run`."""
        self._producer.flush(timeout_s)
        self._advance()
        self._producer.purge()

    def _send(self, timeline: Timeline, schema_ids: Mapping[str, int], pace: Pace) -> None:
        position, total = self.acknowledged, len(timeline)
        topics = [events.name for events in timeline.events]
        sources = messages(timeline, position, schema_ids)
        produce = self._produce
        while position < total:
            end = min(position + CHUNK, total, pace.due())
            if end <= position:
                self._poll(pace.wait_s(position))
                continue
            chunk = _Chunk(end, end - position)
            self._chunks.append(chunk)
            for which in timeline.which[position:end].tolist():
                key, value, headers = next(sources[which])
                produce(topics[which], value, key, chunk.delivered, headers)
            position = end
            self._poll(0)

    def _produce(self, topic: str, value: bytes, key: bytes, delivered: Any, headers: Any) -> None:
        while True:
            try:
                self._producer.produce(topic, value, key, on_delivery=delivered, headers=headers)
                return
            except BufferError:
                self._poll(0.1)

    def _poll(self, wait_s: float) -> None:
        """Process deliveries for up to `wait_s` and advance `acknowledged`."""
        self._producer.poll(wait_s)
        self._advance()
        self._on_progress(self)

    def _advance(self) -> None:
        for chunk in self._chunks:
            if chunk.error is not None:
                raise ProducerFailed(chunk.error.str())
        while self._chunks and not self._chunks[0].pending:
            self.acknowledged = self._chunks.popleft().end
            self.trouble = ""

    def _on_error(self, error: KafkaError) -> None:
        self.trouble = "Kafka does not answer, trying again"
        if error.fatal():
            self.trouble = error.str()


OnProgress = Callable[[TimelineProducer], None]
"""Called a few times a second while events are sent."""

_SAVE_EVERY_S = 0.5
_STOP_S = 5.0
_MAX_FAILED_ATTEMPTS = 3


class TimelineSender:
    """Sends timelines, one after the other. If its producer fails, it creates a new one.

    `save` is called with the acknowledged position twice a second, and whenever sending ends or fails.
    """

    def __init__(
        self,
        bootstrap: str,
        schema_ids: Mapping[str, int],
        save: Callable[[int], None],
        on_progress: OnProgress,
    ) -> None:
        self._bootstrap = bootstrap
        self._schema_ids = schema_ids
        self._save = save
        self._on_progress = on_progress
        self._saved_s = 0.0
        self._producer = TimelineProducer(bootstrap, self._progress)

    def send(
        self, timeline: Timeline, start: int = 0, speed: float | None = None, from_ms: int | None = None
    ) -> None:
        """Send the events from position `start` on, and wait until Kafka has acknowledged all of them.

        `speed` is that of `Pace`. Events before `from_ms` (Unix milliseconds) are sent at once. After a
        failure, sending continues at the acknowledged position; events that are sent twice have the same ids.

        Raises:
            PartUnavailable: Kafka stays unavailable. Continue at the saved position.
        """
        position, failed_attempts = start, 0
        while position < len(timeline):
            try:
                with gc_disabled():
                    pace = Pace(timeline.due_at, position, speed, from_ms)
                    self._producer.run(timeline, position, self._schema_ids, pace)
            except ProducerFailed as error:
                failed_attempts = 0 if self._producer.acknowledged > position else failed_attempts + 1
                if failed_attempts >= _MAX_FAILED_ATTEMPTS:
                    raise PartUnavailable(
                        f"Kafka at {self._bootstrap} accepts no events ({error}). See `./souk status`, then "
                        "run the same command again: it continues where this run stopped"
                    ) from error
            except KeyboardInterrupt:
                self._producer.stop(_STOP_S)
                raise
            finally:
                self._save_position(self._producer.acknowledged)
            position = self._producer.acknowledged
            if position < len(timeline):
                self._producer = TimelineProducer(self._bootstrap, self._progress)

    def _progress(self, producer: TimelineProducer) -> None:
        if time.monotonic() - self._saved_s > _SAVE_EVERY_S:
            self._save_position(producer.acknowledged)
        self._on_progress(producer)

    def _save_position(self, position: int) -> None:
        self._save(position)
        self._saved_s = time.monotonic()


@contextmanager
def gc_disabled() -> Iterator[None]:
    """Disable the garbage collector in the block.

    It would double the time and free nothing, because the millions of records have no reference cycles.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
