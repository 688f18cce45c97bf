"""Asks the provider for what is due: outside of any transaction, and again after any crash.

Claim (a lease, committed) → ask (the payment's id is the provider's idempotency key) → write down. A crash
between any of the three leaves a lease that ends; whoever claims next asks the same and gets the same.
"""

import asyncio
from collections.abc import Coroutine
from typing import Any

from common.metrics import PROVIDER_SECONDS
from common.settings import Settings
from producers.backoff import Backoff
from producers.outbox.trace import Trace
from producers.outbox.transaction import Transactions
from producers.payments import store
from producers.payments.model import Payment, retry_after
from producers.payments.provider import Asked, Outcome, Provider, ProviderUnavailable
from producers.payments.provider.simulated import simulated_provider
from producers.payments.settling import settle, settle_refund, try_again
from producers.payments.store import DUE, Refund
from producers.postgres.errors import RETRYABLE
from producers.postgres.listening import Listening

AT_ONCE = 32
"""Questions under way; a slow answer holds up no other."""

ANSWER_TIMEOUT_S = 10.0
LONGEST_WAIT_S = 5.0


async def ask(transactions: Transactions, settings: Settings) -> None:
    """Ask until cancelled, woken by what becomes due; waits with back-off while PostgreSQL is away."""
    backoff = Backoff("payments asking")
    while True:
        try:
            async with (
                simulated_provider(settings) as provider,
                transactions.waking.listen(settings, DUE) as due,
                asyncio.TaskGroup() as group,
            ):
                with transactions.waking.here(DUE, due):
                    await _ask(Asking(transactions, provider), due, group, backoff)
        except* RETRYABLE as errors:
            await backoff.wait(errors.exceptions[0])


async def _ask(asking: "Asking", due: Listening, group: asyncio.TaskGroup, backoff: Backoff) -> None:
    under_way: set[asyncio.Task[bool]] = set()

    def ended(task: "asyncio.Task[bool]") -> None:
        was_full = len(under_way) == AT_ONCE
        under_way.discard(task)
        if was_full or task.cancelled() or task.exception() or not task.result():
            due.wake()

    while True:
        due.clear()
        room = AT_ONCE - len(under_way)
        questions = await asking.claim(room)
        backoff.reset()
        for question in questions:
            task = group.create_task(question)
            under_way.add(task)
            task.add_done_callback(ended)
        if not room:  # only an answer makes some
            await due.wait(LONGEST_WAIT_S)
        elif len(questions) < room:
            await due.wait(await asking.rest_s())


class Asking:
    """Claims what is due and makes a question of each."""

    def __init__(self, transactions: Transactions, provider: Provider) -> None:
        self._transactions = transactions
        self._provider = provider

    async def claim(self, most: int) -> list[Coroutine[Any, Any, bool]]:
        """At most so many questions, to be awaited; nobody else asks them until the lease ends.

        Each says whether it was answered; else it is to be asked again, after a while.
        """
        if not most:
            return []
        now = self._transactions.clock()
        async with self._transactions.connection() as sql:
            payments = await store.claim_payments(sql, now, most)
            refunds = await store.claim_refunds(sql, now, most - len(payments))
        return [self._pay(*claimed) for claimed in payments] + [self._refund(refund) for refund in refunds]

    async def rest_s(self) -> float:
        """Seconds until something is due again."""
        async with self._transactions.connection() as sql:
            at = await store.next_try(sql)
        left_s = LONGEST_WAIT_S if at is None else (at - self._transactions.clock()).total_seconds()
        return min(LONGEST_WAIT_S, max(0.01, left_s))

    async def _pay(self, payment: Payment, trace: Trace) -> bool:
        try:
            outcome = await self._outcome(payment)
        except (ProviderUnavailable, TimeoutError):
            async with self._transactions.begin(trace) as tx:
                await try_again(tx, payment)
            return False
        async with self._transactions.begin(trace) as tx:
            await settle(tx, payment, outcome)
        return True

    async def _outcome(self, payment: Payment) -> Outcome:
        asked = Asked(
            payment_id=payment.payment_id,
            amount_minor=payment.amount_minor or 0,
            currency=payment.currency or "",
            method=payment.method or "",
            token=payment.token or "",
            installments=payment.installments or 1,
        )
        call = "void" if payment.state == "voiding" else "capture"
        with PROVIDER_SECONDS.labels(call).time():
            async with asyncio.timeout(ANSWER_TIMEOUT_S):
                return await (self._provider.void if call == "void" else self._provider.capture)(asked)

    async def _refund(self, refund: Refund) -> bool:
        try:
            with PROVIDER_SECONDS.labels("refund").time():
                async with asyncio.timeout(ANSWER_TIMEOUT_S):
                    await self._provider.refund(refund.refund_id, refund.payment_id, refund.amount_minor)
        except (ProviderUnavailable, TimeoutError):
            async with self._transactions.connection() as sql:
                again = self._transactions.clock() + retry_after(refund.attempts)
                await store.try_refund_again(sql, refund.refund_id, again)
            return False
        async with self._transactions.begin(refund.trace) as tx:
            await settle_refund(tx, refund)
        return True
