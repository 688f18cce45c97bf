"""Moves a service's outbox to Kafka: at least once, in order for each key, by one relay at a time."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from threading import Event
from typing import Any

import structlog
from confluent_kafka import KafkaError, KafkaException, Producer

from common.correlation import span_id_of, trace_id_of
from common.errors import Retryable
from common.kafka_producer import producer_config
from common.metrics import (
    OUTBOX_AGE_SECONDS,
    OUTBOX_DELAY_SECONDS,
    OUTBOX_PUBLISHED,
    OUTBOX_WAITING,
)
from common.settings import Settings
from common.tracing import Span, is_on, is_sampled, record_span
from producers.kit.backoff import Backoff
from producers.kit.finishing import finish
from producers.kit.outbox.dead_letter_message import oversized_dead_letter
from producers.kit.outbox.message import OutboxMessage
from producers.kit.outbox.progress import REPORT_EVERY_S, CompletenessReporter
from producers.kit.outbox.trace import order_attribute, parent_span_id
from producers.kit.outbox.transaction import OUTBOX
from producers.kit.postgres.errors import RETRYABLE
from producers.kit.postgres.listen_notify import Listener, Notifier
from schemas.events import order_events

log = structlog.get_logger()

BATCH = 500
COUNT_EVERY_S = 5.0
"""How often the outbox is counted while it may exceed a batch. Counting a million rows takes 0.1 s."""

MAX_MESSAGE_BYTES = 1_000_000
"""Less than a broker's limit of 1,048,588, so that the client refuses a larger message, and only that one."""

_FLUSH_S = 0.5

_LEAD = """
SET application_name TO 'souk relay';
SET synchronous_commit TO off;
SELECT pg_advisory_lock(hashtextextended('relay of ' || current_schema(), 0));
"""
"""Waits until this session is the only relay of its schema. PostgreSQL releases the lock when the session
ends.

Deletions need no synchronous commit: after a crash, restored rows are published again, and consumers skip
them by their event ids. `progress.py` selects sessions by application name. The name here excludes this
session, which never writes to the outbox but waits for the lock inside a transaction.
"""

_NEXT = """
WITH published AS (
    DELETE FROM outbox WHERE position = ANY($1::bigint[])
)
SELECT position, topic, key, value, headers,
    extract(epoch FROM clock_timestamp() - committed_at)::float8 AS waited_s
FROM outbox
WHERE position <> ALL($1::bigint[])
ORDER BY position
LIMIT $2::integer
"""
"""Deletes the rows that were published ($1) and reads the next rows. It deletes single positions instead of
all up to one position, because a transaction with an earlier position may commit later."""

_COUNT = """
SELECT
    count(*) AS waiting,
    coalesce(extract(epoch FROM clock_timestamp() - min(committed_at)), 0)::float8 AS oldest_s
FROM outbox
"""
"""Counts the messages that are committed but not yet acknowledged by Kafka; how old the oldest one is."""


class Relay:
    """Reads rows, publishes them, then deletes them.

    After a crash, some rows are published again. Consumers skip them, because they record event ids.

    Several relays of a service may run: one is the leader, and the others wait for its lock in PostgreSQL. A
    leader that lost the lock without noticing publishes, in order, rows that the next leader publishes too.
    Consumers skip these duplicates in the same way.
    """

    def __init__(self, settings: Settings, service: str, notifier: Notifier) -> None:
        self._settings = settings
        self._service = service
        self._notifier = notifier
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=f"{service} relay")
        self._publisher: Publisher | None = None
        self._counted_at = -COUNT_EVERY_S
        self._published: Sequence[int] = ()
        """Positions of rows that are in Kafka, and that the next read deletes."""
        self._published_s = 0.0
        """How long the last batch took, from its read to Kafka's acknowledgement."""

    async def run(self) -> None:
        """Relay until cancelled; retries with back-off while PostgreSQL or Kafka is unavailable.

        A cancellation takes effect between two batches: a batch is published, and its rows are deleted, as
        far as `stop_timeout_s` allows.
        """
        backoff = Backoff(f"{self._service} relay")
        try:
            while True:
                try:
                    await self._lead(backoff)
                except RETRYABLE as error:
                    await backoff.wait(error)
        finally:
            self._stop_publisher()
            self._thread.shutdown(wait=False)

    async def _lead(self, backoff: Backoff) -> None:
        async with self._notifier.listen(self._settings, OUTBOX) as outbox:
            await outbox.connection.execute(_LEAD)
            with self._notifier.local_listener(OUTBOX, outbox):
                try:
                    await self._relay_batches(outbox, backoff)
                finally:
                    for gauge in (OUTBOX_WAITING, OUTBOX_AGE_SECONDS):  # the next leader sets them
                        gauge.remove(self._service)

    async def _relay_batches(self, outbox: Listener, backoff: Backoff) -> None:
        self._published = ()
        completeness = CompletenessReporter(self._service)
        within_s = self._settings.stop_timeout_s
        try:
            while True:
                outbox.clear()
                batch = self._relay_batch(outbox.connection, completeness)
                is_idle = not await finish(batch, within_s)
                backoff.reset()
                if is_idle:
                    self._set_waiting(0, 0.0)
                    await outbox.wait(REPORT_EVERY_S)
        except asyncio.CancelledError:
            if self._published:
                with suppress(Exception):  # the next leader would publish them again, which is harmless
                    async with asyncio.timeout(within_s):
                        await outbox.connection.fetch(_NEXT, self._published, 0)
            raise

    async def _relay_batch(self, connection: Any, completeness: CompletenessReporter) -> int:
        """Delete the rows of the previous batch, publish the next ones, and return their number."""
        await completeness.start(connection)
        rows = await connection.fetch(_NEXT, self._published, BATCH)
        self._published = ()
        if rows:
            await self._update_waiting(connection, rows)
            began = time.perf_counter()
            await self._publish(connection, rows)
            self._published_s = time.perf_counter() - began
            self._published = [row["position"] for row in rows]
            self._count(rows)
        if len(rows) < BATCH and (report := completeness.finish()):
            await self._publish(connection, [report])
        return len(rows)

    async def _update_waiting(self, connection: Any, rows: Sequence[Mapping[str, Any]]) -> None:
        """Set the gauge of waiting messages to the number of rows read; count them if there may be more."""
        if len(rows) < BATCH:
            self._set_waiting(len(rows), rows[0]["waited_s"])
        elif asyncio.get_running_loop().time() - self._counted_at >= COUNT_EVERY_S:
            await self._count_waiting(connection)

    async def _count_waiting(self, connection: Any) -> None:
        row = await connection.fetchrow(_COUNT)
        self._set_waiting(row["waiting"], row["oldest_s"])
        self._counted_at = asyncio.get_running_loop().time()

    def _set_waiting(self, events: int, oldest_s: float) -> None:
        OUTBOX_WAITING.labels(self._service).set(events)
        OUTBOX_AGE_SECONDS.labels(self._service).set(max(0.0, oldest_s))

    async def _publish(self, connection: Any, rows: Sequence[Mapping[str, Any]]) -> None:
        """Publish rows, however long Kafka is unavailable, and count the outbox meanwhile."""
        if self._publisher is None:
            self._publisher = Publisher(self._settings.kafka)
        publishing = asyncio.get_running_loop().run_in_executor(self._thread, self._publisher.publish, rows)
        try:
            while not (await asyncio.wait({publishing}, timeout=COUNT_EVERY_S))[0]:
                await self._count_waiting(connection)
            publishing.result()
        except BaseException:
            if not publishing.cancel() and not publishing.cancelled():
                publishing.exception()  # asyncio logs exceptions that are never retrieved
            self._stop_publisher()
            raise

    def _stop_publisher(self) -> None:
        if self._publisher is not None:
            self._publisher.stop()
            self._thread.submit(self._publisher.close)
            self._publisher = None

    def _count(self, rows: Sequence[Mapping[str, Any]]) -> None:
        for row in rows:
            OUTBOX_PUBLISHED.labels(self._service, row["topic"]).inc()
            OUTBOX_DELAY_SECONDS.labels(self._service).observe(max(0.0, row["waited_s"]))
            is_of_order = row["topic"] in order_events()
            if is_on() or is_of_order:
                self._record_span(row, row["headers"])
            if is_of_order:
                log.info(
                    "published",
                    service=self._service,
                    topic=row["topic"],
                    order_id=row["key"].decode(errors="replace"),
                    waited_ms=round(row["waited_s"] * 1000, 1),
                    correlation_id=row["headers"].get("correlation_id", ""),
                    trace_id=trace_id_of(row["headers"].get("traceparent")),
                )

    def _record_span(self, row: Mapping[str, Any], headers: Mapping[str, str]) -> None:
        """Record the span of an event: from its commit to Kafka's acknowledgement of its batch."""
        trace_id = trace_id_of(headers.get("traceparent"))
        if not is_sampled(trace_id):
            return
        now_ns = time.time_ns()
        span = Span(
            self._service,
            f"publish {row['topic']}",
            trace_id,
            span_id_of(headers["traceparent"]),
            parent_span_id(headers),
            "producer",
            now_ns - round((row["waited_s"] + self._published_s) * 1e9),
            {
                "messaging.system": "kafka",
                "messaging.destination.name": row["topic"],
                **order_attribute(row["topic"], row["key"].decode(errors="replace")),
            },
        )
        record_span(span, now_ns)


class Publisher:
    """One Kafka producer. Its methods block: call them in a thread. After a `Retryable`, create a new one."""

    def __init__(self, bootstrap: str) -> None:
        self._stopping = Event()
        self._failed: KafkaError | None = None
        self._producer = Producer(
            {
                # No timeout: if one message timed out, a later message with the same key could be delivered.
                **producer_config(bootstrap, linger_ms=1, delivery_timeout_s=None),
                "message.max.bytes": MAX_MESSAGE_BYTES,
                "error_cb": self._on_error,
            }
        )

    def publish(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Send rows of the outbox and wait until all are acknowledged, however long Kafka is unavailable.

        A message that is too large for Kafka is sent to its dead-letter topic instead, truncated.

        Raises:
            Retryable: Kafka refused a message, or `stop` was called. Some messages may have been written.
        """
        for row in rows:
            message = OutboxMessage(row["topic"], row["key"], row["value"], row["headers"])
            try:
                if not self._enqueue(message):
                    log.error("too large for Kafka", topic=row["topic"], position=row["position"])
                    self._enqueue(oversized_dead_letter(message, row["position"]))
            except (BufferError, KafkaException) as error:
                raise Retryable(
                    f"Kafka's client does not accept a message of {row['topic']}: {error}"
                ) from error
        while self._producer.flush(_FLUSH_S) and not self._failed:
            if self._stopping.is_set():
                raise Retryable("stopped while Kafka was unavailable")
        if self._failed:
            raise Retryable(f"Kafka refused a message: {self._failed.str()}")

    def stop(self) -> None:
        """Make `publish` raise; may be called from any thread."""
        self._stopping.set()

    def close(self) -> None:
        """Drop unacknowledged messages. They are still in the outbox."""
        self._producer.purge()

    def _enqueue(self, message: OutboxMessage) -> bool:
        """Pass a message to Kafka's client; return False if it is too large for Kafka."""
        headers = list(message.headers.items())
        try:
            self._producer.produce(
                message.topic, message.value, message.key, headers=headers, on_delivery=self._delivered
            )
        except KafkaException as error:
            if error.args[0].code() != KafkaError.MSG_SIZE_TOO_LARGE:
                raise
            return False
        return True

    def _delivered(self, error: KafkaError | None, _message: object) -> None:
        self._failed = self._failed or error

    def _on_error(self, error: KafkaError) -> None:
        if error.fatal():
            self._failed = error
