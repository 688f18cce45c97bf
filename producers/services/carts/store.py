"""Reads and writes carts, the orders that take units out of them, and the copies of offers and stock."""

from collections.abc import Collection, Sequence
from dataclasses import fields, replace
from datetime import datetime, timedelta
from typing import Any

from common.ids import MAX_VOUCHER_CODES, new_cart_id
from producers.kit.http.problems import require
from producers.kit.offers import Offer
from producers.kit.outbox.transaction import Transaction
from producers.kit.postgres.statements import statement
from producers.services.carts.model import (
    UNKNOWN_CART,
    Lines,
    PricedLine,
    Reason,
    StoredCart,
    StoredLine,
    TakenLine,
    changes,
    guests_of,
    merged,
)
from schemas.codec import Record

_CART = ", ".join(field.name for field in fields(StoredCart))
_LINE = ", ".join(field.name for field in fields(StoredLine))


@statement("SELECT pg_advisory_xact_lock(hashtextextended(id, 4)) FROM unnest($shopper_ids::text[]) AS id")
async def _lock_shoppers(tx: Transaction, shopper_ids: Sequence[str]) -> None:
    """Wait for other requests of these shoppers, and for their erasure, in the order of the list."""


@statement("SELECT pg_advisory_xact_lock(hashtextextended($order_id::text, 5))")
async def lock_order(tx: Transaction, order_id: str) -> None:
    """Wait for other transactions about an order. A transaction locks the order before a cart."""


async def open_cart(
    tx: Transaction, owners: Sequence[str], is_guest: bool, session_id: str | None
) -> tuple[StoredCart | None, Lines]:
    """Lock the cart of a shopper and return it with its lines; None, and no lines, if there is none.

    `owners` are the shopper ids of one person. The cart is that of the first. What other carts have is merged
    into it; if the first has none, another's becomes its. `session_id` is the visit, if it is known.

    Raises:
        UNKNOWN_CART: the shopper was erased a moment ago.
    """
    owner = owners[0]
    await _lock_shoppers(tx, sorted(set(owners)))
    require(not await _is_erased(tx, owner), UNKNOWN_CART())
    carts = await _lock_carts(tx, owners)
    carts.sort(key=lambda cart: owners.index(cart.shopper_id))
    if not carts:
        return None, {}
    first, *others = carts
    former = guests_of(owner, first.shopper_id, *first.guest_ids)
    visit = session_id or first.session_id
    cart = replace(first, shopper_id=owner, guest_ids=former, is_guest=is_guest, session_id=visit)
    lines: Lines = await find_lines(tx, cart.cart_id)
    for other in others:
        cart, lines = await _merge(tx, cart, lines, other)
    if cart != first:
        await _save_cart(tx, cart)
    return cart, lines


def new_cart(tx: Transaction, owner: str, is_guest: bool, session_id: str | None) -> StoredCart:
    """Return a cart for a locked shopper who has none. It is stored once something is saved in it."""
    return StoredCart(
        cart_id=new_cart_id(),
        shopper_id=owner,
        guest_ids=[],
        is_guest=is_guest,
        session_id=session_id or owner,
        changed_at=tx.now,
        touched_at=tx.now,
        is_idle=False,
        voucher_codes=[],
    )


async def _merge(
    tx: Transaction, cart: StoredCart, lines: Lines, other: StoredCart
) -> tuple[StoredCart, Lines]:
    """Move the lines of another cart of the same person into theirs, and delete the other cart."""
    others = await find_lines(tx, other.cart_id)
    both = merged(lines, others)
    guest_ids = guests_of(cart.shopper_id, *cart.guest_ids, other.shopper_id, *other.guest_ids)
    codes = list(dict.fromkeys([*cart.voucher_codes, *other.voucher_codes]))[:MAX_VOUCHER_CODES]
    cart = replace(cart, guest_ids=guest_ids, voucher_codes=codes)
    cart = await save(tx, cart, lines, both, "merged")
    await delete_cart(tx, other, others, "merged")
    return cart, both


async def save(
    tx: Transaction,
    cart: StoredCart,
    before: Lines,
    after: Lines,
    reason: Reason | None = None,
    recommendation_id: str | None = None,
) -> StoredCart:
    """Save the lines of a locked or new cart that differ, and emit how it changed; return the new state."""
    if before == after:
        return cart
    changed_at = _emit(tx, cart, before, after, reason, recommendation_id)
    cart = replace(cart, changed_at=changed_at, touched_at=max(tx.now, changed_at), is_idle=False)
    await _save_cart(tx, cart)
    gone = [product_id for product_id in before if product_id not in after]
    new = [line for product_id, line in after.items() if before.get(product_id) != line]
    if gone:
        await _delete_lines(tx, cart, gone)
    if new:
        await _save_lines(tx, cart, new)
    return cart


async def save_codes(tx: Transaction, cart: StoredCart, codes: Sequence[str]) -> StoredCart:
    """Save the voucher codes of a locked or new cart; return the new state. No event tells of them."""
    if list(codes) != cart.voucher_codes:
        cart = replace(cart, voucher_codes=list(codes), touched_at=max(tx.now, cart.touched_at))
        await _save_cart(tx, cart)
    return cart


async def delete_cart(tx: Transaction, cart: StoredCart, lines: Lines, reason: Reason) -> None:
    """Delete a locked cart, and emit that it was emptied."""
    _emit(tx, cart, lines, {}, reason)
    await _delete_cart(tx, cart)


def _emit(
    tx: Transaction,
    cart: StoredCart,
    before: Lines,
    after: Lines,
    reason: Reason | None,
    recommendation_id: str | None = None,
) -> datetime:
    """Emit how a cart changed; return the time of its last event."""
    changed = changes(before, after, cart.next_moment(tx.now))
    about = {**cart.subject, "reason": reason, "recommendation_id": recommendation_id}
    for each in changed:
        tx.emit("cart_changed", **about, **each)
    return max((each["occurred_at"] for each in changed), default=cart.changed_at)


@statement(f"""
    SELECT {_CART} FROM carts WHERE shopper_id = ANY($shopper_ids::text[])
    ORDER BY shopper_id
    FOR UPDATE
""")
async def _lock_carts(tx: Transaction, shopper_ids: Sequence[str]) -> list[StoredCart]:
    """Lock and return the carts of shoppers who are locked."""


@statement(f"SELECT {_CART} FROM carts WHERE shopper_id = ANY($shopper_ids::text[])")
async def find_carts(sql: Any, shopper_ids: Sequence[str]) -> list[StoredCart]:
    """Return the carts of these shoppers."""


_OF_SHOPPERS = "shopper_id = ANY($shopper_ids::text[]) OR guest_ids && $shopper_ids::text[]"


@statement(f"SELECT EXISTS (SELECT FROM carts WHERE {_OF_SHOPPERS})")
async def has_carts(tx: Transaction, shopper_ids: Sequence[str]) -> bool:
    """Return whether one of these shoppers has a cart, or one that was merged into another."""


@statement(f"SELECT {_CART} FROM carts WHERE {_OF_SHOPPERS} ORDER BY shopper_id FOR UPDATE")
async def _lock_carts_of(tx: Transaction, shopper_ids: Sequence[str]) -> list[StoredCart]:
    """Lock and return the carts of shoppers, and all into which one of theirs was merged."""


async def lock_carts_of(tx: Transaction, shopper_ids: Sequence[str]) -> dict[str, StoredCart]:
    """Lock the carts of shoppers; return each shopper's: the own one, else that into which it was merged.

    Shoppers without a cart are left out. The second attempt finds the other cart, if a merge deleted the only
    one while this transaction waited.
    """
    carts = await _lock_carts_of(tx, shopper_ids) or await _lock_carts_of(tx, shopper_ids)
    found = {guest_id: cart for cart in carts for guest_id in cart.guest_ids}
    found |= {cart.shopper_id: cart for cart in carts}
    return {each: found[each] for each in shopper_ids if each in found}


@statement(f"""
    SELECT product_id AS key, {_LINE} FROM lines WHERE cart_id = $cart_id::text
    ORDER BY added_at, product_id
""")
async def find_lines(sql: Any, cart_id: str) -> dict[str, StoredLine]:
    """Return the lines of a cart by their products, in the order in which they came into it."""


@statement(f"""
    SELECT {", ".join(f"lines.{field.name}" for field in fields(StoredLine))},
        CASE WHEN listed AND offers.currency = $currency::text THEN price_minor END AS price_minor, available
    FROM lines
    LEFT JOIN offers USING (product_id, seller_id)
    LEFT JOIN stock USING (product_id, seller_id)
    WHERE cart_id = $cart_id::text
    ORDER BY added_at, product_id
""")
async def find_priced(sql: Any, cart_id: str, currency: str) -> list[PricedLine]:
    """Return the lines of a cart with their offers and stock, in the order in which they came into it."""


@statement(f"""
    SELECT {_LINE} FROM carts JOIN lines USING (cart_id) WHERE shopper_id = ANY($shopper_ids::text[])
    ORDER BY added_at, product_id
""")
async def export_lines(sql: Any, shopper_ids: Sequence[str]) -> list[StoredLine]:
    """Return all lines of these shoppers."""


@statement("""
    SELECT product_id, seller_id, currency, price_minor, listed, category FROM offers
    WHERE product_id = $product_id::text AND listed
""")
async def find_offers(sql: Any, product_id: str) -> list[Offer]:
    """Return the listed offers of a product."""


@statement(f"""
    INSERT INTO carts ({_CART}) VALUES ({", ".join(f"$cart.{field.name}" for field in fields(StoredCart))})
    ON CONFLICT (cart_id) DO UPDATE
    SET {", ".join(f"{field.name} = excluded.{field.name}" for field in fields(StoredCart))}
""")
async def _save_cart(tx: Transaction, cart: StoredCart) -> None:
    """Save a cart whose shopper is locked."""


@statement("DELETE FROM carts WHERE cart_id = $cart.cart_id::text")
async def _delete_cart(tx: Transaction, cart: StoredCart) -> None:
    """Delete a locked cart and its lines."""


@statement("DELETE FROM lines WHERE cart_id = $cart.cart_id::text AND product_id = ANY($product_ids::text[])")
async def _delete_lines(tx: Transaction, cart: StoredCart, product_ids: Collection[str]) -> None:
    """Delete lines of a locked cart."""


@statement(f"""
    INSERT INTO lines (cart_id, {_LINE})
    SELECT $cart.cart_id::text, new.*
    FROM unnest(
        $lines.product_id::text[], $lines.seller_id::text[], $lines.quantity::integer[],
        $lines.is_saved::boolean[], $lines.currency::text[], $lines.seen_minor::bigint[],
        $lines.added_at::timestamptz[]
    ) AS new ({_LINE})
    ON CONFLICT (cart_id, product_id) DO UPDATE
    SET {", ".join(f"{field.name} = excluded.{field.name}" for field in fields(StoredLine))}
""")
async def _save_lines(tx: Transaction, cart: StoredCart, lines: Sequence[StoredLine]) -> None:
    """Save lines of a locked cart."""


@statement("""
    INSERT INTO taken_lines
        (order_id, shopper_id, product_id, seller_id, quantity, currency, seen_minor, taken_at)
    SELECT $order_id::text, taken.*
    FROM unnest(
        $lines.shopper_id::text[], $lines.product_id::text[], $lines.seller_id::text[],
        $lines.quantity::integer[], $lines.currency::text[], $lines.seen_minor::bigint[],
        $lines.taken_at::timestamptz[]
    ) AS taken
    ON CONFLICT DO NOTHING
""")
async def save_taken(tx: Transaction, order_id: str, lines: Sequence[TakenLine]) -> None:
    """Save what a locked order took out of a cart."""


@statement("SELECT DISTINCT shopper_id FROM taken_lines WHERE order_id = $order_id::text")
async def find_takers(tx: Transaction, order_id: str) -> list[str]:
    """Return from whose carts a locked order took its units."""


@statement("""
    DELETE FROM taken_lines WHERE order_id = $order_id::text
    RETURNING shopper_id, product_id, seller_id, quantity, currency, seen_minor, taken_at
""")
async def forget_taken(tx: Transaction, order_id: str) -> list[TakenLine]:
    """Forget what an order took out of a cart, and return it."""


@statement("""
    INSERT INTO cancelled_orders (order_id, cancelled_at)
    VALUES ($event.order_id::text, $event.occurred_at::timestamptz)
    ON CONFLICT DO NOTHING
""")
async def save_cancellation(tx: Transaction, event: Record) -> None:
    """Record that a locked order came to nothing: if `order_placed` is read later, it changes no cart."""


@statement("SELECT true FROM cancelled_orders WHERE order_id = $order_id::text")
async def is_cancelled(tx: Transaction, order_id: str) -> bool:
    """Return whether a locked order is known to have come to nothing."""


@statement("""
    INSERT INTO stock (product_id, seller_id, available, version)
    VALUES (
        $event.product_id::text, $event.seller_id::text, $event.on_hand::integer - $event.reserved::integer,
        $event.version::bigint
    )
    ON CONFLICT (product_id, seller_id) DO UPDATE
    SET available = excluded.available, version = excluded.version
    WHERE stock.version < excluded.version
""")
async def save_stock(tx: Transaction, event: Record) -> None:
    """`stock_changed`: keep the units that can be sold. The highest version is the current one."""


@statement("SELECT true FROM erased_shoppers WHERE shopper_id = $shopper_id::text")
async def _is_erased(tx: Transaction, shopper_id: str) -> bool:
    """Return whether a locked shopper was erased."""


@statement("""
    WITH erased AS (
        INSERT INTO erased_shoppers (shopper_id) VALUES ($shopper_id::text) ON CONFLICT DO NOTHING
    )
    DELETE FROM taken_lines WHERE shopper_id = $shopper_id::text OR shopper_id = ANY($guest_ids::text[])
""")
async def _erase_shopper(tx: Transaction, shopper_id: str, guest_ids: Sequence[str]) -> None:
    """Record that a locked shopper was erased, and delete what orders took out of their cart."""


async def erase_shopper(tx: Transaction, shopper_id: str) -> None:
    """Delete the cart of a shopper and what orders took out of it; no cart of theirs is made any more.

    The cart is locked first: an order that is taking units out of it has recorded them then.
    """
    await _lock_shoppers(tx, [shopper_id])
    carts = await _lock_carts(tx, [shopper_id])
    await _erase_shopper(tx, shopper_id, [each for cart in carts for each in cart.guest_ids])
    for cart in carts:
        await delete_cart(tx, cart, await find_lines(tx, cart.cart_id), "erased")


@statement(f"""
    WITH untouched AS (
        SELECT cart_id FROM carts WHERE NOT is_idle AND touched_at < $tx.now::timestamptz - $age::interval
        ORDER BY touched_at LIMIT $limit::integer
        FOR UPDATE SKIP LOCKED
    )
    UPDATE carts SET is_idle = true FROM untouched WHERE carts.cart_id = untouched.cart_id
    RETURNING {", ".join(f"carts.{field.name}" for field in fields(StoredCart))}
""")
async def mark_idle(tx: Transaction, age: timedelta, limit: int) -> list[StoredCart]:
    """Mark carts that nobody has touched for so long, the oldest first, and return them locked."""


EXPIRE_CARTS = """
DELETE FROM carts
WHERE cart_id IN (
    SELECT cart_id FROM carts
    WHERE touched_at < now() - $1::interval
        AND (is_guest OR NOT EXISTS (SELECT FROM lines WHERE lines.cart_id = carts.cart_id))
    LIMIT $2::integer
    FOR UPDATE SKIP LOCKED
)
"""
"""Deletes untouched carts of guests, and empty ones, but none that a transaction is changing.

No event tells of it: it says nothing of a shopper.
"""

EXPIRE_TAKEN_LINES = """
DELETE FROM taken_lines
WHERE (order_id, shopper_id, product_id) IN (
    SELECT order_id, shopper_id, product_id FROM taken_lines
    WHERE taken_at < now() - $1::interval
    LIMIT $2::integer
)
"""

EXPIRE_CANCELLED_ORDERS = """
DELETE FROM cancelled_orders
WHERE order_id IN (
    SELECT order_id FROM cancelled_orders WHERE cancelled_at < now() - $1::interval LIMIT $2::integer
)
"""
