"""Reads and writes inventory's tables."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from common.ids import new_id
from producers.kit.outbox.transaction import Transaction
from producers.kit.postgres.statements import statement
from producers.services.inventory.model import (
    RESERVATION_TTL,
    ReservationState,
    ReservedLine,
    Stock,
    StockKey,
)
from schemas.codec import Record


@dataclass(frozen=True, slots=True)
class Reservation:
    """A reservation whose row is locked."""

    order_id: str
    reservation_id: str
    state: ReservationState


async def lock_stock(tx: Transaction, keys: Collection[StockKey]) -> dict[StockKey, Stock]:
    """Lock and return the stock of these products; products without stock are left out."""
    return {stock.key: stock for stock in await _lock_stock(tx, keys)}


@statement("""
    SELECT stock.product_id, stock.seller_id, on_hand, reserved, on_hand - reserved AS available, version
    FROM stock
    JOIN unnest($keys.product_id::text[], $keys.seller_id::text[]) AS wanted (product_id, seller_id)
        USING (product_id, seller_id)
    ORDER BY stock.product_id, stock.seller_id
    FOR UPDATE OF stock
""")
async def _lock_stock(tx: Transaction, keys: Collection[StockKey]) -> list[Stock]:
    """Lock the rows in the order of the keys, as every transaction does, which avoids deadlocks."""


@statement("""
    INSERT INTO stock (product_id, seller_id, on_hand, reserved, version)
    SELECT product_id, seller_id, 0, 0, 0
    FROM unnest($keys.product_id::text[], $keys.seller_id::text[]) AS wanted (product_id, seller_id)
    ORDER BY product_id, seller_id
    ON CONFLICT DO NOTHING
""")
async def insert_missing_stock(tx: Transaction, keys: Collection[StockKey]) -> None:
    """Insert a row for each product without stock, so that the row can be locked."""


@statement("""
    WITH moved AS (
        UPDATE reservations SET state = $state::text
        WHERE order_id = $order_id::uuid AND state <> $state::text
    ), held AS (
        INSERT INTO reserved_lines (order_id, line_number, product_id, seller_id, quantity)
        SELECT $order_id::uuid, line.*
        FROM unnest(
            $lines.line_number::integer[], $lines.product_id::text[], $lines.seller_id::text[],
            $lines.quantity::integer[]
        ) AS line
    )
    UPDATE stock
    SET on_hand = changed.on_hand, reserved = changed.reserved, version = changed.version
    FROM unnest(
        $stocks.product_id::text[], $stocks.seller_id::text[], $stocks.on_hand::integer[],
        $stocks.reserved::integer[], $stocks.version::bigint[]
    ) AS changed (product_id, seller_id, on_hand, reserved, version)
    WHERE stock.product_id = changed.product_id AND stock.seller_id = changed.seller_id
""")
async def save_stock(
    tx: Transaction,
    stocks: Sequence[Stock],
    order_id: str | None = None,
    state: ReservationState | None = None,
    lines: Sequence[ReservedLine] = (),
) -> None:
    """Save locked stock, and the new state and lines of the order's reservation."""


@statement("""
    SELECT product_id, seller_id, on_hand, reserved, on_hand - reserved AS available, version
    FROM stock
    WHERE product_id = $product_id::text AND ($seller_id::text IS NULL OR seller_id = $seller_id::text)
    ORDER BY on_hand - reserved DESC, seller_id
    LIMIT 1
""")
async def find_stock(sql: Any, product_id: str, seller_id: str | None) -> Stock | None:
    """Return the stock of a product: of this seller, or of the seller with the most available units."""


@statement("""
    SELECT product_id, seller_id, on_hand, reserved, on_hand - reserved AS available, version
    FROM stock
    WHERE seller_id = $seller_id::text AND product_id = ANY($product_ids::text[]) AND version > 0
    ORDER BY product_id
""")
async def find_stock_of_seller(sql: Any, seller_id: str, product_ids: Collection[str]) -> list[Stock]:
    """Return the stock that a seller has of these products, by product id."""


@statement("""
    INSERT INTO reservations (order_id, reservation_id, state, expires_at)
    VALUES ($order_id::uuid, $reservation_id::uuid, 'barred', $tx.now::timestamptz + $ttl::interval)
    ON CONFLICT (order_id) DO NOTHING
    RETURNING true
""")
async def bar_reservation(
    tx: Transaction, order_id: str, reservation_id: str, ttl: timedelta = RESERVATION_TTL
) -> bool:
    """Open an order's reservation as `barred`; return False if the order has a reservation already.

    It waits for another transaction that is opening one.
    """


_OPEN_RESERVATION_ONCE = """
WITH recorded AS (
    INSERT INTO inbox (id, topic) VALUES ($1::text, $2::text) ON CONFLICT (id) DO NOTHING RETURNING id
), opened AS (
    INSERT INTO reservations (order_id, reservation_id, state, expires_at)
    SELECT $3::uuid, $4::uuid, 'held', $5::timestamptz FROM recorded
    ON CONFLICT (order_id) DO NOTHING
    RETURNING order_id
), locked AS (
    SELECT stock.product_id, stock.seller_id, stock.on_hand, stock.reserved, stock.version
    FROM stock
    JOIN unnest($6::text[], $7::text[]) AS wanted (product_id, seller_id) USING (product_id, seller_id)
    WHERE EXISTS (SELECT FROM opened)
    ORDER BY stock.product_id, stock.seller_id
    FOR UPDATE OF stock
)
SELECT EXISTS (SELECT FROM recorded) AS first_time, EXISTS (SELECT FROM opened) AS opened, locked.*
FROM (SELECT) AS always LEFT JOIN locked ON true
"""
"""Records the event, opens the order's reservation, and then locks the stock of its products in the order of
the keys. Returns at least one row."""


async def open_reservation_once(
    tx: Transaction, order_id: str, keys: Collection[StockKey]
) -> tuple[Reservation | None, dict[StockKey, Stock]]:
    """Record the event, open a reservation and lock the stock of these products.

    If the order has a reservation already, the returned reservation is None, and no stock is locked.

    Raises:
        AlreadyProcessed: the event was recorded before.
    """
    reservation = Reservation(order_id, new_id(), "held")
    rows = await tx.record_event(
        _OPEN_RESERVATION_ONCE,
        order_id,
        reservation.reservation_id,
        tx.now + RESERVATION_TTL,
        [key.product_id for key in keys],
        [key.seller_id for key in keys],
    )
    stock = [_stock(row) for row in rows if row["product_id"] is not None]
    return reservation if rows[0]["opened"] else None, {row.key: row for row in stock}


_LOCK_RESERVATION_ONCE = """
WITH recorded AS (
    INSERT INTO inbox (id, topic) VALUES ($1::text, $2::text) ON CONFLICT (id) DO NOTHING RETURNING id
), reservation AS (
    SELECT order_id, reservation_id, state
    FROM reservations
    WHERE order_id = $3::uuid AND EXISTS (SELECT FROM recorded)
    FOR UPDATE
), held AS (
    SELECT line_number, stock.product_id, stock.seller_id, quantity, returned, written_off,
        stock.on_hand, stock.reserved, stock.version
    FROM reservation
    JOIN reserved_lines USING (order_id)
    JOIN stock USING (product_id, seller_id)
    WHERE reservation.state = 'held'
    ORDER BY stock.product_id, stock.seller_id
    FOR UPDATE OF stock
)
SELECT EXISTS (SELECT FROM recorded) AS first_time, reservation.*, held.*
FROM (SELECT) AS always LEFT JOIN reservation ON true LEFT JOIN held ON true
ORDER BY line_number
"""
"""Records the event and locks the order's reservation. If the reservation is held, also locks the stock of
its lines, in the order of the keys. Returns at least one row. The lines of a held reservation never change,
so the lines in this statement's snapshot are current."""


async def lock_reservation_once(
    tx: Transaction, order_id: str
) -> tuple[Reservation | None, list[ReservedLine], dict[StockKey, Stock]]:
    """Record the event, and lock the order's reservation and, if it is held, the stock of its lines.

    Raises:
        AlreadyProcessed: the event was recorded before.
    """
    rows = await tx.record_event(_LOCK_RESERVATION_ONCE, order_id)
    if rows[0]["order_id"] is None:
        return None, [], {}
    held = [row for row in rows if row["line_number"] is not None]
    lines = [ReservedLine(*tuple(row)[4:10]) for row in held]
    stock = [_stock(row) for row in held]
    return Reservation(*tuple(rows[0])[1:4]), lines, {row.key: row for row in stock}


@statement("""
    SELECT order_id, reservation_id, state FROM reservations WHERE order_id = $order_id::uuid FOR UPDATE
""")
async def lock_reservation(tx: Transaction, order_id: str) -> Reservation | None:
    """Lock and return the reservation of an order; None if the order has none.

    It is locked before any stock, so that transactions of the same order run one after the other.
    """


@statement("UPDATE reservations SET state = $to::text WHERE order_id = $order_id::uuid")
async def set_reservation_state(tx: Transaction, order_id: str, to: ReservationState) -> None:
    """Set the state of a reservation."""


@statement("""
    SELECT line_number, product_id, seller_id, quantity, returned, written_off
    FROM reserved_lines
    WHERE order_id = $order_id::uuid
    ORDER BY line_number
""")
async def find_lines(tx: Transaction, order_id: str) -> list[ReservedLine]:
    """Return the lines that were reserved for an order."""


@statement("""
    INSERT INTO returns (order_id, return_id) VALUES ($order_id::uuid, $return_id::text)
    ON CONFLICT DO NOTHING
    RETURNING true
""")
async def record_return(tx: Transaction, order_id: str, return_id: str) -> bool:
    """Record a return of an order whose reservation is locked; return False if it was recorded before."""


@statement("""
    UPDATE reserved_lines
    SET returned = returned + CASE WHEN $line.restocked::boolean THEN $line.quantity::integer ELSE 0 END,
        written_off = written_off + CASE WHEN $line.restocked::boolean THEN 0 ELSE $line.quantity::integer END
    WHERE order_id = $order_id::uuid AND line_number = $line.line_number::integer
""")
async def record_returned_line(tx: Transaction, order_id: str, line: Record) -> None:
    """Add a line of `return_settled` to the order's line.

    A constraint of the table refuses more units than were sold.
    """


@statement("""
    SELECT order_id FROM reservations
    WHERE state = 'held' AND expires_at < $now::timestamptz
    ORDER BY expires_at
    LIMIT $limit::integer
""")
async def find_expired(sql: Any, now: datetime, limit: int) -> list[str]:
    """Return at most `limit` orders whose reservations have expired."""


@statement("""
    UPDATE reservations SET expires_at = $until::timestamptz
    WHERE order_id = $order_id::uuid AND state = 'held'
""")
async def postpone_expiry(tx: Transaction, order_id: str, until: datetime) -> None:
    """Let a held reservation expire later."""


@statement("""
    SELECT product_id, seller_id
    FROM listings
    JOIN unnest($keys.product_id::text[], $keys.seller_id::text[]) AS wanted (product_id, seller_id)
        USING (product_id, seller_id)
    WHERE listed
""")
async def find_listed(tx: Transaction, keys: Collection[StockKey]) -> frozenset[StockKey]:
    """Return the keys whose sellers list the product."""


def _stock(row: Any) -> Stock:
    on_hand, reserved = row["on_hand"], row["reserved"]
    return Stock(row["product_id"], row["seller_id"], on_hand, reserved, on_hand - reserved, row["version"])
