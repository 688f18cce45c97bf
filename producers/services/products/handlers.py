"""Handles the listings of producers elsewhere, and which sellers may sell.

Listings of a history, an import or another system have no header `origin`. They are rows like any other: the
newer event of a listing wins, so an import that is repeated undoes no edit.
"""

from dataclasses import replace

from producers.kit.inbox.subscription import Subscription, any_key
from producers.kit.listings import check_listing
from producers.kit.outbox.transaction import Transaction
from producers.kit.seller_status import KEEP_SELLER_STATUS
from producers.services.products import store
from producers.services.products.model import listing_of
from schemas.codec import Record


async def save_listing(tx: Transaction, event: Record) -> None:
    """`product_listed`, `product_changed` of a producer: save it, unless the saved listing is newer.

    What an administrator has blocked stays blocked, so it is taken off again.

    Raises:
        Rejected: the price can't be one.
    """
    check_listing(event)
    listing = listing_of(event)
    reason = await store.lock_for_event(tx, listing)
    if reason is not None:
        listing = replace(listing, status="blocked", block_reason=reason)
    is_saved = await store.save_listings(tx, [listing])
    if is_saved and reason is not None:
        listing = replace(listing, changed_at=listing.next_moment(tx.now))
        await store.save_listings(tx, [listing])
        store.emit_delisted(tx, listing)


SUBSCRIPTIONS = (
    *(
        Subscription(event, handler, external_key=any_key, batchable=True, skips_own=True)
        for event, handler in (
            ("product_listed", save_listing),
            ("product_changed", save_listing),
            ("product_delisted", store.save_delisting),
        )
    ),
    *KEEP_SELLER_STATUS,
)
