"""Cancels orders, the only way in which an order ends before its delivery."""

from producers.kit.outbox.transaction import Transaction
from producers.services.orders import store
from producers.services.orders.model import Reason, can_be_cancelled
from producers.services.orders.store import Order


async def cancel_order(tx: Transaction, order: Order, reason: Reason) -> bool:
    """Cancel a locked order and emit `order_cancelled`; return False if it can't be cancelled.

    An order that is shipped, cancelled or partly returned does not change.
    Inventory then releases or restocks the units, and payments refunds the captured amount.
    """
    if not can_be_cancelled(order.status, order.has_returns):
        return False
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
