"""Carries a service's outbox to Kafka: at least once, in order for each key, by one relay at a time."""

import asyncio
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import structlog

from common.metrics import OUTBOX_DELAY_SECONDS, OUTBOX_PUBLISHED, OUTBOX_WAITING
from common.settings import Settings
from producers.backoff import Backoff
from producers.outbox.publisher import Publisher
from producers.outbox.transaction import OUTBOX
from producers.postgres.errors import RETRYABLE
from producers.postgres.listening import Listening, Waking
from producers.postgres.queries import load_queries

log = structlog.get_logger()

SQL = load_queries(__file__)

BATCH = 500
COUNT_EVERY_S = 5.0
"""How often what waits is counted, where that is more than was read: a million takes a tenth of a second."""

IDLE_S = 10.0
"""A look at the outbox without having been woken: a lost connection shows itself then."""


class Relay:
    """Reads, publishes, deletes; what a crash brings back goes again: consumers know the ids.

    Several relays of a service may run: one leads, the others wait for PostgreSQL's lock. A relay that lost
    the lock without knowing can only repeat, in order, what the next one publishes too.
    """

    def __init__(self, settings: Settings, service: str, waking: Waking) -> None:
        self._settings = settings
        self._service = service
        self._waking = waking
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=f"{service} relay")
        self._publisher: Publisher | None = None
        self._counted_at = -COUNT_EVERY_S

    async def run(self) -> None:
        """Carry until cancelled; waits with back-off while PostgreSQL or Kafka is away."""
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
        async with self._waking.listen(self._settings, OUTBOX) as outbox:
            await outbox.connection.execute(SQL["lead_relay"])
            with self._waking.here(OUTBOX, outbox):
                try:
                    await self._carry(outbox, backoff)
                finally:
                    OUTBOX_WAITING.remove(self._service)  # whoever leads next says how many wait

    async def _carry(self, outbox: Listening, backoff: Backoff) -> None:
        published: list[int] = []
        while True:
            outbox.clear()
            rows = await outbox.connection.fetch(SQL["next_in_outbox"], published, BATCH)
            backoff.reset()
            if rows:
                await self._show_waiting(outbox.connection, rows)
                await self._publish(outbox.connection, rows)
                self._count(rows)
            else:
                OUTBOX_WAITING.labels(self._service).set(0)
                await outbox.wait(IDLE_S)
            published = [row["position"] for row in rows]

    async def _show_waiting(self, connection: Any, rows: Sequence[Mapping[str, Any]]) -> None:
        """How many messages wait: those that were read, unless there may be more behind them."""
        if len(rows) < BATCH:
            OUTBOX_WAITING.labels(self._service).set(len(rows))
        elif asyncio.get_running_loop().time() - self._counted_at >= COUNT_EVERY_S:
            await self._count_waiting(connection)

    async def _count_waiting(self, connection: Any) -> None:
        OUTBOX_WAITING.labels(self._service).set(await connection.fetchval(SQL["waiting_in_outbox"]))
        self._counted_at = asyncio.get_running_loop().time()

    async def _publish(self, connection: Any, rows: Sequence[Mapping[str, Any]]) -> None:
        """Put rows into Kafka, however long it is away; what comes behind them is counted meanwhile."""
        if self._publisher is None:
            self._publisher = Publisher(self._settings.kafka)
        loop = asyncio.get_running_loop()
        publishing = loop.run_in_executor(self._thread, self._publisher.publish, rows)
        try:
            while not (await asyncio.wait({publishing}, timeout=COUNT_EVERY_S))[0]:
                await self._count_waiting(connection)
            publishing.result()
        except BaseException:
            publishing.cancel()
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
