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
    if listing.category:
        await store.save_category_of_event(tx, listing.category)
    reason = await store.lock_block_reason(tx, listing.product_id, listing.seller_id)
    if reason is None:
        await store.save_listing(tx, listing)
        return
    listing = replace(listing, status="blocked", block_reason=reason)
    if await store.save_listing(tx, listing):
        await store.save_blocked_again(tx, listing)


async def save_delisting(tx: Transaction, event: Record) -> None:
    """`product_delisted` of a producer: the listing is not on offer, unless it is newer."""
    await store.save_delisting(tx, event)


SUBSCRIPTIONS = (
    *(
        Subscription(event, handler, external_key=any_key, batchable=True, skips_own=True)
        for event, handler in (
            ("product_listed", save_listing),
            ("product_changed", save_listing),
            ("product_delisted", save_delisting),
        )
    ),
    *KEEP_SELLER_STATUS,
)
