"""Forgets which events were acted on, once Kafka does not send them again."""

from collections.abc import Iterable
from datetime import timedelta

from common.settings import Settings
from producers.inbox.subscription import Subscription
from producers.outbox.transaction import Transactions
from producers.postgres.pruning import prune
from producers.postgres.queries import load_queries

SQL = load_queries(__file__)


async def prune_inbox(
    service: str, subscriptions: Iterable[Subscription], transactions: Transactions, settings: Settings
) -> None:
    """Forget notes at the settings' age, until cancelled; those of events that count twice are kept."""
    kept = kept_topics(subscriptions)
    age = timedelta(days=settings.inbox_days)
    await prune(f"{service} inbox", transactions, SQL["prune_inbox"], age, kept)


def kept_topics(subscriptions: Iterable[Subscription]) -> list[str]:
    """The topics whose notes are never forgotten."""
    return [one.event for one in subscriptions if one.counts_twice]
