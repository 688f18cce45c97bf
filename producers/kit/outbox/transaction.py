"""One PostgreSQL transaction of a service.

Its changes, the events that report them and its requests to other services commit together.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, Literal

import asyncpg
from prometheus_client import Counter

from common.clock import Clock
from common.tracing import child_span
from producers.kit.outbox.message import EventWriter, OutboxMessage, columns
from producers.kit.outbox.trace import Trace
from producers.kit.postgres.listen_notify import Notifier
from producers.kit.postgres.pool import acquire_connection
from producers.kit.postgres.queries import load_queries

SQL = load_queries(__file__)

_POSTGRESQL = {"db.system.name": "postgresql"}
"""Attributes of the span of a connection, from its acquisition to the commit."""

OUTBOX = "outbox"
"""The channel that notifies a service's relay."""

REQUESTS = "requests"
"""The channel that notifies a service's sender of requests (`producers/kit/requests`)."""

_INSERT_REQUESTS = """
INSERT INTO requests (service, method, path, body)
SELECT service, method, path, body
FROM unnest($1::text[], $2::text[], $3::text[], $4::jsonb[]) WITH ORDINALITY
    AS given (service, method, path, body, place)
ORDER BY place
RETURNING position
"""


class AlreadyProcessed(Exception):
    """The event was processed before, so this transaction must do nothing."""


class Transaction:
    """An open transaction.

    `sql` is its connection. `now` is the time of all its changes and events. `event` is the id and the topic
    of the event that it processes; `record_event` records them and then sets `event` to None. `requested` are
    the positions of its requests, once they are written.
    """

    def __init__(
        self, sql: Any, now: datetime, trace: Trace, events: EventWriter, event: tuple[str, str] | None
    ) -> None:
        self.sql = sql
        self.now = now
        self.trace = trace
        self.event = event
        self.requested: list[int] = []
        self._events = events
        self._messages: list[OutboxMessage] = []
        self._requests: list[tuple[str, str, str, Mapping[str, Any]]] = []
        self._counters: list[Counter] = []
        self._channels: set[str] = set()

    async def record_event(self, statement: str, *arguments: Any) -> list[Any]:
        """Run a statement that records the event (`$1`: id, `$2`: topic) and locks its rows; return its rows.

        Each row has a column `first_time`. The subscription of a handler that calls this has `records_event`.

        Raises:
            AlreadyProcessed: the event was recorded before.
        """
        if self.event is None:
            raise RuntimeError("this transaction processes no event, or has recorded it already")
        rows: list[Any] = await self.sql.fetch(statement, *self.event, *arguments)
        self.event = None
        if not rows[0]["first_time"]:
            raise AlreadyProcessed
        return rows

    def emit(self, event: str, **fields: Any) -> None:
        """Publish an event if this transaction commits.

        Raises:
            NotEncodable: the fields do not fit the event's schema; the transaction is rolled back.
        """
        self._messages.append(self._events.write(event, self.now, self.trace, fields))

    def send(self, message: OutboxMessage) -> None:
        """Publish a message that is not an event of this service, such as a dead letter."""
        self._messages.append(message)

    def request(
        self, service: str, path: str, body: Mapping[str, Any], method: Literal["POST", "PUT"] = "POST"
    ) -> None:
        """Send a request to another service if this transaction commits, until it is answered.

        The request may arrive more than once. Those to one service arrive in the order in which they are
        written, so a transaction first locks the row that its request is about. See `producers/kit/requests`.
        """
        self._requests.append((service, method, path, body))

    def count(self, counter: Counter) -> None:
        """Increment a counter if this transaction commits."""
        self._counters.append(counter)

    def notify(self, channel: str) -> None:
        """Notify the listeners of a channel of this service once this transaction has committed."""
        self._channels.add(channel)

    async def write_outgoing(self) -> None:
        """Write the emitted messages and the requests into their tables, right before the commit."""
        if self._requests:
            given = map(list, zip(*self._requests, strict=True))
            self.requested = [row["position"] for row in await self.sql.fetch(_INSERT_REQUESTS, *given)]
            self.notify(REQUESTS)
        if self._messages:
            await self.sql.execute(SQL["insert_messages"], *columns(self._messages))
            self.notify(OUTBOX)

    async def after_commit(self, notifier: Notifier) -> None:
        """Notify listeners and increment counters."""
        await notifier.notify(self.sql, self._channels)
        for counter in self._counters:
            counter.inc()


class Transactions:
    """Opens transactions of one service."""

    def __init__(
        self, pool: "asyncpg.Pool[Any]", events: EventWriter, clock: Clock, notifier: Notifier
    ) -> None:
        self.pool = pool
        self.events = events
        self.clock = clock
        self.notifier = notifier

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Any]:
        """Yield a connection for a single statement or for reading.

        Raises:
            one of `producers.kit.postgres.errors.TRANSIENT`: no connection is available.
        """
        with child_span("postgresql", "client", _POSTGRESQL):
            async with acquire_connection(self.pool) as connection:
                yield connection

    @asynccontextmanager
    async def begin(self, trace: Trace, event: tuple[str, str] | None = None) -> AsyncIterator[Transaction]:
        """Open a transaction that commits at the end of the block, and rolls back if the block raises.

        Raises:
            one of `producers.kit.postgres.errors.TRANSIENT`: not committed, or the outcome is unknown.
        """
        async with self.connection() as connection:
            async with connection.transaction():
                transaction = Transaction(connection, self.clock(), trace, self.events, event)
                yield transaction
                await transaction.write_outgoing()
            await transaction.after_commit(self.notifier)
