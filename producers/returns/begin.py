"""Decides whether an order can be returned, under the lock of its row in `orders.orders`."""

from common.errors import Rejected, Retryable
from producers.outbox.transaction import Transaction
from producers.postgres.errors import FUNCTION_UNAVAILABLE
from producers.postgres.queries import load_queries

SQL = load_queries(__file__)


async def begin_return(tx: Transaction, order_id: str) -> bool:
    """Bar the order's cancellation if it can be returned; return False if it does not exist in this shop.

    Each service calls this in its own transaction. From the first commit on, the order can't be cancelled, so
    the other services accept the same return. If the order is cancelled first, all of them reject it.

    A return of an unpaid order is rejected, not retried: a retry blocks the whole consumer, and the consumer
    of orders would then never read the payment. The dead letters can be replayed once the order is paid.

    Raises:
        Rejected: the order is not paid yet, or it is cancelled.
        Retryable: orders has not created the function yet, or not granted it.
    """
    try:
        status = await tx.sql.fetchval(SQL["begin_return"], order_id)
    except FUNCTION_UNAVAILABLE as error:
        raise Retryable(f"orders.begin_return can't be called yet: {error}") from error
    if status == "placed":
        raise Rejected(f"order {order_id} is not paid yet, so it can't be returned")
    if status == "cancelled":
        raise Rejected(f"order {order_id} is cancelled, so it can't be returned")
    return status is not None
