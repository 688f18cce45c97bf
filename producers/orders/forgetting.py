"""Forgets what keys were answered once nobody retries their checkout any more."""

from datetime import timedelta

from common.settings import Settings
from producers.orders import store
from producers.outbox.transaction import Transactions
from producers.postgres.pruning import prune


async def forget_keys(transactions: Transactions, settings: Settings) -> None:
    """Forget keys at the settings' age, until cancelled. One that comes again later is a new checkout."""
    age = timedelta(days=settings.idempotency_key_days)
    await prune("orders keys", transactions, store.PRUNE_KEYS, age)
