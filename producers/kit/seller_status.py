"""The copy that some services keep of which sellers may sell now.

Such a service has a table `seller_status`, and `KEEP_SELLER_STATUS` among its subscriptions. The copy may be
older than the newest decision: for this moment, a seller that was just approved counts as unknown, and one
that was just suspended as approved.
"""

from producers.kit.inbox.subscription import Subscription
from producers.kit.outbox.transaction import Transaction
from producers.kit.postgres.statements import statement
from schemas.codec import Record


@statement("""
    INSERT INTO seller_status (seller_id, approved, changed_at)
    VALUES ($event.seller_id::text, $event.status::text = 'approved', $event.occurred_at::timestamptz)
    ON CONFLICT (seller_id) DO UPDATE
    SET approved = excluded.approved, changed_at = excluded.changed_at
    WHERE seller_status.changed_at <= excluded.changed_at
""")
async def save_status(tx: Transaction, event: Record) -> None:
    """`seller_status_changed`: record whether the seller may sell."""


KEEP_SELLER_STATUS = (Subscription("seller_status_changed", save_status, batchable=True),)
"""The subscriptions of a service with a table `seller_status`."""
