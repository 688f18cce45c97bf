"""Handles the events of payments, inventory, carriers and sellers in the orders service."""

from typing import Any

from common.errors import Rejected
from common.ids import is_uuid7
from producers.kit.inbox.subscription import Subscription
from producers.kit.offers import KEEP_OFFERS
from producers.kit.outbox.transaction import Transaction
from producers.services.orders import store, voucher_store
from producers.services.orders.model import (
    PaymentStatus,
    Reason,
    Status,
    can_be_cancelled,
    can_become,
    check_return,
    payment_can_become,
)
from producers.services.orders.store import Order
from schemas.codec import Record


async def confirm(tx: Transaction, event: Record) -> None:
    """`payment_captured`: confirm the order. A cancelled order stays cancelled, and payments refunds it."""
    order = await store.lock_order_once(tx, event["order_id"])
    if order is None:
        return
    becomes_captured = payment_can_become(order.payment_status, "captured")
    new_status: PaymentStatus | None = "captured" if becomes_captured else None
    if not await confirm_locked(tx, order, new_status) and new_status:
        await store.set_payment_status(tx, order, new_status)


async def confirm_locked(tx: Transaction, order: Order, payment: PaymentStatus | None = None) -> bool:
    """Confirm a locked order and emit `order_confirmed`; return False if its status does not allow it."""
    if not can_become(order.status, "confirmed"):
        return False
    await store.set_order_status(tx, order, "confirmed", store.StepDetails(tx.now), payment=payment)
    tx.emit(
        "order_confirmed",
        order_id=order.order_id,
        shopper_id=order.shopper_id,
        placed_at=order.placed_at,
        currency=order.currency,
        lines=await store.find_lines(tx.sql, order.order_id),
    )
    return True


async def cancel_unpaid(tx: Transaction, event: Record) -> None:
    """`payment_failed`: cancel the order if no further attempt follows."""
    order = await store.lock_order(tx, event["order_id"]) if event["final"] else None
    if order is None:
        return
    if payment_can_become(order.payment_status, "failed"):
        await store.set_payment_status(tx, order, "failed")
    await _cancel(tx, order, "payment_failed")


async def record_refund(tx: Transaction, event: Record) -> None:
    """`payment_refunded`: record a full or partial refund."""
    if order := await store.lock_order(tx, event["order_id"]):
        step = store.StepDetails(event["occurred_at"], about=event["refund_id"])
        await store.record_refund(tx, order, step, event["amount_minor"])


async def cancel_sold_out(tx: Transaction, event: Record) -> None:
    """`stock_refused`: cancel the order."""
    if order := await store.lock_order(tx, event["order_id"]):
        await _cancel(tx, order, "out_of_stock")


async def cancel_expired(tx: Transaction, event: Record) -> None:
    """`stock_released`: cancel the order if its reservation expired. Those of paid orders don't expire."""
    if event["reason"] == "expired" and (order := await store.lock_order(tx, event["order_id"])):
        await _cancel(tx, order, "timed_out")


async def ship(tx: Transaction, event: Record) -> None:
    """`order_shipped`: record that a parcel of the order was shipped."""
    await _apply_shipment_step(tx, event, "shipped")


async def deliver(tx: Transaction, event: Record) -> None:
    """`order_delivered`: record that a parcel of the order was delivered."""
    await _apply_shipment_step(tx, event, "delivered")


async def accept_return(tx: Transaction, event: Record) -> None:
    """`order_returned`: accept the return; the order keeps its status, and can't be cancelled any more.

    Inventory and payments act on `return_settled`, so that no return is accepted in part. A return of an
    unpaid order is rejected, not retried: a retry blocks the whole consumer, which would then never read the
    payment. The dead letter can be replayed once the order is paid.

    Raises:
        Rejected: the order is not paid or is cancelled, or the return does not fit it, or is known already.
    """
    order = await store.lock_order(tx, event["order_id"])
    if order is None:
        return
    if order.status in ("placed", "cancelled"):
        state = "not paid yet" if order.status == "placed" else "cancelled"
        raise Rejected(f"order {order.order_id} is {state}, so it can't be returned")
    if await store.is_returned(tx, order, event["return_id"]):
        raise Rejected(f"return {event['return_id']} of order {order.order_id} was accepted before")
    checked = check_return(await store.find_sold_lines(tx, order), event)
    step = store.StepDetails(event["occurred_at"], event["return_id"], event["seller_id"])
    await store.save_returned_lines(tx, order, checked.after.values())
    await store.add_step(tx, order, "returned", step)
    tx.emit("return_settled", **{**settled(event), "lines": checked.lines})


def settled(event: Record) -> dict[str, Any]:
    """Return the fields of the `return_settled` of an accepted `order_returned`."""
    fields = ("return_id", "order_id", "shopper_id", "seller_id", "placed_at", "currency", "lines")
    return {name: event[name] for name in fields}


async def cancel_locked(tx: Transaction, order: Order, reason: Reason) -> bool:
    """Cancel a locked order and emit `order_cancelled`; return False if it can't be cancelled.

    An order that is shipped, cancelled or partly returned does not change.
    Inventory then releases or restocks the units, and payments refunds the captured amount. The vouchers of
    the order may be used by another one.
    """
    if not can_be_cancelled(order.status, order.has_returns):
        return False
    if order.has_vouchers:
        await voucher_store.give_back(tx, order.order_id)
    await store.set_order_status(tx, order, "cancelled", store.StepDetails(tx.now), reason)
    tx.emit(
        "order_cancelled",
        order_id=order.order_id,
        shopper_id=order.shopper_id,
        reason=reason,
        placed_at=order.placed_at,
        currency=order.currency,
        lines=await store.find_lines(tx.sql, order.order_id),
        confirmed_at=await store.find_confirmed_at(tx, order),
    )
    return True


async def _cancel(tx: Transaction, order: Order, reason: Reason) -> None:
    """Cancel a locked order because of an event. Shipped and cancelled orders are ignored.

    Only unpaid orders get such events, and an unpaid order can't be returned. So if the order was partly
    returned, a service contradicts itself, and the dead letter shows that to the operator.

    Raises:
        Rejected: the order was partly returned.
    """
    if not await cancel_locked(tx, order, reason) and order.has_returns:
        raise Rejected(f"order {order.order_id} was partly returned, so it can't be cancelled")


async def _apply_shipment_step(tx: Transaction, event: Record, to: Status) -> None:
    """Record a step of a parcel, and the order's new status if it changes. Cancelled orders are ignored.

    Raises:
        Rejected: the order is not paid yet.
    """
    order = await store.lock_order_once(tx, event["order_id"])
    if order is None or order.status == "cancelled":
        return
    if order.status == "placed":
        raise Rejected(f"order {order.order_id} is not paid yet, so it can't be {to}")
    step = store.StepDetails(
        event["occurred_at"],
        event["shipment_id"],
        event["seller_id"],
        event.get("carrier"),
        event.get("tracking_code"),
    )
    if can_become(order.status, to):
        await store.set_order_status(tx, order, to, step)
    else:
        await store.add_step(tx, order, to, step)


SUBSCRIPTIONS = (
    Subscription("payment_captured", confirm, records_event=True),
    Subscription("payment_failed", cancel_unpaid),
    Subscription("payment_refunded", record_refund),
    Subscription("stock_refused", cancel_sold_out),
    Subscription("stock_released", cancel_expired),
    Subscription("order_shipped", ship, external_key=is_uuid7, records_event=True),
    Subscription("order_delivered", deliver, external_key=is_uuid7, records_event=True),
    Subscription("order_returned", accept_return, external_key=is_uuid7, never_prune=True),
    *KEEP_OFFERS,
    Subscription("commission_rule_added", store.save_rule),
)
