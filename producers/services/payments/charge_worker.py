"""Calls the payment provider for payments and refunds that are due.

Each call has three steps: commit a lease on the payment, call the provider with the payment's id as
idempotency key, store the outcome. After a crash in between, the lease expires. The next claim then repeats
the call, which returns the same outcome.
"""

import asyncio
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import structlog

from common.correlation import bound_chain
from common.metrics import PROVIDER_SECONDS, UNEXPECTED_ERRORS
from common.settings import Settings
from common.tracing import span_id_of_event, trace_span
from producers.kit.backoff import Backoff
from producers.kit.finishing import finish
from producers.kit.http.peers import Peers
from producers.kit.http.problems import ServiceNotReady
from producers.kit.outbox.trace import Trace
from producers.kit.outbox.transaction import Transactions
from producers.kit.payment_details import PaymentDetails
from producers.kit.postgres.errors import RETRYABLE
from producers.kit.postgres.listen_notify import Listener
from producers.services.payments import store
from producers.services.payments.model import Payment, retry_after
from producers.services.payments.provider import ChargeOutcome, ChargeRequest, Provider, ProviderUnavailable
from producers.services.payments.provider.simulated import simulated_provider
from producers.services.payments.settlement import complete_refund, schedule_retry, settle
from producers.services.payments.store import DUE, ClaimedPayment, Refund

log = structlog.get_logger()

MAX_CALLS = 32
"""Limit of simultaneous calls. A slow response delays no other call."""

CALL_TIMEOUT_S = 10.0
MAX_WAIT_S = 5.0
ASK_AGAIN = timedelta(seconds=1)
"""After this time orders is asked again for the payment details that it did not give."""

WORKER = "charge_worker"


async def run_charge_worker(transactions: Transactions, settings: Settings) -> None:
    """Call the provider for payments and refunds that are due, until cancelled.

    While PostgreSQL is unavailable, it retries with back-off.
    """
    UNEXPECTED_ERRORS.labels("payments", WORKER)  # creates the series with 0, which the alert needs
    backoff, peers = Backoff("payments charge worker"), Peers(settings, "payments")
    while True:
        try:
            async with (
                simulated_provider(settings) as provider,
                transactions.notifier.listen(settings, DUE) as due,
                asyncio.TaskGroup() as group,
            ):
                with transactions.notifier.local_listener(DUE, due):
                    worker = ChargeWorker(transactions, provider, peers, settings.stop_timeout_s)
                    await _run_until_error(worker, due, group, backoff)
        except* RETRYABLE as errors:
            await backoff.wait(errors.exceptions[0])


async def _run_until_error(
    worker: "ChargeWorker", due: Listener, group: asyncio.TaskGroup, backoff: Backoff
) -> None:
    in_progress: set[asyncio.Task[bool]] = set()

    def ended(task: "asyncio.Task[bool]") -> None:
        was_full = len(in_progress) == MAX_CALLS
        in_progress.discard(task)
        if was_full or task.cancelled() or task.exception() or not task.result():
            due.notify()

    while True:
        due.clear()
        free = MAX_CALLS - len(in_progress)
        calls = await worker.claim(free)
        backoff.reset()
        for call in calls:
            task = group.create_task(finish(call, worker.stop_timeout_s))
            in_progress.add(task)
            task.add_done_callback(ended)
        if not free:  # `ended` notifies `due` when a call has ended
            await due.wait(MAX_WAIT_S)
        elif len(calls) < free:
            await due.wait(await worker.seconds_to_next_attempt())


@dataclass(frozen=True, eq=False)
class ChargeWorker:
    """Claims payments and refunds that are due, and calls the provider for each.

    Attributes:
        stop_timeout_s: how long a call may take to end and to store its outcome after a cancellation.
    """

    transactions: Transactions
    provider: Provider
    peers: Peers
    stop_timeout_s: float

    async def claim(self, limit: int) -> list[Coroutine[Any, Any, bool]]:
        """Return at most `limit` calls to await. No other worker makes these calls until their lease expires.

        Each call returns whether the provider reported an outcome. If it did not, the call is repeated later.
        """
        if not limit:
            return []
        now = self.transactions.clock()
        async with self.transactions.connection() as sql:
            payments = await store.claim_payments(sql, now, limit)
            refunds = await store.claim_refunds(sql, now, limit - len(payments))
        calls = [self._isolated(refund.trace, self._refund(refund)) for refund in refunds]
        try:
            details = await self._payment_details(payments)
        except ServiceNotReady:
            async with self.transactions.connection() as sql:
                order_ids = [payment.order_id for payment in payments]
                await store.retry_payments_later(sql, order_ids, now + ASK_AGAIN)
            return calls
        for payment in payments:
            detail = details.get(payment.order_id)
            decided = payment.state == "due" and detail is None
            call = self._close(payment) if decided else self._pay(payment, detail)
            calls.append(self._isolated(payment.trace, call))
        return calls

    async def _payment_details(self, payments: Sequence[ClaimedPayment]) -> dict[str, PaymentDetails]:
        """Return order id → how the order is paid, of the payments to charge. Cancelled orders are left out.

        The method is saved before the call, because its outcome may become known after the order is decided.

        Raises:
            ServiceNotReady: orders does not answer.
        """
        due = [payment.order_id for payment in payments if payment.state == "due"]
        if not due:
            return {}
        answer = await self.peers.ask("orders", "/v1/orders/payment_details", {"order_ids": due})
        details = {order_id: PaymentDetails(**fields) for order_id, fields in answer["payments"].items()}
        async with self.transactions.connection() as sql:
            await store.save_methods(sql, list(details), list(details.values()))
        return details

    async def seconds_to_next_attempt(self) -> float:
        """Return the time until the next payment or refund is due, at most `MAX_WAIT_S`."""
        async with self.transactions.connection() as sql:
            at = await store.next_attempt_at(sql)
        left_s = MAX_WAIT_S if at is None else (at - self.transactions.clock()).total_seconds()
        return min(MAX_WAIT_S, max(0.01, left_s))

    async def _isolated(self, trace: Trace, call: Coroutine[Any, Any, bool]) -> bool:
        """Await a call. An unexpected error is logged, and the call is repeated when its lease expires."""
        caused_by = span_id_of_event(trace.causation_id) if trace.causation_id else ""
        with (
            bound_chain(trace.correlation_id, trace.trace_id),
            trace_span("payments", "call the payment provider", "client", trace.trace_id, caused_by) as span,
        ):
            if span is not None:
                span.attributes["order.id"] = trace.correlation_id
            try:
                return await call
            except RETRYABLE:
                raise
            except Exception:  # a bug that affects this payment; the other calls must still be made
                log.exception("unexpected error", worker=WORKER)
                UNEXPECTED_ERRORS.labels("payments", WORKER).inc()
                return False

    async def _close(self, claimed: ClaimedPayment) -> bool:
        """Close a payment whose order was cancelled; `order_cancelled` has not arrived yet."""
        async with self.transactions.begin(claimed.trace) as tx:
            payment = await store.lock_payment(tx, claimed.order_id)
            if payment.state == "due":
                called_before = replace(payment, attempts=payment.attempts - 1, cancelled=True)
                await store.save_payment(tx, called_before.next())
        return True

    async def _pay(self, payment: ClaimedPayment, details: PaymentDetails | None) -> bool:
        if details is not None:
            payment = replace(payment, method=details.method, installments=details.installments)
        try:
            outcome = await self._outcome(payment, details.token if details else None)
        except (ProviderUnavailable, TimeoutError) as error:
            async with self.transactions.begin(payment.trace) as tx:
                await schedule_retry(tx, payment)
            log.warning("the payment provider is called again later", reason=str(error) or "timeout")
            return False
        async with self.transactions.begin(payment.trace) as tx:
            await settle(tx, payment, outcome)
        log.info("the payment provider answered", payment_id=payment.payment_id, outcome=outcome.kind)
        return True

    async def _outcome(self, payment: Payment, token: str | None) -> ChargeOutcome:
        charge = ChargeRequest(
            payment_id=payment.payment_id,
            amount_minor=payment.amount_minor or 0,
            currency=payment.currency or "",
            method=payment.method or "",
            token=token or "",
            installments=payment.installments or 1,
        )
        call = "void" if payment.state == "voiding" else "capture"
        with PROVIDER_SECONDS.labels(call).time():
            async with asyncio.timeout(CALL_TIMEOUT_S):
                return await (self.provider.void if call == "void" else self.provider.capture)(charge)

    async def _refund(self, refund: Refund) -> bool:
        try:
            if refund.amount_minor:
                with PROVIDER_SECONDS.labels("refund").time():
                    async with asyncio.timeout(CALL_TIMEOUT_S):
                        await self.provider.refund(refund.refund_id, refund.payment_id, refund.amount_minor)
        except (ProviderUnavailable, TimeoutError):
            async with self.transactions.connection() as sql:
                next_attempt_at = self.transactions.clock() + retry_after(refund.attempts)
                await store.retry_refund_later(sql, refund.refund_id, next_attempt_at)
            return False
        async with self.transactions.begin(refund.trace) as tx:
            await complete_refund(tx, refund)
        log.info("the payment provider refunded", payment_id=refund.payment_id, refund_id=refund.refund_id)
        return True
