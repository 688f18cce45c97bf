"""Handles events of payments: shoppers earn points."""

from producers.kit.inbox.subscription import Subscription
from producers.kit.outbox.transaction import Transaction
from producers.services.loyalty import store
from producers.services.loyalty.model import earned
from schemas.codec import Record


async def earn(tx: Transaction, event: Record) -> None:
    """Handle `payment_captured`: its shopper earns points."""
    await store.add_points(tx, event, earned(event["amount_minor"]))


SUBSCRIPTIONS = (Subscription("payment_captured", earn),)
