"""Runs one service: migrates its schema, then runs its relay, its consumer and its workers."""

import asyncio

from common.clock import Clock
from common.errors import PartUnavailable
from common.settings import Settings
from producers.kit.backoff import retry_until_done
from producers.kit.http.problems import ServiceNotReady, require
from producers.kit.idempotency.store import prune_responses
from producers.kit.inbox.consumer import ServiceConsumer
from producers.kit.inbox.message_processor import MessageProcessor, prune_inbox
from producers.kit.outbox.message import EventWriter
from producers.kit.outbox.relay import Relay
from producers.kit.outbox.transaction import Transactions
from producers.kit.postgres.errors import RETRYABLE
from producers.kit.postgres.listen_notify import Notifier
from producers.kit.postgres.pool import EVENT_CONNECTIONS, REQUEST_CONNECTIONS, make_pool
from producers.kit.postgres.pruning import prune
from producers.kit.postgres.roles import migrate_as_admin
from producers.kit.requests.sender import RequestSender
from producers.kit.service import Service
from schemas.codec import Decoder
from schemas.events import all_events
from schemas.registry import SchemaRegistry
from schemas.setup import register_schemas


class ServiceRunner:
    """One service of this process. It responds with 503 until its tables and event schemas are ready."""

    def __init__(self, service: Service, settings: Settings, clock: Clock) -> None:
        self.service = service
        self.settings = settings
        self._clock = clock
        self._transactions: Transactions | None = None
        self._consumer: ServiceConsumer | None = None
        self.context = service.context(settings)

    @property
    def transactions(self) -> Transactions:
        """The transactions of its endpoints.

        Raises:
            ServiceNotReady: the service is still waiting for PostgreSQL or the registry.
        """
        return require(self._transactions, ServiceNotReady(self.service.name))

    @property
    def consuming(self) -> bool:
        """Whether its consumer has joined the service's group. A service without subscriptions has none."""
        return not self.service.subscriptions or (self._consumer is not None and self._consumer.joined)

    async def run(self) -> None:
        """Run until cancelled. An exception from here is a bug, and ends the process.

        A cancellation lets what is in work end, for at most `stop_timeout_s` (`producers/kit/finishing.py`).
        """
        name = self.service.name
        notifier = Notifier(name)
        with SchemaRegistry(self.settings.registry) as registry:
            async with (
                make_pool(self.settings, name, REQUEST_CONNECTIONS) as for_requests,
                make_pool(self.settings, name, EVENT_CONNECTIONS) as for_events,
            ):
                await retry_until_done(f"{name} tables", self._migrate, RETRYABLE)
                events = await retry_until_done(
                    f"{name} schemas", lambda: self._event_writer(registry), (PartUnavailable,)
                )
                try:
                    self._transactions = Transactions(for_requests, events, self._clock, notifier)
                    await self._work(Transactions(for_events, events, self._clock, notifier), registry)
                finally:
                    self._transactions = None
                    for_requests.terminate()
                    for_events.terminate()

    async def _migrate(self) -> None:
        service = self.service
        await migrate_as_admin(self.settings, service.name, service.migrations(), service.hidden_from_audits)

    async def _event_writer(self, registry: SchemaRegistry) -> EventWriter:
        events = [all_events()[name] for name in self.service.emits]
        return EventWriter(self.service.name, await asyncio.to_thread(register_schemas, registry, events))

    async def _work(self, transactions: Transactions, registry: SchemaRegistry) -> None:
        name, service, settings = self.service.name, self.service, self.settings
        parts = {
            "relay": Relay(settings, name, transactions.notifier).run(),
            "inbox": prune_inbox(name, service.subscriptions, transactions, settings),
            "responses": prune_responses(name, transactions),
            "requests": RequestSender(name, transactions, settings).run(),
        }
        if service.subscriptions:
            subscriptions = {one.event: one for one in service.subscriptions}
            self._consumer = ServiceConsumer(
                settings.kafka,
                name,
                subscriptions,
                Decoder(registry.schema),
                MessageProcessor(name, subscriptions, transactions),
                settings.stop_timeout_s,
            )
            parts["consumer"] = self._consumer.run()
        async with asyncio.TaskGroup() as group:
            for part, work in parts.items():
                group.create_task(work, name=f"{name} {part}")
            for rows, (age, delete) in service.expiring(settings).items():
                group.create_task(prune(f"{name} {rows}", transactions, delete, age), name=f"{name} {rows}")
            for worker in service.workers:
                group.create_task(worker(transactions, settings), name=f"{name} worker")
