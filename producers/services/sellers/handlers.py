"""Handles the events of listings, and of sellers that a replay or another system has registered.

The service also reads its own events of sellers that applied here. They change nothing.
"""

from common.errors import Rejected
from producers.kit.inbox.subscription import Subscription, any_key
from producers.kit.listings import KEEP_LISTINGS
from producers.kit.outbox.transaction import Transaction
from producers.services.sellers import store
from producers.services.sellers.commission import MAX_BP, emit_rule
from schemas.codec import Record


async def save_registration(tx: Transaction, event: Record) -> None:
    """`seller_registered`: save the seller as approved, unless this service has decided about it."""
    if await store.save_registration(tx, event):
        tx.emit("seller_status_changed", seller_id=event["seller_id"], status="approved")


async def save_agreed_rate(tx: Transaction, event: Record) -> None:
    """`seller_approved`: add the agreed rate as a commission rule of a seller that was approved elsewhere.

    Raises:
        Rejected: the rate is negative or above 100 %.
    """
    rate_bp: int = event["commission_bp"]
    if not 0 <= rate_bp <= MAX_BP:
        raise Rejected(
            f"seller {event['seller_id']} is approved for a commission of {rate_bp} basis points: it must be "
            f"from 0 to {MAX_BP}"
        )
    if added := await store.save_agreed_rate(tx, event):
        emit_rule(tx, added)


SUBSCRIPTIONS = (
    Subscription("seller_registered", save_registration, external_key=any_key),
    Subscription("seller_approved", save_agreed_rate, external_key=any_key),
    *KEEP_LISTINGS,
)
