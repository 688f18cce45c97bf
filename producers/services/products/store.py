"""Reads and writes listings, their prices, and the category tree."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Literal

from producers.kit.http.pages import Position
from producers.kit.http.problems import require
from producers.kit.outbox.transaction import Transaction
from producers.kit.postgres.statements import statement
from producers.services.products.model import SELLER_NOT_APPROVED, STORED, Holiday, Listing, Price
from schemas.codec import Record
from schemas.product_categories import ProductAttribute, ProductCategory

DelistingReason = Literal["policy_violation", "seller_closed", "seller_holiday"]
"""Why what its seller lists is not on offer."""

_LISTINGS = """
    SELECT listings.*, (
        SELECT first.seller_id FROM listings AS first WHERE first.product_id = listings.product_id
        ORDER BY first.created_at, first.seller_id LIMIT 1
    ) AS owner_id
    FROM listings
"""
"""The listings with the seller who listed the product first."""

_IS_NOW = "since <= $at::timestamptz AND ($at::timestamptz < until) IS NOT FALSE"
_ON_HOLIDAY = f"EXISTS (SELECT FROM holidays WHERE holidays.seller_id = {{}} AND {_IS_NOW})"
_SUSPENDED = "EXISTS (SELECT FROM seller_status WHERE seller_status.seller_id = {} AND NOT approved)"


@statement("SELECT pg_advisory_xact_lock(hashtextextended($seller_id::text, 2))")
async def lock_seller(tx: Transaction, seller_id: str) -> None:
    """Wait for other transactions that give a seller new listings, SKUs or pictures."""


async def lock_approved_seller(tx: Transaction, seller_id: str) -> None:
    """Wait for other transactions about what a seller lists.

    Raises:
        SELLER_NOT_APPROVED: the seller may not sell now.
    """
    await lock_seller(tx, seller_id)
    require(await may_sell(tx, seller_id), SELLER_NOT_APPROVED(seller_id=seller_id))


@statement(f"{_LISTINGS} WHERE product_id = $product_id::text AND seller_id = $seller_id::text")
async def find_listing(sql: Any, product_id: str, seller_id: str) -> Listing | None:
    """Return a listing."""


@statement(f"{_LISTINGS} WHERE product_id = $product_id::text ORDER BY seller_id FOR UPDATE")
async def lock_product(tx: Transaction, product_id: str) -> list[Listing]:
    """Lock and return all listings of a product."""


@statement(f"""
    WITH named AS (
        SELECT product_id, group_id FROM listings
        WHERE seller_id = $seller_id::text
            AND (product_id = ANY ($product_ids::text[]) OR sku = ANY ($skus::text[]))
    ), wanted AS (
        SELECT unnest($product_ids::text[]) AS product_id
        UNION
        SELECT product_id FROM named
        UNION
        SELECT product_id FROM listings
        WHERE seller_id = $seller_id::text AND group_id IN (
            SELECT unnest($group_ids::text[]) UNION SELECT group_id FROM named
        )
    )
    {_LISTINGS} WHERE product_id IN (SELECT product_id FROM wanted)
    ORDER BY product_id, seller_id FOR UPDATE OF listings
""")
async def lock_named(
    tx: Transaction, seller_id: str, product_ids: Sequence[str], skus: Sequence[str], group_ids: Sequence[str]
) -> list[Listing]:
    """Lock and return all listings of the products that rows of a seller name, and of their variants."""


@statement(f"""
    {_LISTINGS} WHERE group_id = $group_id::text AND seller_id = $seller_id::text
    ORDER BY product_id FOR UPDATE
""")
async def lock_group(tx: Transaction, group_id: str, seller_id: str) -> list[Listing]:
    """Lock and return a seller's variants of a product."""


def _page(where: str) -> str:
    """Return a SELECT of the listings after the row `$after` of a list, the last changed first."""
    return f"""
        {_LISTINGS}
        WHERE {where}
            AND ($status::text IS NULL OR status = $status::text)
            AND position($plain::text IN plain) > 0
            AND (changed_at, product_id) < ($after.at::timestamptz, $after.row_id::text)
        ORDER BY changed_at DESC, product_id DESC
        LIMIT $limit::integer
    """


@statement(
    _page("""
        seller_id = $seller_id::text
        AND ($category::text IS NULL OR category = $category::text)
        AND ($group_id::text IS NULL OR group_id = $group_id::text)
    """)
)
async def find_of_seller(
    sql: Any,
    seller_id: str,
    status: str | None,
    category: str | None,
    group_id: str | None,
    plain: str,
    after: Position,
    limit: int,
) -> list[Listing]:
    """Return listings of a seller whose name, SKU or id has the text `plain`, the last changed first."""


@statement(_page("($seller_id::text IS NULL OR seller_id = $seller_id::text)"))
async def find_all(
    sql: Any, status: str | None, seller_id: str | None, plain: str, after: Position, limit: int
) -> list[Listing]:
    """Return listings of all sellers, the last changed first."""


@statement("""
    SELECT product_id FROM listings
    WHERE seller_id = $seller_id::text AND sku = $sku::text AND product_id <> $product_id::text
    ORDER BY product_id LIMIT 1
""")
async def find_with_sku(tx: Transaction, seller_id: str, sku: str, product_id: str) -> str | None:
    """Return another product that a locked seller lists with this SKU."""


_COLUMNS = (*STORED, "plain")


@statement(f"""
    WITH saved AS (
        INSERT INTO listings ({", ".join(_COLUMNS)})
        SELECT {", ".join(_COLUMNS)} FROM jsonb_populate_recordset(NULL::listings, $rows::jsonb)
        ON CONFLICT (product_id, seller_id) DO UPDATE
        SET {", ".join(f"{name} = excluded.{name}" for name in _COLUMNS if name != "created_at")},
            created_at = least(listings.created_at, excluded.created_at)
        WHERE listings.changed_at < excluded.changed_at
        RETURNING product_id, seller_id, price_minor, changed_at
    ), priced AS (
        INSERT INTO prices (product_id, seller_id, since, price_minor)
        SELECT product_id, seller_id, changed_at, price_minor FROM saved
        WHERE price_minor IS DISTINCT FROM (
            SELECT price_minor FROM prices
            WHERE prices.product_id = saved.product_id AND prices.seller_id = saved.seller_id
            ORDER BY since DESC LIMIT 1
        )
    )
    SELECT EXISTS (SELECT FROM saved)
""")
async def _save(tx: Transaction, rows: list[dict[str, Any]]) -> bool:
    """See `save_listings`."""


async def save_listings(tx: Transaction, listings: Sequence[Listing]) -> bool:
    """Save listings, of which each occurs once, and their prices, except those whose saved row is newer.

    Return whether any was saved.
    """
    rows = [{name: getattr(each, name) for name in _COLUMNS} for each in listings]
    return bool(rows) and await _save(tx, rows)


async def save_changed(tx: Transaction, before: Listing | None, after: Listing) -> Listing:
    """Save what was changed of a locked listing here, and emit what shoppers see of it."""
    (saved,) = await save_all_changed(tx, [(before, after)])
    return saved


async def save_all_changed(
    tx: Transaction,
    changes: Sequence[tuple[Listing | None, Listing]],
    hidden_because: DelistingReason = "seller_holiday",
) -> list[Listing]:
    """Do what `save_changed` does for many listings, of which each occurs once."""
    saved = [
        replace(after, changed_at=before.next_moment(tx.now) if before else tx.now)
        for before, after in changes
    ]
    await save_listings(tx, saved)
    for (before, _), after in zip(changes, saved, strict=True):
        _emit_change(tx, before, after, hidden_because)
    return saved


def _emit_change(
    tx: Transaction,
    before: Listing | None,
    after: Listing,
    hidden_because: DelistingReason = "seller_holiday",
) -> None:
    was_on_offer = before is not None and before.on_offer
    changed = after.differs_in(before) if before else []
    if after.on_offer:
        if before is None or before.status == "draft":
            tx.emit("product_listed", **after.said, occurred_at=after.changed_at)
        elif changed or not was_on_offer:
            tx.emit("product_changed", **after.said, changed_fields=changed, occurred_at=after.changed_at)
    elif was_on_offer or _is_blocked_now(before, after):
        emit_delisted(tx, after, hidden_because)


def _is_blocked_now(before: Listing | None, after: Listing) -> bool:
    """Return whether what shoppers may still read, though it is not on offer, is blocked now."""
    return after.status == "blocked" and before is not None and before.status in ("listed", "delisted")


def emit_delisted(
    tx: Transaction, listing: Listing, hidden_because: DelistingReason = "seller_holiday"
) -> None:
    """Emit that a listing is not on offer, and why: its status says it, or why it is hidden."""
    reasons: dict[str, DelistingReason] = {"blocked": "policy_violation", "listed": hidden_because}
    tx.emit(
        "product_delisted",
        product_id=listing.product_id,
        seller_id=listing.seller_id,
        reason=reasons.get(listing.status, "seller_request"),
        occurred_at=listing.changed_at,
    )


@statement("""
    WITH named AS (
        INSERT INTO categories (category_id)
        SELECT $listing.category::text WHERE $listing.category::text <> ''
        ON CONFLICT DO NOTHING
    )
    SELECT block_reason FROM listings
    WHERE product_id = $listing.product_id::text AND seller_id = $listing.seller_id::text
    FOR UPDATE
""")
async def lock_for_event(tx: Transaction, listing: Listing) -> str | None:
    """Lock the listing that a producer says anew, save its category if it is new, and return its block."""


@statement("""
    UPDATE listings SET status = 'delisted', hidden = false, changed_at = $event.occurred_at::timestamptz
    WHERE product_id = $event.product_id::text AND seller_id = $event.seller_id::text
        AND status = 'listed' AND changed_at < $event.occurred_at::timestamptz
""")
async def save_delisting(tx: Transaction, event: Record) -> None:
    """`product_delisted` of a producer: the listing is not on offer, unless it is newer."""


@statement("""
    SELECT since, price_minor FROM prices
    WHERE product_id = $product_id::text AND seller_id = $seller_id::text
    ORDER BY since DESC LIMIT 1000
""")
async def find_prices(sql: Any, product_id: str, seller_id: str) -> list[Price]:
    """Return the newest prices of a listing; every listing has one."""


@statement(
    "SELECT coalesce(approved, true) FROM (SELECT 1) LEFT JOIN seller_status ON seller_id = $seller_id::text"
)
async def may_sell(sql: Any, seller_id: str) -> bool:
    """Return whether a seller may sell, as far as this service knows."""


@statement("SELECT since, until FROM holidays WHERE seller_id = $seller_id::text")
async def find_holiday(sql: Any, seller_id: str) -> Holiday | None:
    """Return the holiday of a seller."""


@statement(f"SELECT {_ON_HOLIDAY.format('$seller_id::text')}")
async def is_on_holiday(tx: Transaction, seller_id: str, at: datetime) -> bool:
    """Return whether the offers of a seller are taken off at a time."""


@statement("""
    INSERT INTO holidays (seller_id, since, until)
    VALUES ($seller_id::text, $holiday.since::timestamptz, $holiday.until::timestamptz)
    ON CONFLICT (seller_id) DO UPDATE SET since = excluded.since, until = excluded.until
""")
async def save_holiday(tx: Transaction, seller_id: str, holiday: Holiday) -> None:
    """Save when a seller's offers are taken off."""


@statement("DELETE FROM holidays WHERE seller_id = $seller_id::text")
async def delete_holiday(tx: Transaction, seller_id: str) -> None:
    """End the holiday of a seller."""


@statement(f"""
    {_LISTINGS}
    WHERE (product_id, seller_id) IN (
        SELECT product_id, seller_id FROM holidays JOIN listings USING (seller_id)
        WHERE status = 'listed' AND NOT hidden AND {_IS_NOW}
        UNION ALL
        SELECT product_id, seller_id FROM listings
        WHERE hidden
            AND NOT {_ON_HOLIDAY.format("listings.seller_id")}
            AND NOT {_SUSPENDED.format("listings.seller_id")}
    )
    ORDER BY product_id, seller_id
    LIMIT $limit::integer
    FOR UPDATE SKIP LOCKED
""")
async def lock_late_for_holidays(tx: Transaction, at: datetime, limit: int) -> list[Listing]:
    """Lock and return listings that a holiday of their seller should have taken off by now, or put back.

    It begins with the holidays, and so reads no offers of other sellers.
    """


@statement(f"""
    {_LISTINGS}
    WHERE (product_id, seller_id) IN (
        SELECT product_id, seller_id FROM seller_status JOIN listings USING (seller_id)
        WHERE NOT approved AND status = 'listed' AND NOT hidden
    )
    ORDER BY product_id, seller_id
    LIMIT $limit::integer
    FOR UPDATE SKIP LOCKED
""")
async def lock_of_suspended(tx: Transaction, limit: int) -> list[Listing]:
    """Lock and return listings on offer of sellers who may not sell."""


@statement("SELECT category_id, category_id, parent_id, names, attributes FROM categories")
async def find_categories(sql: Any) -> dict[str, ProductCategory]:
    """Return the categories by id."""


@statement('SELECT key, key, names, is_variant, "values" FROM attributes')
async def find_attributes(sql: Any) -> dict[str, ProductAttribute]:
    """Return the attributes by key."""


@statement("""
    INSERT INTO categories (category_id, parent_id, names, attributes)
    VALUES (
        $category.category_id::text, $category.parent_id::text, $category.names::jsonb,
        $category.attributes::text[]
    )
    ON CONFLICT (category_id) DO UPDATE
    SET parent_id = excluded.parent_id, names = excluded.names, attributes = excluded.attributes
""")
async def save_category(sql: Any, category: ProductCategory) -> None:
    """Save a category whose parent is saved."""


@statement("""
    INSERT INTO attributes (key, names, is_variant, "values")
    VALUES ($attribute.key::text, $attribute.names::jsonb, $attribute.is_variant, $attribute.values::jsonb)
    ON CONFLICT (key) DO UPDATE
    SET names = excluded.names, is_variant = excluded.is_variant, "values" = excluded."values"
""")
async def save_attribute(sql: Any, attribute: ProductAttribute) -> None:
    """Save an attribute."""


@statement("LOCK TABLE categories IN SHARE ROW EXCLUSIVE MODE")
async def lock_categories(tx: Transaction) -> None:
    """Wait for other transactions that change the tree."""


@statement("LOCK TABLE categories IN ROW EXCLUSIVE MODE")
async def keep_categories(tx: Transaction) -> None:
    """Let no other transaction change the tree before this one has saved what is in it."""


@statement("""
    SELECT EXISTS (SELECT FROM categories WHERE parent_id = $category_id::text)
        OR EXISTS (SELECT FROM listings WHERE category = $category_id::text)
""")
async def is_in_use(tx: Transaction, category_id: str) -> bool:
    """Return whether a category has listings, or categories below it."""


@statement("DELETE FROM categories WHERE category_id = $category_id::text RETURNING true")
async def delete_category(tx: Transaction, category_id: str) -> bool:
    """Delete a category, and return whether there was one."""


@statement("""
    INSERT INTO first_categories (copied_at)
    SELECT $tx.now::timestamptz WHERE NOT EXISTS (SELECT FROM first_categories)
    RETURNING true
""")
async def begin_first_categories(tx: Transaction) -> bool:
    """Record that the tree of the file is copied now, and return whether that was to do."""
