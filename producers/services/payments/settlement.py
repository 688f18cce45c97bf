"""Stores the provider's outcomes and emits their events, each once, however often the provider is called."""

from dataclasses import asdict, replace

from common.metrics import PAYMENTS
from producers.kit.outbox.transaction import Transaction
from producers.services.payments import store
from producers.services.payments.model import Payment, refund_due_minor, retry_after
from producers.services.payments.provider import ChargeOutcome
from producers.services.payments.store import Refund


async def settle(tx: Transaction, claimed: Payment, outcome: ChargeOutcome) -> None:
    """Store the outcome of a payment. If its order was cancelled meanwhile, refund the captured amount."""
    payment = await store.lock_payment(tx, claimed.order_id)
    if not payment.needs_provider_call:
        return  # another call has stored an outcome already
    if outcome.kind == "captured":
        settled = replace(payment, state="captured")
        await store.save_payment(tx, settled)
        tx.emit("payment_captured", **_payment_fields(payment), installments=payment.installments)
        await refund_if_cancelled(tx, settled)
    elif outcome.kind == "declined":
        await store.save_payment(tx, replace(payment, state="failed"), outcome.reason)
        _emit_failed(tx, claimed, outcome.reason, final=True)
    else:
        await store.save_payment(tx, replace(payment, state="void"))
    tx.count(PAYMENTS.labels({"captured": "captured", "declined": "failed"}.get(outcome.kind, "void")))


async def close_unpaid(tx: Transaction, order_id: str) -> bool:
    """Close the payment of an order; return False if the money was taken, or may have been taken."""
    payment = await store.lock_payment(tx, order_id)
    after = payment.expired()
    if after.state != payment.state:
        await store.save_expired_payment(tx, after)
    return after.is_closed


async def schedule_retry(tx: Transaction, claimed: Payment) -> None:
    """Repeat the same call later, because the provider did not answer and the outcome is unknown."""
    payment = await store.lock_payment(tx, claimed.order_id)
    if payment.needs_provider_call:
        await store.retry_payments_later(tx.sql, [claimed.order_id], tx.now + retry_after(claimed.attempts))
        _emit_failed(tx, claimed, "provider_error", final=False)


async def refund_if_cancelled(tx: Transaction, payment: Payment) -> None:
    """Refund a captured payment if its order is cancelled."""
    if payment.state == "captured" and payment.cancelled:
        owed = refund_due_minor(payment, await store.refunded_minor(tx, payment.order_id))
        if owed > 0:
            await store.add_refund(tx, payment.order_id, owed, "order_cancelled")


async def complete_refund(tx: Transaction, refund: Refund) -> None:
    """Record that a refund is done, and emit its event."""
    payment = await store.lock_payment(tx, refund.order_id)
    if await store.finish_refund(tx, refund.refund_id):
        tx.emit(
            "payment_refunded",
            refund_id=refund.refund_id,
            payment_id=refund.payment_id,
            order_id=refund.order_id,
            shopper_id=payment.shopper_id,
            currency=payment.currency,
            amount_minor=refund.amount_minor,
            reason=refund.reason,
            return_id=refund.return_id,
            seller_id=refund.seller_id,
            placed_at=refund.placed_at,
            lines=[asdict(line) for line in refund.lines],
        )
        tx.count(PAYMENTS.labels("refunded"))


def _emit_failed(tx: Transaction, claimed: Payment, reason: str, final: bool) -> None:
    tx.emit(
        "payment_failed", **_payment_fields(claimed), attempt=claimed.attempts, final=final, reason=reason
    )


def _payment_fields(payment: Payment) -> dict[str, object]:
    """Return the fields that the events of a payment share."""
    return {
        "payment_id": payment.payment_id,
        "order_id": payment.order_id,
        "shopper_id": payment.shopper_id,
        "method": payment.method,
        "currency": payment.currency,
        "amount_minor": payment.amount_minor,
    }
