"""Moves a service's outbox to Kafka: at least once, in order for each key, by one relay at a time."""

import asyncio
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import structlog

from common.metrics import (
    OUTBOX_AGE_SECONDS,
    OUTBOX_DELAY_SECONDS,
    OUTBOX_PUBLISHED,
    OUTBOX_WAITING,
)
from common.settings import Settings
from producers.backoff import Backoff
from producers.outbox.progress import REPORT_EVERY_S, CompletenessReporter
from producers.outbox.publisher import Publisher
from producers.outbox.transaction import OUTBOX
from producers.postgres.errors import RETRYABLE
from producers.postgres.listen_notify import Listener, Notifier
from producers.postgres.queries import load_queries

log = structlog.get_logger()

SQL = load_queries(__file__)

BATCH = 500
COUNT_EVERY_S = 5.0
"""How often the outbox is counted while it may exceed a batch. Counting a million rows takes 0.1 s."""


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

    async def run(self) -> None:
        """Relay until cancelled; retries with back-off while PostgreSQL or Kafka is unavailable."""
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
            await outbox.connection.execute(SQL["lead_relay"])
            with self._notifier.local_listener(OUTBOX, outbox):
                try:
                    await self._relay_batches(outbox, backoff)
                finally:
                    for gauge in (OUTBOX_WAITING, OUTBOX_AGE_SECONDS):  # the next leader sets them
                        gauge.remove(self._service)

    async def _relay_batches(self, outbox: Listener, backoff: Backoff) -> None:
        published: list[int] = []
        completeness = CompletenessReporter(self._service)
        while True:
            outbox.clear()
            await completeness.start(outbox.connection)
            rows = await outbox.connection.fetch(SQL["next_in_outbox"], published, BATCH)
            backoff.reset()
            if rows:
                await self._update_waiting(outbox.connection, rows)
                await self._publish(outbox.connection, rows)
                self._count(rows)
            if len(rows) < BATCH and (report := completeness.finish()):
                await self._publish(outbox.connection, [report])
            if not rows:
                self._set_waiting(0, 0.0)
                await outbox.wait(REPORT_EVERY_S)
            published = [row["position"] for row in rows]

    async def _update_waiting(self, connection: Any, rows: Sequence[Mapping[str, Any]]) -> None:
        """Set the gauge of waiting messages to the number of rows read; count them if there may be more."""
        if len(rows) < BATCH:
            self._set_waiting(len(rows), rows[0]["waited_s"])
        elif asyncio.get_running_loop().time() - self._counted_at >= COUNT_EVERY_S:
            await self._count_waiting(connection)

    async def _count_waiting(self, connection: Any) -> None:
        row = await connection.fetchrow(SQL["count_outbox"])
        self._set_waiting(row["waiting"], row["oldest_s"])
        self._counted_at = asyncio.get_running_loop().time()

    def _set_waiting(self, events: int, oldest_s: float) -> None:
        OUTBOX_WAITING.labels(self._service).set(events)
        OUTBOX_AGE_SECONDS.labels(self._service).set(max(0.0, oldest_s))

    async def _publish(self, connection: Any, rows: Sequence[Mapping[str, Any]]) -> None:
        """Publish rows, however long Kafka is unavailable, and count the outbox meanwhile."""
        if self._publisher is None:
            self._publisher = Publisher(self._settings.kafka)
        loop = asyncio.get_running_loop()
        publishing = loop.run_in_executor(self._thread, self._publisher.publish, rows)
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
