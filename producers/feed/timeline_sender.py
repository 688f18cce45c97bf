"""Sends timelines to Kafka as messages, at a given speed, and recovers from failures."""

import gc
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import repeat
from typing import Any, NamedTuple

import numpy as np
from confluent_kafka import KafkaError, KafkaException, Producer

from common.errors import PartUnavailable, Retryable, UserError
from common.kafka_producer import producer_config
from producers.feed.events import Events, Millis, Timeline
from producers.kit.outbox.trace import Trace
from schemas.codec import Encoder
from schemas.events import all_events

CHUNK = 4096
"""Events between two checks of deliveries. The acknowledged position is always the end of a chunk."""

DELIVERY_TIMEOUT_S = 900
"""How long Kafka may be unavailable before sending fails."""

MAX_WAIT_S = 0.2
"""While a sender waits for the next event, it processes deliveries at least this often."""


def parse_speed(text: str) -> float | None:
    """Return None for `max`, otherwise the multiple of real time, which is above 0.

    Raises:
        UserError: the text is neither `max` nor a number above 0.
    """
    if text == "max":
        return None
    try:
        speed = float(text)
    except ValueError:
        speed = 0.0
    if not 0 < speed < float("inf"):
        raise UserError(f"--speed {text}: give `max`, or how many times faster than real time, such as 3600")
    return speed


class Pace:
    """Computes how many events are due. `times` are the event times, ascending, in Unix milliseconds.

    The replay's clock starts at the time of the event at `start`, or at `from_ms` if that is later. Earlier
    events are due at once.
    """

    def __init__(
        self,
        times: Millis,
        start: int,
        speed: float | None,
        from_ms: int | None = None,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._times = times
        self._speed = speed
        self._now_s = now_s
        self._began_s = now_s()
        first = int(times[start]) if start < len(times) else 0
        self._began_at = first if from_ms is None else max(first, from_ms)

    def due(self) -> int:
        """Return how many events of the timeline are due now."""
        if self._speed is None:
            return len(self._times)
        elapsed_ms = (self._now_s() - self._began_s) * 1000 * self._speed
        return int(np.searchsorted(self._times, self._began_at + elapsed_ms, side="right"))

    def wait_s(self, position: int) -> float:
        """Return the seconds until the event at `position` is due, at most MAX_WAIT_S."""
        if self._speed is None:
            return 0.0
        due_s = self._began_s + (int(self._times[position]) - self._began_at) / 1000 / self._speed
        return min(max(due_s - self._now_s(), 0.0), MAX_WAIT_S)


class FeedMessage(NamedTuple):
    """The Kafka message of one event. Its topic has the event's name."""

    key: bytes
    value: bytes
    headers: list[tuple[str, bytes]]


def messages(timeline: Timeline, start: int, schema_ids: Mapping[str, int]) -> list[Iterator[FeedMessage]]:
    """Return an iterator for each element of `timeline.events`, from position `start` of the timeline on.

    The message at position i is the next message of the iterator `timeline.which[i]`.
    """
    sent = np.bincount(timeline.which[:start], minlength=len(timeline.events))
    return [
        _messages(events.take(np.arange(skip, len(events))) if skip else events, schema_ids[events.name])
        for events, skip in zip(timeline.events, sent.tolist(), strict=True)
    ]


def _messages(events: Events, schema_id: int) -> Iterator[FeedMessage]:
    event = all_events()[events.name]
    encode = Encoder(event, schema_id).encode
    fields = ("event_id", "occurred_at", *events.columns)
    keys = events.columns[event.key]
    rows = zip(events.ids(), events.occurred_at.tolist(), *events.columns.values(), strict=True)
    correlations = events.columns[events.correlation]
    causes = repeat(None) if events.causes is None else events.causes
    for row, key, correlation, cause in zip(rows, keys, correlations, causes, strict=False):
        record = dict(zip(fields, row, strict=True))
        yield FeedMessage(key.encode(), encode(record), event_headers(correlation, row[0], cause))


def event_headers(correlation_id: str, event_id: str, cause: str | None) -> list[tuple[str, bytes]]:
    """Return the headers of an event that no service wrote; `cause` is the id of the event that caused it.

    A correlation id of 32 hex digits is also the trace id, so that all events of its chain share one trace.
    """
    trace_id = correlation_id if len(correlation_id) == 32 and _HEX.issuperset(correlation_id) else ""
    headers = Trace(correlation_id, cause, trace_id).headers(event_id)
    return [(name, text.encode()) for name, text in headers.items()]


_HEX = frozenset("0123456789abcdef")


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
