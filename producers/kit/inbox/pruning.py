"""Deletes the ids of processed events once Kafka can't deliver the events again."""

from collections.abc import Iterable
from datetime import timedelta

from common.settings import Settings
from producers.kit.inbox.subscription import Subscription
from producers.kit.outbox.transaction import Transactions
from producers.kit.postgres.pruning import prune
from producers.kit.postgres.queries import load_queries

SQL = load_queries(__file__)


async def prune_inbox(
    service: str, subscriptions: Iterable[Subscription], transactions: Transactions, settings: Settings
) -> None:
    """Delete ids older than the setting `inbox_days`, until cancelled. Ids of `never_prune` events stay."""
    age = timedelta(days=settings.inbox_days)
    topics = never_pruned_topics(subscriptions)
    await prune(f"{service} inbox", transactions, SQL["prune_inbox"], age, topics)


def never_pruned_topics(subscriptions: Iterable[Subscription]) -> list[str]:
    """Return the topics whose event ids are never deleted."""
    return [each.event for each in subscriptions if each.never_prune]
