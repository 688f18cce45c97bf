"""The users service reads which sellers may sell; what it knows of people, it is told by requests."""

from producers.kit.inbox.subscription import Subscription
from producers.kit.outbox.transaction import Transaction
from producers.kit.seller_status import save_status
from producers.services.users import store
from schemas.codec import Record


async def change_seller_status(tx: Transaction, event: Record) -> None:
    """`seller_status_changed`: record whether the seller may sell, and end the access tokens of its staff.

    Until it arrives, the staff of a seller that was just suspended keeps its rights; the gateway refuses them
    meanwhile, because it asks sellers who is suspended. That of a seller that sells again waits for it.
    """
    await save_status(tx, event)
    await store.revoke_staff(tx, event["seller_id"])


SUBSCRIPTIONS = (Subscription("seller_status_changed", change_seller_status),)
