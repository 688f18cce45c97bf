"""Releases the units of orders that were not paid in time."""

from datetime import timedelta
from functools import partial

import structlog

from common.correlation import bound_chain
from common.errors import Retryable
from common.metrics import UNEXPECTED_ERRORS
from common.settings import Settings
from producers.kit.http.peers import Peers
from producers.kit.http.problems import ServiceNotReady
from producers.kit.outbox.trace import Trace
from producers.kit.outbox.transaction import Transactions
from producers.kit.polling import poll
from producers.kit.postgres.errors import RETRYABLE
from producers.services.inventory import store
from producers.services.inventory.handlers import release_reservation

log = structlog.get_logger()

EVERY_S = 5.0
AT_ONCE = 100

CHECK_AGAIN = timedelta(seconds=30)
"""After this time a reservation that could not be released is checked again."""

WORKER = "reservation_expiry"


async def expire_reservations(transactions: Transactions, settings: Settings) -> None:
    """Check every few seconds for reservations that have expired, until cancelled."""
    UNEXPECTED_ERRORS.labels("inventory", WORKER)  # creates the series with 0, which the alert needs
    once = partial(expire_reservations_once, transactions, Peers(settings, "inventory"))
    await poll("inventory expiry", EVERY_S, once)


async def expire_reservations_once(transactions: Transactions, peers: Peers) -> int:
    """Check the reservations that have expired, each in its own transaction; return their number.

    Raises:
        one of `producers.kit.postgres.errors.RETRYABLE`: PostgreSQL or payments does not answer.
    """
    async with transactions.connection() as sql:
        expired = await store.find_expired(sql, transactions.clock(), AT_ONCE)
    for order_id in expired:
        with bound_chain(order_id):
            await _expire_isolated(transactions, peers, order_id)
    return len(expired)


async def _expire_isolated(transactions: Transactions, peers: Peers, order_id: str) -> None:
    """Check one reservation. An unexpected error is logged, and the reservation is checked again later."""
    try:
        await _expire(transactions, peers, order_id)
    except RETRYABLE:
        raise
    except Exception:  # a bug that affects this order; the other orders must still be checked
        log.exception("unexpected error", worker=WORKER, order_id=order_id)
        UNEXPECTED_ERRORS.labels("inventory", WORKER).inc()
        async with transactions.begin(Trace(order_id)) as tx:
            await store.postpone_expiry(tx, order_id, tx.now + CHECK_AGAIN)


async def _expire(transactions: Transactions, peers: Peers, order_id: str) -> None:
    """Release a reservation if its order is unpaid and can't be paid any more; otherwise check again later.

    Only payments knows that: while Kafka is unavailable or inventory is behind, inventory may not have
    received the events of a captured payment. Payments commits first. What it has closed stays closed, so the
    units can be released at any later time. Without its answer they stay reserved.
    """
    try:
        answer = await peers.ask("payments", f"/v1/orders/{order_id}/payment/closing", {})
    except ServiceNotReady as error:
        raise Retryable(str(error)) from error
    async with transactions.begin(Trace(order_id)) as tx:
        reservation = await store.lock_reservation(tx, order_id)
        if reservation is None or reservation.state != "held":
            return
        if answer["closed"]:
            await release_reservation(tx, reservation, "expired")
            log.info("a reservation has expired", order_id=order_id)
        else:
            await store.postpone_expiry(tx, order_id, tx.now + CHECK_AGAIN)
