"""Lets go of units that were held for an order that was not paid in time."""

import asyncio

from common.settings import Settings
from producers.backoff import Backoff
from producers.inventory import store
from producers.inventory.handlers import release
from producers.outbox.trace import Trace
from producers.outbox.transaction import Transactions
from producers.postgres.errors import AWAY

EVERY_S = 5.0
AT_ONCE = 100


async def expire(transactions: Transactions, _settings: Settings) -> None:
    """Look every few seconds, until cancelled."""
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
