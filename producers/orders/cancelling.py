"""The one way in which an order ends before delivery, whoever asked for it."""

from producers.orders import store
from producers.orders.model import Reason, moves_on
from producers.orders.store import Order
from producers.outbox.transaction import Transaction


async def cancel(tx: Transaction, order: Order, reason: Reason) -> bool:
    """Cancel a locked order and say so; False if it has been shipped or cancelled already.

    The event carries the lines: inventory gives back what it holds, payments pays back what it took.
    """
    if not moves_on(order.status, "cancelled"):
        return False
    await store.move_order(tx, order, "cancelled", store.Told(tx.now), reason)
    tx.emit(
        "order_cancelled",
        order_id=order.order_id,
        shopper_id=order.shopper_id,
        reason=reason,
        placed_at=order.placed_at,
        currency=order.currency,
        lines=await store.find_lines(tx.sql, order.order_id),
    )
    return True
