"""Handles events of payments: shoppers earn points."""

from producers.inbox.subscription import Subscription
from producers.loyalty import store
from producers.loyalty.model import earned
from producers.outbox.transaction import Transaction
from schemas.codec import Record


async def earn(tx: Transaction, event: Record) -> None:
    """Handle `payment_captured`: its shopper earns points."""
    await store.add_points(tx, event["order_id"], event["shopper_id"], earned(event["amount_minor"]))


SUBSCRIPTIONS = (Subscription("payment_captured", earn),)
