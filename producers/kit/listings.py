"""What services require of a seller's listing, and the copy of all listings that some of them keep.

Such a service has a table `listings`, and `KEEP_LISTINGS` among its subscriptions. The copy may be a moment
older than the newest event: a request about a listing that is newer is refused, and can be sent again.
"""

from common.errors import Rejected
from producers.kit.inbox.subscription import Subscription, any_key
from producers.kit.outbox.transaction import Transaction
from producers.kit.postgres.statements import statement
from schemas.codec import Record

MAX_PRICE_MINOR = 10_000_000_000
"""The highest price of one unit.

The largest order is 300 lines x 1,000 units x 10^10 = 3 x 10^15 minor units. A 64-bit integer holds 3,000
times that. A double, which many JSON parsers use, represents integers up to 9 x 10^15 exactly.
"""

MAX_ORDER_LINES = 300
"""The largest number of lines of an order, and of products in a cart, which becomes one."""

MAX_ON_HAND = 1_000_000
"""The largest stock of a product at a seller."""


def check_listing(event: Record) -> None:
    """Check a `product_listed` or `product_changed`.

    Raises:
        Rejected: the price is negative or above `MAX_PRICE_MINOR`.
    """
    price_minor: int = event["price_minor"]
    if not 0 <= price_minor <= MAX_PRICE_MINOR:
        raise Rejected(
            f"product {event['product_id']} of seller {event['seller_id']} is listed for {price_minor} minor "
            f"units of {event['currency']}: a price must be from 0 to {MAX_PRICE_MINOR}"
        )


async def save_listing(tx: Transaction, event: Record) -> None:
    """`product_listed`, `product_changed`: record that the seller lists the product."""
    check_listing(event)
    await _save(tx, event, True)


async def delist(tx: Transaction, event: Record) -> None:
    """`product_delisted`: record that the seller does not list the product any more."""
    await _save(tx, event, False)


KEEP_LISTINGS = (
    Subscription("product_listed", save_listing, external_key=any_key, batchable=True),
    Subscription("product_changed", save_listing, external_key=any_key, batchable=True),
    Subscription("product_delisted", delist, external_key=any_key, batchable=True),
)
"""The subscriptions of a service with a table `listings`."""


@statement("""
    INSERT INTO listings (product_id, seller_id, listed, changed_at)
    VALUES (
        $event.product_id::text, $event.seller_id::text, $listed::boolean, $event.occurred_at::timestamptz
    )
    ON CONFLICT (product_id, seller_id) DO UPDATE
    SET listed = excluded.listed, changed_at = excluded.changed_at
    WHERE listings.changed_at <= excluded.changed_at
""")
async def _save(tx: Transaction, event: Record, listed: bool) -> None:
    """Events of a product are in several topics and may arrive in any order. The newest event decides."""
