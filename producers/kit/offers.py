"""The copy of all offers with their prices that some services keep.

Such a service has a table `offers`, and `KEEP_OFFERS` among its subscriptions. Like the copy of
`producers.kit.listings`, it may be a moment older than the newest event.
"""

from dataclasses import dataclass

from producers.kit.inbox.subscription import Subscription, any_key
from producers.kit.listings import check_listing
from producers.kit.outbox.transaction import Transaction
from producers.kit.postgres.statements import statement
from schemas.codec import Record


@dataclass(frozen=True, slots=True)
class Offer:
    """A seller's offer of a product, from the catalogue's events."""

    product_id: str
    seller_id: str
    currency: str
    price_minor: int
    listed: bool
    category: str | None = None


async def save_offer(tx: Transaction, event: Record) -> None:
    """`product_listed`, `product_changed`: save the offer."""
    check_listing(event)
    await _save(tx, event)


@statement("""
    INSERT INTO offers (product_id, seller_id, currency, price_minor, listed, category, changed_at)
    VALUES (
        $event.product_id::text, $event.seller_id::text, $event.currency::text, $event.price_minor::bigint,
        true, $event.category::text, $event.occurred_at::timestamptz
    )
    ON CONFLICT (product_id, seller_id) DO UPDATE
    SET currency = excluded.currency, price_minor = excluded.price_minor, listed = true,
        category = excluded.category, changed_at = excluded.changed_at
    WHERE offers.changed_at <= excluded.changed_at
""")
async def _save(tx: Transaction, event: Record) -> None:
    """Events of a product are in several topics and may arrive in any order. The newest event decides."""


@statement("""
    INSERT INTO offers (product_id, seller_id, currency, price_minor, listed, changed_at)
    VALUES ($event.product_id::text, $event.seller_id::text, '', 0, false, $event.occurred_at::timestamptz)
    ON CONFLICT (product_id, seller_id) DO UPDATE
    SET listed = false, changed_at = excluded.changed_at
    WHERE offers.changed_at <= excluded.changed_at
""")
async def delist_offer(tx: Transaction, event: Record) -> None:
    """`product_delisted`: the offer can't be bought any more.

    A delisting may arrive before an older listing. It is saved even without a listing, so that the older
    listing has no effect.
    """


KEEP_OFFERS = (
    Subscription("product_listed", save_offer, external_key=any_key, batchable=True),
    Subscription("product_changed", save_offer, external_key=any_key, batchable=True),
    Subscription("product_delisted", delist_offer, external_key=any_key, batchable=True),
)
"""The subscriptions of a service with a table `offers`."""
