"""Deletes old messages."""

from datetime import timedelta

from common.settings import Settings
from producers.kit.outbox.transaction import Transactions
from producers.kit.postgres.pruning import prune
from producers.services.alerts import message_store

MESSAGES_AGE = timedelta(days=90)
"""As long as `alert_raised` is in Kafka."""


async def prune_messages(transactions: Transactions, _settings: Settings) -> None:
    """Delete messages once an hour that are older than 90 days, until cancelled."""
    await prune("alerts messages", transactions, message_store.PRUNE_MESSAGES, MESSAGES_AGE)
