"""Deletes expired rows once an hour, in batches."""

from datetime import timedelta
from functools import partial
from typing import Any

from producers.kit.outbox.transaction import Transactions
from producers.kit.polling import poll

BATCH_ROWS = 5_000
"""Rows deleted in one transaction: few enough that their locks are short."""

INTERVAL_S = 3600.0


async def prune(
    name: str, transactions: Transactions, statement: str, age: timedelta, *arguments: Any
) -> None:
    """Run a DELETE now and every hour, until cancelled. Its `$1` is a minimum age, its `$2` a row limit."""
    await poll(f"{name} pruning", INTERVAL_S, partial(prune_once, transactions, statement, age, *arguments))


async def prune_once(transactions: Transactions, statement: str, age: timedelta, *arguments: Any) -> int:
    """Run the DELETE until no row matches. Returns the number of deleted rows.

    Raises:
        one of `producers.kit.postgres.errors.TRANSIENT`: some rows may be left.
    """
    deleted = 0
    while True:
        async with transactions.connection() as sql:
            status: str = await sql.execute(statement, age, BATCH_ROWS, *arguments)
        batch = int(status.rpartition(" ")[2])
        deleted += batch
        if batch < BATCH_ROWS:
            return deleted
