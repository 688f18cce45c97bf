"""What payments does about orders: note what is due, that it may be paid, and what has to go back.

The provider is never asked here, inside a transaction: what is due is written down, and `asking.py` asks.
"""

from dataclasses import replace

from common.errors import Rejected
from common.ids import is_uuid7
from producers.inbox.subscription import Subscription
from producers.outbox.transaction import Transaction
from producers.payments import store
from producers.payments.model import DueLine, give_back_lines
from producers.payments.settling import give_back
from schemas.codec import Record


async def note_due(tx: Transaction, event: Record) -> None:
    """`order_placed`: how much, from whom, and how. Where nobody knows how any more, the order has ended."""
    payment = await store.hear_of_payment(tx, event["order_id"])
    if payment.amount_minor is not None:
        return
    how = await store.find_how_to_pay(tx, payment.order_id)
    lines = [DueLine(line["line_number"], line["quantity"], _due_minor(line)) for line in event["lines"]]
    due = replace(
        payment,
        shopper_id=event["shopper_id"],
        method=how.method if how else None,
        token=how.token if how else None,
        installments=how.installments if how else None,
        currency=event["currency"],
        amount_minor=sum(line.amount_minor for line in lines),
        cancelled=payment.cancelled or how is None,
    )
    await store.save_payment(tx, due.next(), lines=lines)


async def note_reserved(tx: Transaction, event: Record) -> None:
    """`stock_reserved`: there is something to pay for."""
    payment = await store.hear_of_payment(tx, event["order_id"])
    if payment.state == "waiting":
        await store.save_payment(tx, replace(payment, reserved=True).next())


async def note_cancelled(tx: Transaction, event: Record) -> None:
    """`order_cancelled`: don't ask any more, and give back what was taken."""
    payment = await store.lock_payment(tx, event["order_id"])
    cancelled = replace(payment, cancelled=True).next()
    await store.save_payment(tx, cancelled)
    await give_back(tx, cancelled)


async def refund_return(tx: Transaction, event: Record) -> None:
    """`order_returned`: give back what the return says, never more than is left of its lines.

    Whether the order was shipped is not asked: that lies in another topic, and may still be to be read.
    """
    payment = await store.lock_known_payment(tx, event["order_id"])
    if payment is None:
        return
    await store.take_return(tx, payment.order_id, event["return_id"])
    if payment.state != "captured" or payment.cancelled:
        raise Rejected(f"order {event['order_id']} was not paid: nothing of it can be refunded")
    amount_minor = sum(line["refund_minor"] for line in event["lines"])
    left_minor = (payment.amount_minor or 0) - await store.refunded_minor(tx, payment.order_id)
    if not 0 <= amount_minor <= left_minor:
        raise Rejected(f"return {event['return_id']} asks for {amount_minor}, and {left_minor} are left")
    if lines := await store.find_due_lines(tx, payment.order_id):
        back = [(line["line_number"], line["quantity"], line["refund_minor"]) for line in event["lines"]]
        await store.note_returned(tx, payment.order_id, give_back_lines(lines, back).values())
    if amount_minor:
        await store.add_refund(tx, payment, amount_minor, "order_returned", event["return_id"])


def _due_minor(line: Record) -> int:
    gross: int = line["quantity"] * line["unit_price_minor"]
    rest: int = line["shipping_minor"] + line["tax_minor"] - line["discount_minor"]
    return gross + rest


SUBSCRIPTIONS = (
    Subscription("order_placed", note_due, hears=True),
    Subscription("stock_reserved", note_reserved, hears=True),
    Subscription("order_cancelled", note_cancelled),
    Subscription("order_returned", refund_return, from_anyone=is_uuid7, counts_twice=True),
)
