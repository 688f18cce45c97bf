"""Reads and writes inventory's tables; each statement is a file in `queries/`."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from common.ids import new_id
from producers.kit.outbox.transaction import Transaction
from producers.kit.postgres.queries import load_queries
from producers.services.inventory.model import (
    RESERVATION_TTL,
    ReservationState,
    ReservedLine,
    Stock,
    StockKey,
)
from schemas.codec import Record

SQL = load_queries(__file__)


@dataclass(frozen=True, slots=True)
class Reservation:
    """A reservation whose row is locked."""

    order_id: str
    reservation_id: str
    state: ReservationState


async def lock_stock(tx: Transaction, keys: Iterable[StockKey]) -> dict[StockKey, Stock]:
    """Lock and return the stock of these products; products without stock are left out."""
    rows = await tx.sql.fetch(SQL["lock_stock"], *_columns(keys))
    return {stock.key: stock for stock in map(_stock, rows)}


async def insert_missing_stock(tx: Transaction, keys: Iterable[StockKey]) -> None:
    """Insert rows for products without stock."""
    await tx.sql.execute(SQL["insert_missing_stock"], *_columns(keys))


async def save_stock(
    tx: Transaction,
    stocks: Sequence[Stock],
    order_id: str | None = None,
    state: ReservationState | None = None,
    lines: Sequence[ReservedLine] = (),
) -> None:
    """Save locked stock, and the new state and lines of the order's reservation."""
    await tx.sql.execute(
        SQL["save_stock"],
        *_columns(stock.key for stock in stocks),
        [stock.on_hand for stock in stocks],
        [stock.reserved for stock in stocks],
        [stock.version for stock in stocks],
        order_id,
        state,
        [line.line_number for line in lines],
        *_columns(line.key for line in lines),
        [line.quantity for line in lines],
    )


async def find_stock(sql: Any, product_id: str, seller_id: str | None) -> Stock | None:
    """Return the stock of a product: of this seller, or of the seller with the most available units."""
    row = await sql.fetchrow(SQL["find_stock"], product_id, seller_id)
    return None if row is None else _stock(row)


async def open_reservation(tx: Transaction, order_id: str, state: ReservationState) -> Reservation | None:
    """Open the reservation of an order; return None if the order has one already."""
    reservation = Reservation(order_id, new_id(), state)
    opened = await tx.sql.fetchval(
        SQL["open_reservation"], order_id, reservation.reservation_id, state, tx.now + RESERVATION_TTL
    )
    return reservation if opened else None


async def open_reservation_once(
    tx: Transaction, order_id: str, keys: Iterable[StockKey]
) -> tuple[Reservation | None, dict[StockKey, Stock]]:
    """Record the event, open a reservation and lock the stock of these products.

    If the order has a reservation already, the returned reservation is None, and no stock is locked.

    Raises:
        AlreadyProcessed: the event was recorded before.
    """
    reservation = Reservation(order_id, new_id(), "held")
    rows = await tx.record_event(
        SQL["open_reservation_once"],
        order_id,
        reservation.reservation_id,
        tx.now + RESERVATION_TTL,
        *_columns(keys),
    )
    stock = [_stock(row) for row in rows if row["product_id"] is not None]
    return reservation if rows[0]["opened"] else None, {row.key: row for row in stock}


async def lock_reservation_once(
    tx: Transaction, order_id: str
) -> tuple[Reservation | None, list[ReservedLine], dict[StockKey, Stock]]:
    """Record the event, and lock the order's reservation and, if it is held, the stock of its lines.

    Raises:
        AlreadyProcessed: the event was recorded before.
    """
    rows = await tx.record_event(SQL["lock_reservation_once"], order_id)
    if rows[0]["order_id"] is None:
        return None, [], {}
    held = [row for row in rows if row["line_number"] is not None]
    lines = [ReservedLine(*tuple(row)[4:10]) for row in held]
    stock = [_stock(row) for row in held]
    return Reservation(*tuple(rows[0])[1:4]), lines, {row.key: row for row in stock}


async def lock_reservation(tx: Transaction, order_id: str) -> Reservation | None:
    """Lock and return the reservation of an order; None if the order has none."""
    row = await tx.sql.fetchrow(SQL["lock_reservation"], order_id)
    return None if row is None else Reservation(*row)


async def set_reservation_state(tx: Transaction, order_id: str, to: ReservationState) -> None:
    """Set the state of a reservation."""
    await tx.sql.execute(SQL["set_reservation_state"], order_id, to)


async def find_lines(tx: Transaction, order_id: str) -> list[ReservedLine]:
    """Return the lines that were reserved for an order."""
    return [ReservedLine(*row) for row in await tx.sql.fetch(SQL["find_lines"], order_id)]


async def record_return(tx: Transaction, order_id: str, return_id: str) -> bool:
    """Record a return of an order whose reservation is locked; return False if it was recorded before."""
    return await tx.sql.fetchval(SQL["record_return"], order_id, return_id) is not None


async def record_returned_line(tx: Transaction, order_id: str, returned: Record) -> None:
    """Add a line of `return_settled` to the order's line.

    A constraint of the table refuses more units than were sold.
    """
    quantity = returned["quantity"]
    counts = (quantity, 0) if returned["restocked"] else (0, quantity)
    await tx.sql.execute(SQL["record_returned_line"], order_id, returned["line_number"], *counts)


async def find_expired(sql: Any, now: datetime, limit: int) -> list[str]:
    """Return at most `limit` orders whose reservations have expired."""
    return [row["order_id"] for row in await sql.fetch(SQL["find_expired"], now, limit)]


async def postpone_expiry(tx: Transaction, order_id: str, until: datetime) -> None:
    """Let a held reservation expire later."""
    await tx.sql.execute(SQL["postpone_expiry"], order_id, until)


async def find_listed(tx: Transaction, keys: Iterable[StockKey]) -> set[StockKey]:
    """Return the keys whose sellers list the product."""
    return {StockKey(*row) for row in await tx.sql.fetch(SQL["find_listed"], *_columns(keys))}


def _stock(row: Any) -> Stock:
    return Stock(
        StockKey(row["product_id"], row["seller_id"]), row["on_hand"], row["reserved"], row["version"]
    )


def _columns(keys: Iterable[StockKey]) -> tuple[list[str], list[str]]:
    """Return keys as two columns, for `unnest`."""
    listed = list(keys)
    return [key.product_id for key in listed], [key.seller_id for key in listed]
