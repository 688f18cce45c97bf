"""Forgets rows that nobody needs any more: a batch at a time, once an hour."""

import asyncio
from datetime import timedelta
from typing import Any

from producers.backoff import Backoff
from producers.outbox.transaction import Transactions
from producers.postgres.errors import AWAY

AT_ONCE = 5_000
"""Rows of a transaction: so long nobody else waits for them."""

EVERY_S = 3600.0


async def prune(
    who: str, transactions: Transactions, statement: str, age: timedelta, *arguments: Any
) -> None:
    """Run a DELETE now and every hour, until cancelled. Its `$1` is an age, `$2` a number of rows."""
    backoff = Backoff(f"{who} pruning")
    while True:
        try:
            await prune_once(transactions, statement, age, *arguments)
        except AWAY as error:
            await backoff.wait(error)
        else:
            backoff.reset()
            await asyncio.sleep(EVERY_S)


async def prune_once(transactions: Transactions, statement: str, age: timedelta, *arguments: Any) -> int:
    """Run the DELETE until it finds no more; the rows that it deleted.

    Raises:
        one of `producers.postgres.errors.AWAY`: some may be left.
    """
    deleted = 0
    while True:
        async with transactions.connection() as sql:
            status: str = await sql.execute(statement, age, AT_ONCE, *arguments)
        batch = int(status.rpartition(" ")[2])
        deleted += batch
        if batch < AT_ONCE:
            return deleted
