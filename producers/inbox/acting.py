"""Acts on one message exactly once in effect: its id and its effect are one transaction."""

from collections.abc import Mapping
from time import perf_counter
from typing import Literal

import structlog

from common.errors import Rejected
from common.metrics import INBOX_MESSAGES, INBOX_SECONDS
from producers.backoff import Backoff
from producers.inbox.dead_letters import dead_letter
from producers.inbox.subscription import Received, Subscription
from producers.outbox.transaction import Transactions
from producers.postgres.errors import RETRYABLE, UNFIT
from producers.postgres.queries import load_queries
from schemas.codec import Record

log = structlog.get_logger()

SQL = load_queries(__file__)

Outcome = Literal["acted", "repeated", "rejected"]


class Acting:
    """One service's subscriptions over its database."""

    def __init__(
        self, service: str, subscriptions: Mapping[str, Subscription], transactions: Transactions
    ) -> None:
        self._service = service
        self._subscriptions = subscriptions
        self._transactions = transactions

    async def act(self, received: Received) -> None:
        """Act on a message, however long that takes: a failure that may pass is tried again with back-off."""
        backoff = Backoff(f"{self._service} consumer")
        while True:
            started = perf_counter()
            try:
                outcome = await self._once(received)
                break
            except RETRYABLE as error:
                self._count(received, "retried")
                await backoff.wait(error)
        backoff.reset()
        INBOX_SECONDS.labels(self._service, received.topic).observe(perf_counter() - started)
        self._count(received, outcome)

    async def _once(self, received: Received) -> Outcome:
        if isinstance(received.record, Rejected):
            return await self._reject(received, received.record)
        try:
            return await self._effect(received, received.record)
        except Rejected as reason:
            return await self._reject(received, reason)
        except UNFIT as error:
            return await self._reject(received, Rejected(f"its values can't be stored: {error}"))

    async def _effect(self, received: Received, record: Record) -> Outcome:
        async with self._transactions.begin(received.trace, received.headers) as tx:
            if await tx.sql.fetchval(SQL["note_event"], record["event_id"], received.topic) is None:
                return "repeated"
            await self._subscriptions[received.topic].handler(tx, record)
        return "acted"

    async def _reject(self, received: Received, reason: Rejected) -> Outcome:
        """Dead-letter a message once. Its event id stays unknown, so that it can be sent again."""
        log.warning("rejected", service=self._service, message=received.place, reason=str(reason))
        async with self._transactions.begin(received.trace) as tx:
            if await tx.sql.fetchval(SQL["note_event"], received.place, received.topic) is None:
                return "repeated"
            tx.send(dead_letter(received, self._service, str(reason)))
        return "rejected"

    def _count(self, received: Received, outcome: str) -> None:
        INBOX_MESSAGES.labels(self._service, received.topic, outcome).inc()
