"""Deletes expired invitations, so that addresses of people who did not answer are not kept."""

from datetime import timedelta

from common.settings import Settings
from producers.kit.outbox.transaction import Transactions
from producers.kit.postgres.pruning import prune
from producers.services.sellers import store


async def prune_tables(transactions: Transactions, _settings: Settings) -> None:
    """Delete expired invitations once an hour, until cancelled."""
    await prune("sellers invitations", transactions, store.PRUNE_INVITATIONS, timedelta(0))
