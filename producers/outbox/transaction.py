"""One PostgreSQL transaction of a service: what it changes and the events that tell of it commit together."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import datetime
from typing import Any

import asyncpg
from prometheus_client import Counter

from common.clock import Clock
from producers.outbox.message import EventWriter, Message, columns
from producers.outbox.trace import Trace
from producers.postgres.listening import Waking
from producers.postgres.pool import acquired
from producers.postgres.queries import load_queries

SQL = load_queries(__file__)

OUTBOX = "outbox"
"""The channel on which a service's relay sleeps."""


class Repeated(Exception):
    """The event that a transaction acts on has been acted on; nothing is done."""


class Transaction:
    """An open transaction. `sql` is its connection, `now` the one time of all that it does,
    `event` the id and the topic of the event that it acts on, until that is noted."""

    def __init__(
        self, sql: Any, now: datetime, trace: Trace, events: EventWriter, event: tuple[str, str] | None
    ) -> None:
        self.sql = sql
        self.now = now
        self.trace = trace
        self.event = event
        self._events = events
        self._messages: list[Message] = []
        self._counters: list[Counter] = []
        self._channels: set[str] = set()

    async def hear(self, statement: str, *arguments: Any) -> list[Any]:
        """The rows of a statement that notes the event (`$1`: id, `$2`: topic) and locks what it is about.

        Each says whether it is the `first_time`; a subscription `hears` whose handler begins with this.

        Raises:
            Repeated: it is not.
        """
        if self.event is None:
            raise RuntimeError("this transaction acts on no event, or has noted it")
        rows: list[Any] = await self.sql.fetch(statement, *self.event, *arguments)
        self.event = None
        if not rows[0]["first_time"]:
            raise Repeated
        return rows

    def emit(self, event: str, **fields: Any) -> None:
        """Publish an event if, and only if, this transaction commits.

        Raises:
            NotEncodable: the fields do not fit the event's schema; the transaction is rolled back.
        """
        self._messages.append(self._events.write(event, self.now, self.trace, fields))

    def send(self, message: Message) -> None:
        """Publish something other than an event of this service's own: a dead letter."""
        self._messages.append(message)

    def count(self, counter: Counter) -> None:
        """Count something if, and only if, this transaction commits."""
        self._counters.append(counter)

    def wake(self, channel: str) -> None:
        """Wake who sleeps on a channel of this service once, and if, this transaction commits."""
        self._channels.add(channel)

    async def put_messages(self) -> None:
        """Put what was emitted into the outbox; the last thing before the commit."""
        if self._messages:
            await self.sql.execute(SQL["add_messages"], *columns(self._messages))
            self.wake(OUTBOX)

    async def committed(self, waking: Waking) -> None:
        """Wake who was to be woken, and count what was to be counted."""
        await waking.wake(self.sql, self._channels)
        for counter in self._counters:
            counter.inc()


class Transactions:
    """Opens transactions of one service."""

    def __init__(self, pool: "asyncpg.Pool[Any]", events: EventWriter, clock: Clock, waking: Waking) -> None:
        self.pool = pool
        self.events = events
        self.clock = clock
        self.waking = waking

    def connection(self) -> AbstractAsyncContextManager[Any]:
        """A connection for one statement, or for reading: `async with`.

        Raises:
            one of `producers.postgres.errors.AWAY`: there is none.
        """
        return acquired(self.pool)

    @asynccontextmanager
    async def begin(self, trace: Trace, event: tuple[str, str] | None = None) -> AsyncIterator[Transaction]:
        """A transaction that commits when the block ends, and rolls back when it raises.

        Raises:
            one of `producers.postgres.errors.AWAY`: nothing was committed, or nobody knows.
        """
        async with self.connection() as connection:
            async with connection.transaction():
                transaction = Transaction(connection, self.clock(), trace, self.events, event)
                yield transaction
                await transaction.put_messages()
            await transaction.committed(self.waking)
