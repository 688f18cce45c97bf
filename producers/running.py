"""A service at work: its schema brought up to date, then its relay, its consumer and its workers."""

import asyncio
from typing import Any

import asyncpg

from common.clock import Clock
from common.errors import PartUnavailable
from common.settings import Settings
from producers.backoff import until_done
from producers.http.problems import NotReadyYet
from producers.inbox.acting import Acting
from producers.inbox.consumer import ServiceConsumer
from producers.inbox.pruning import prune_inbox
from producers.outbox.message import EventWriter
from producers.outbox.relay import Relay
from producers.outbox.transaction import Transactions
from producers.postgres.errors import RETRYABLE
from producers.postgres.listening import Waking
from producers.postgres.migrate import migrate
from producers.postgres.pool import EVENT_CONNECTIONS, REQUEST_CONNECTIONS, connect, make_pool
from producers.service import Service
from schemas.codec import Decoder
from schemas.events import all_events
from schemas.registry import Registry
from schemas.setup import register_schemas


class RunningService:
    """One service of this process. Until its tables and its event schemas are there, it answers 503."""

    def __init__(self, service: Service, settings: Settings, clock: Clock) -> None:
        self.service = service
        self._settings = settings
        self._clock = clock
        self._transactions: Transactions | None = None
        self._consumer: ServiceConsumer | None = None

    @property
    def transactions(self) -> Transactions:
        """How its endpoints reach its books.

        Raises:
            NotReadyYet: it is still waiting for PostgreSQL or the registry.
        """
        if self._transactions is None:
            raise NotReadyYet(self.service.name)
        return self._transactions

    @property
    def consuming(self) -> bool:
        """Whether its consumer is a member of the service's group."""
        return self._consumer is not None and self._consumer.joined

    async def run(self) -> None:
        """Work until cancelled. Whatever it raises is a bug, and for the process to end with."""
        name = self.service.name
        waking = Waking(name)
        with Registry(self._settings.registry) as registry:
            async with (
                make_pool(self._settings, name, REQUEST_CONNECTIONS) as for_requests,
                make_pool(self._settings, name, EVENT_CONNECTIONS) as for_events,
            ):
                await until_done(f"{name} tables", self._migrate, RETRYABLE)
                events = await until_done(
                    f"{name} schemas", lambda: self._event_writer(registry), (PartUnavailable,)
                )
                try:
                    self._transactions = Transactions(for_requests, events, self._clock, waking)
                    await self._work(Transactions(for_events, events, self._clock, waking), registry)
                finally:
                    self._transactions = None
                    for_requests.terminate()
                    for_events.terminate()

    async def _migrate(self) -> None:
        connection: asyncpg.Connection[Any] = await connect(self._settings, self.service.name)
        try:
            await migrate(connection, self.service.name, self.service.migrations())
        finally:
            connection.terminate()

    async def _event_writer(self, registry: Registry) -> EventWriter:
        events = [all_events()[name] for name in self.service.emits]
        return EventWriter(self.service.name, await asyncio.to_thread(register_schemas, registry, events))

    async def _work(self, transactions: Transactions, registry: Registry) -> None:
        name = self.service.name
        subscriptions = {one.event: one for one in self.service.subscriptions}
        acting = Acting(name, subscriptions, transactions)
        decoder = Decoder(registry.schema)
        consumer = ServiceConsumer(self._settings.kafka, name, subscriptions, decoder, acting)
        self._consumer = consumer
        async with asyncio.TaskGroup() as group:
            group.create_task(Relay(self._settings, name, transactions.waking).run(), name=f"{name} relay")
            group.create_task(consumer.run(), name=f"{name} consumer")
            group.create_task(
                prune_inbox(name, self.service.subscriptions, transactions, self._settings),
                name=f"{name} inbox",
            )
            for worker in self.service.workers:
                group.create_task(worker(transactions, self._settings), name=f"{name} worker")
