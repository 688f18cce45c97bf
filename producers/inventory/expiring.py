"""Lets go of units that were held for an order that was not paid in time."""

import asyncio
from functools import partial

from common.settings import Settings
from producers.backoff import Backoff, until_done
from producers.inbox.backlog import backlog_acted_on
from producers.inventory import store
from producers.inventory.handlers import release
from producers.outbox.trace import Trace
from producers.outbox.transaction import Transactions
from producers.postgres.errors import AWAY, RETRYABLE

EVERY_S = 5.0
AT_ONCE = 100


BACKLOG = (("orders", "payment_captured"), ("inventory", "order_confirmed"))
"""What makes held units sold. After a downtime it lies there unread, while the units' time has run out."""


async def expire(transactions: Transactions, settings: Settings) -> None:
    """Look every few seconds, until cancelled; first once what was there at the start has been acted on."""
    for service, topic in BACKLOG:
        await until_done(
            "inventory expiry", partial(backlog_acted_on, settings.kafka, service, topic), RETRYABLE
        )
    backoff = Backoff("inventory expiry")
    while True:
        try:
            await expire_once(transactions)
            backoff.reset()
        except AWAY as error:
            await backoff.wait(error)
        await asyncio.sleep(EVERY_S)


async def expire_once(transactions: Transactions) -> int:
    """Release what has expired by now, each order in a transaction of its own. How many were found."""
    async with transactions.connection() as sql:
        expired = await store.find_expired(sql, transactions.clock(), AT_ONCE)
    for order_id in expired:
        async with transactions.begin(Trace(order_id)) as tx:
            reservation = await store.lock_reservation(tx, order_id)
            if reservation and reservation.state == "held":
                await release(tx, reservation, "expired")
    return len(expired)
