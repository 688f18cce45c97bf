"""One PostgreSQL transaction of a service.

Its changes, the events that report them and its requests to other services commit together.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, Literal, NamedTuple

import asyncpg
from prometheus_client import Counter

from common.clock import Clock
from common.tracing import child_span
from producers.kit.outbox.message import EventWriter, OutboxMessage
from producers.kit.outbox.trace import Trace
from producers.kit.postgres.listen_notify import Notifier
from producers.kit.postgres.pool import acquire_connection
from producers.kit.postgres.statements import statement

_POSTGRESQL = {"db.system.name": "postgresql"}
"""Attributes of the span of a connection, from its acquisition to the commit."""

OUTBOX = "outbox"
"""The channel that notifies a service's relay."""

REQUESTS = "requests"
"""The channel that notifies a service's sender of requests (`producers/kit/requests`)."""


class _Request(NamedTuple):
    service: str
    method: str
    path: str
    body: Mapping[str, Any]


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
        self._requests: list[_Request] = []
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
        self._requests.append(_Request(service, method, path, body))

    def count(self, counter: Counter) -> None:
        """Increment a counter if this transaction commits."""
        self._counters.append(counter)

    def notify(self, channel: str) -> None:
        """Notify the listeners of a channel of this service once this transaction has committed."""
        self._channels.add(channel)

    async def write_outgoing(self) -> None:
        """Write the emitted messages and the requests into their tables, right before the commit."""
        if self._requests:
            self.requested = await _insert_requests(self.sql, self._requests)
            self.notify(REQUESTS)
        if self._messages:
            await _insert_messages(self.sql, self._messages)
            self.notify(OUTBOX)

    async def after_commit(self, notifier: Notifier) -> None:
        """Notify listeners and increment counters."""
        await notifier.notify(self.sql, self._channels)
        for counter in self._counters:
            counter.inc()


@statement("""
    INSERT INTO requests (service, method, path, body)
    SELECT service, method, path, body
    FROM unnest($given.service::text[], $given.method::text[], $given.path::text[], $given.body::jsonb[])
        WITH ORDINALITY AS given (service, method, path, body, place)
    ORDER BY place
    RETURNING position
""")
async def _insert_requests(sql: Any, given: Sequence[_Request]) -> list[int]:
    """Insert requests in their order, and return their positions."""


@statement("""
    INSERT INTO outbox (topic, key, value, headers)
    SELECT topic, key, value, headers
    FROM unnest(
        $messages.topic::text[], $messages.key::bytea[], $messages.value::bytea[], $messages.headers::jsonb[]
    ) WITH ORDINALITY AS messages (topic, key, value, headers, place)
    ORDER BY place
""")
async def _insert_messages(sql: Any, messages: Sequence[OutboxMessage]) -> None:
    """Insert messages in the order in which they were emitted, last in a transaction.

    The transaction then holds the locks of all rows that it changed, so the messages of one key get their
    positions in the order of their commits.
    """


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
