"""Deletes idempotency keys and their stored responses after their retention time."""

from datetime import timedelta

from common.settings import Settings
from producers.kit.outbox.transaction import Transactions
from producers.kit.postgres.pruning import prune
from producers.services.orders import store


async def prune_idempotency_keys(transactions: Transactions, settings: Settings) -> None:
    """Delete keys older than the setting `idempotency_key_days`, until cancelled.

    A request with a deleted key is a new checkout.
    """
    age = timedelta(days=settings.idempotency_key_days)
    await prune("orders keys", transactions, store.PRUNE_KEYS, age)
