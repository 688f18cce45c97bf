"""Handles the events of orders in the payments service: records which amounts to charge and to refund.

Handlers never call the provider, because they run inside a transaction. They record the amounts that are due,
and `charge_worker.py` calls the provider.
"""

from dataclasses import replace

from common.errors import Rejected
from producers.kit.inbox.subscription import Subscription
from producers.kit.outbox.transaction import Transaction
from producers.services.payments import store
from producers.services.payments.model import Payment
from producers.services.payments.settlement import refund_if_cancelled
from schemas.codec import Record


async def record_amount_due(tx: Transaction, event: Record) -> None:
    """`order_placed`: record the amount."""
    payment = await store.lock_payment_once(tx, event["order_id"])
    if payment.amount_minor is not None:
        return
    due = replace(
        payment,
        shopper_id=event["shopper_id"],
        currency=event["currency"],
        amount_minor=sum(map(line_amount_minor, event["lines"])),
    )
    await _save_next(tx, due)


async def record_reservation(tx: Transaction, event: Record) -> None:
    """`stock_reserved`: record that the order may be charged."""
    payment = await store.lock_payment_once(tx, event["order_id"])
    if payment.state == "waiting":
        await _save_next(tx, replace(payment, reserved=True))


async def _save_next(tx: Transaction, payment: Payment) -> None:
    """Save a waiting payment in its next state. Orders confirms an order that costs nothing."""
    after = payment.next()
    await store.save_payment(tx, after)
    if after.state == "free":
        tx.request("orders", f"/v1/orders/{after.order_id}/confirmation", {})


async def record_cancellation(tx: Transaction, event: Record) -> None:
    """`order_cancelled`: charge the order no more, and refund a captured amount."""
    payment = await store.lock_payment(tx, event["order_id"])
    cancelled = replace(payment, cancelled=True).next()
    await store.save_payment(tx, cancelled)
    await refund_if_cancelled(tx, cancelled)


async def refund_return(tx: Transaction, event: Record) -> None:
    """`return_settled`: refund the amounts of the return. Orders has checked them line by line.

    If the shopper gets nothing, but the marketplace gets its part of a discount back, the refund is of 0.
    """
    payment = await store.lock_payment(tx, event["order_id"])
    if not await store.record_return(tx, payment.order_id, event["return_id"]):
        return
    if payment.state not in ("captured", "free") or payment.cancelled:
        raise Rejected(f"order {event['order_id']} is not paid or was cancelled, so it can't be refunded")
    amount_minor = sum(line["refund_minor"] for line in event["lines"])
    left_minor = (payment.amount_minor or 0) - await store.refunded_minor(tx, payment.order_id)
    if not 0 <= amount_minor <= left_minor:
        raise Rejected(
            f"return {event['return_id']} refunds {amount_minor} minor units, but {left_minor} can be "
            "refunded"
        )
    if amount_minor or any(line["marketplace_minor"] for line in event["lines"]):
        await store.add_refund(tx, payment.order_id, amount_minor, "order_returned", event)


def line_amount_minor(line: Record) -> int:
    """Return the amount due for a line of `order_placed`. Sources without vouchers leave their fields out."""
    gross: int = line["quantity"] * line["unit_price_minor"]
    discount: int = line["discount_minor"] + (line.get("marketplace_minor") or 0)
    extras: int = line["shipping_minor"] + line["tax_minor"]
    return gross - discount + extras


SUBSCRIPTIONS = (
    Subscription("order_placed", record_amount_due, records_event=True),
    Subscription("stock_reserved", record_reservation, records_event=True),
    Subscription("order_cancelled", record_cancellation),
    Subscription("return_settled", refund_return),
)
