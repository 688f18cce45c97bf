"""What orders does about events: of payments and inventory, of carriers and sellers."""

from common.errors import Rejected
from common.ids import is_uuid7
from producers.inbox.subscription import Subscription, any_key
from producers.orders import store
from producers.orders.cancelling import cancel
from producers.orders.model import Offer, PaymentStatus, Status, moves_on, payment_moves_on
from producers.outbox.transaction import Transaction
from schemas.codec import Record


async def confirm(tx: Transaction, event: Record) -> None:
    """`payment_captured`: the sellers may ship. An order cancelled meanwhile stays so, and is refunded."""
    order = await store.hear_of_order(tx, event["order_id"])
    if order is None:
        return
    paid: PaymentStatus | None = "captured" if payment_moves_on(order.payment_status, "captured") else None
    if moves_on(order.status, "confirmed"):
        await store.move_order(tx, order, "confirmed", store.Told(tx.now), payment=paid)
        tx.emit("order_confirmed", order_id=order.order_id, shopper_id=order.shopper_id)
    elif paid:
        await store.move_payment(tx, order, paid)


async def cancel_unpaid(tx: Transaction, event: Record) -> None:
    """`payment_failed`, when no further attempt follows."""
    order = await store.lock_order(tx, event["order_id"]) if event["final"] else None
    if order is None:
        return
    if payment_moves_on(order.payment_status, "failed"):
        await store.move_payment(tx, order, "failed")
    await cancel(tx, order, "payment_failed")


async def note_refund(tx: Transaction, event: Record) -> None:
    """`payment_refunded`: all of it, or what came back."""
    if order := await store.lock_order(tx, event["order_id"]):
        told = store.Told(event["occurred_at"], about=event["refund_id"])
        await store.note_refund(tx, order, told, event["amount_minor"])


async def cancel_sold_out(tx: Transaction, event: Record) -> None:
    """`stock_refused`."""
    if order := await store.lock_order(tx, event["order_id"]):
        await cancel(tx, order, "out_of_stock")


async def cancel_expired(tx: Transaction, event: Record) -> None:
    """`stock_released` by its deadline: nothing is held for the order any more, paid or not."""
    if event["reason"] == "expired" and (order := await store.lock_order(tx, event["order_id"])):
        await cancel(tx, order, "timed_out")


async def ship(tx: Transaction, event: Record) -> None:
    """`order_shipped`: one of its parcels."""
    await _moves(tx, event, "shipped")


async def deliver(tx: Transaction, event: Record) -> None:
    """`order_delivered`: one of its parcels."""
    await _moves(tx, event, "delivered")


async def note_return(tx: Transaction, event: Record) -> None:
    """`order_returned`: lines came back; the order stays delivered."""
    if order := await store.lock_order(tx, event["order_id"]):
        told = store.Told(event["occurred_at"], event["return_id"], event["seller_id"])
        await store.add_step(tx, order, "returned", told)


async def keep_offer(tx: Transaction, event: Record) -> None:
    """`product_listed`, `product_changed`."""
    offer = Offer(event["product_id"], event["seller_id"], event["currency"], event["price_minor"], True)
    await store.keep_offer(tx, offer, event["occurred_at"])


async def delist_offer(tx: Transaction, event: Record) -> None:
    """`product_delisted`."""
    await store.delist_offer(tx, event["product_id"], event["seller_id"], event["occurred_at"])


async def _moves(tx: Transaction, event: Record, to: Status) -> None:
    """A step that the outside tells of. What it says of a cancelled order changes nothing."""
    order = await store.hear_of_order(tx, event["order_id"])
    if order is None or order.status == "cancelled":
        return
    if order.status == "placed":
        raise Rejected(f"order {order.order_id} is not paid yet, so it can't be {to}")
    told = store.Told(event["occurred_at"], event["shipment_id"], event["seller_id"])
    if moves_on(order.status, to):
        await store.move_order(tx, order, to, told)
    else:
        await store.add_step(tx, order, to, told)


SUBSCRIPTIONS = (
    Subscription("payment_captured", confirm, hears=True),
    Subscription("payment_failed", cancel_unpaid),
    Subscription("payment_refunded", note_refund),
    Subscription("stock_refused", cancel_sold_out),
    Subscription("stock_released", cancel_expired),
    Subscription("order_shipped", ship, from_anyone=is_uuid7, hears=True),
    Subscription("order_delivered", deliver, from_anyone=is_uuid7, hears=True),
    Subscription("order_returned", note_return, from_anyone=is_uuid7),
    Subscription("product_listed", keep_offer, from_anyone=any_key, together=True),
    Subscription("product_changed", keep_offer, from_anyone=any_key, together=True),
    Subscription("product_delisted", delist_offer, from_anyone=any_key, together=True),
)
