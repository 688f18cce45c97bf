"""Writes down what the provider answered, and says so: each answer once, however often it was asked for."""

from dataclasses import replace

from common.metrics import PAYMENTS
from producers.outbox.transaction import Transaction
from producers.payments import store
from producers.payments.model import Payment, owed_back_minor, retry_after
from producers.payments.provider import Outcome
from producers.payments.store import Refund


async def settle(tx: Transaction, asked: Payment, outcome: Outcome) -> None:
    """A payment has an outcome. If its order was cancelled meanwhile, what was taken goes back."""
    payment = await store.lock_payment(tx, asked.order_id)
    if not payment.to_be_asked_for:
        return  # someone else asked too, and was first
    if outcome.kind == "captured":
        settled = replace(payment, state="captured")
        await store.save_payment(tx, settled)
        tx.emit("payment_captured", **_told(payment), installments=payment.installments)
        await give_back(tx, settled)
    elif outcome.kind == "declined":
        await store.save_payment(tx, replace(payment, state="failed"), outcome.reason)
        _say_failed(tx, asked, outcome.reason, final=True)
    else:
        await store.save_payment(tx, replace(payment, state="void"))
    tx.count(PAYMENTS.labels({"captured": "captured", "declined": "failed"}.get(outcome.kind, "void")))


async def try_again(tx: Transaction, asked: Payment) -> None:
    """The provider did not answer: nobody knows what became of the payment, so the same is asked again."""
    payment = await store.lock_payment(tx, asked.order_id)
    if payment.to_be_asked_for:
        await store.try_payment_again(tx, asked.order_id, retry_after(asked.attempts))
        _say_failed(tx, asked, "provider_error", final=False)


async def give_back(tx: Transaction, payment: Payment) -> None:
    """What was taken for a cancelled order goes back."""
    if payment.state == "captured" and payment.cancelled:
        owed = owed_back_minor(payment, await store.refunded_minor(tx, payment.order_id))
        if owed > 0:
            await store.add_refund(tx, payment, owed, "order_cancelled")


async def settle_refund(tx: Transaction, refund: Refund) -> None:
    """The money is back."""
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
        )
        tx.count(PAYMENTS.labels("refunded"))


def _say_failed(tx: Transaction, asked: Payment, reason: str, final: bool) -> None:
    tx.emit("payment_failed", **_told(asked), attempt=asked.attempts, final=final, reason=reason)


def _told(payment: Payment) -> dict[str, object]:
    """A payment as its events have it."""
    return {
        "payment_id": payment.payment_id,
        "order_id": payment.order_id,
        "shopper_id": payment.shopper_id,
        "method": payment.method,
        "currency": payment.currency,
        "amount_minor": payment.amount_minor,
    }
