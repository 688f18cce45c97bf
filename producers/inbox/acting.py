"""Acts on one message exactly once in effect: its id and its effect are one transaction."""

from collections.abc import Mapping, Sequence
from time import perf_counter
from typing import Literal

import structlog

from common.errors import Rejected
from common.metrics import INBOX_MESSAGES, INBOX_SECONDS
from producers.backoff import Backoff
from producers.inbox.dead_letters import bare_letter, dead_letter
from producers.inbox.subscription import Received, Subscription
from producers.outbox.message import Message
from producers.outbox.transaction import Repeated, Transaction, Transactions
from producers.postgres.errors import RETRYABLE, UNFIT
from producers.postgres.queries import load_queries

log = structlog.get_logger()

SQL = load_queries(__file__)

Outcome = Literal["acted", "repeated", "rejected"]

FAILURES: tuple[type[Exception], ...] = (Rejected, Repeated, *RETRYABLE, *UNFIT)
"""What an effect may end with that is no bug."""


class Acting:
    """One service's subscriptions over its database."""

    def __init__(
        self, service: str, subscriptions: Mapping[str, Subscription], transactions: Transactions
    ) -> None:
        self._service = service
        self._subscriptions = subscriptions
        self._transactions = transactions

    async def act_on_all(self, queue: Sequence[Received]) -> None:
        """Act on messages of one partition in their order, as many in one transaction as may be."""
        if len(queue) > 1 and self._subscriptions[queue[0].topic].together and await self._together(queue):
            return
        for received in queue:
            await self.act(received)

    async def _together(self, queue: Sequence[Received]) -> bool:
        """All of them in one transaction; False when that failed, and nothing was done."""
        try:
            async with self._transactions.begin(queue[0].trace) as tx:
                outcomes = [await self._effect_of(tx, received) for received in queue]
        except FAILURES:
            return False  # one by one it shows which, and why
        for received, outcome in zip(queue, outcomes, strict=True):
            self._count(received, outcome)
        return True

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
        try:
            async with self._transactions.begin(received.trace, received.event) as tx:
                return await self._effect_of(tx, received)
        except Repeated:
            return "repeated"
        except Rejected as reason:
            return await self._reject(received, reason)
        except UNFIT as error:
            return await self._reject(received, Rejected(f"its values can't be stored: {error}"))

    async def _effect_of(self, tx: Transaction, received: Received) -> Outcome:
        record = received.record
        if isinstance(record, Rejected):
            raise record
        subscription = self._subscriptions[received.topic]
        if subscription.hears:
            await subscription.handler(tx, record)
            if tx.event is not None:
                raise RuntimeError(f"{self._service} acted on {received.topic} without having noted it")
        elif await tx.sql.fetchval(SQL["note_event"], record["event_id"], received.topic) is None:
            return "repeated"
        else:
            await subscription.handler(tx, record)
        return "acted"

    async def _reject(self, received: Received, reason: Rejected) -> Outcome:
        """Dead-letter a message once. Its event id stays unknown, so that it can be sent again."""
        log.warning("rejected", service=self._service, message=received.place, reason=str(reason))
        try:
            return await self._send(received, dead_letter(received, self._service, str(reason)))
        except UNFIT:  # a consumer must get past any message: what it was still lies where the letter says
            return await self._send(received, bare_letter(received, self._service, str(reason)))

    async def _send(self, received: Received, letter: Message) -> Outcome:
        async with self._transactions.begin(received.trace) as tx:
            if await tx.sql.fetchval(SQL["note_event"], received.place, received.topic) is None:
                return "repeated"
            tx.send(letter)
        return "rejected"

    def _count(self, received: Received, outcome: str) -> None:
        INBOX_MESSAGES.labels(self._service, received.topic, outcome).inc()
