"""The inventory's books: every statement is a file of `queries/`."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from common.errors import Rejected
from common.ids import new_id
from producers.inventory.model import HELD_FOR, Key, Line, State, Stock
from producers.outbox.transaction import Transaction
from producers.postgres.queries import load_queries

SQL = load_queries(__file__)


@dataclass(frozen=True, slots=True)
class Reservation:
    """A reservation whose row is locked."""

    order_id: str
    reservation_id: str
    state: State


async def lock_stock(tx: Transaction, keys: Iterable[Key]) -> dict[Key, Stock]:
    """The stock of these products, locked until the transaction ends; nothing of what was never counted."""
    rows = await tx.sql.fetch(SQL["lock_stock"], *_columns(keys))
    return {stock.key: stock for stock in map(_stock, rows)}


async def make_stock(tx: Transaction, keys: Iterable[Key]) -> None:
    """Rows for what was never counted."""
    await tx.sql.execute(SQL["make_stock"], *_columns(keys))


async def save_stock(
    tx: Transaction,
    stocks: Sequence[Stock],
    order_id: str | None = None,
    state: State | None = None,
    lines: Sequence[Line] = (),
) -> None:
    """Write back what is locked, and the next state and the new lines of the reservation that it is for."""
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
    """The stock of a product: of this seller, or of whoever has most to sell."""
    row = await sql.fetchrow(SQL["find_stock"], product_id, seller_id)
    return None if row is None else _stock(row)


async def open_reservation(tx: Transaction, order_id: str, state: State) -> Reservation | None:
    """The reservation of an order that was never heard of; None if it was."""
    reservation = Reservation(order_id, new_id(), state)
    opened = await tx.sql.fetchval(
        SQL["open_reservation"], order_id, reservation.reservation_id, state, tx.now + HELD_FOR
    )
    return reservation if opened else None


async def hear_of_order_placed(
    tx: Transaction, order_id: str, keys: Iterable[Key]
) -> tuple[Reservation | None, dict[Key, Stock]]:
    """Note the event, open a reservation, lock the stock of these products; None if the order was heard of.

    Raises:
        Repeated: the event was noted before.
    """
    reservation = Reservation(order_id, new_id(), "held")
    rows = await tx.hear(
        SQL["hear_of_order_placed"],
        order_id,
        reservation.reservation_id,
        tx.now + HELD_FOR,
        *_columns(keys),
    )
    stock = [_stock(row) for row in rows if row["product_id"] is not None]
    return reservation if rows[0]["opened"] else None, {one.key: one for one in stock}


async def hear_of_order_confirmed(
    tx: Transaction, order_id: str
) -> tuple[Reservation | None, list[Line], dict[Key, Stock]]:
    """Note the event, lock the order's reservation and, while it is held, its lines' stock.

    Raises:
        Repeated: the event was noted before.
    """
    rows = await tx.hear(SQL["hear_of_order_confirmed"], order_id)
    if rows[0]["order_id"] is None:
        return None, [], {}
    held = [row for row in rows if row["line_number"] is not None]
    lines = [Line(*tuple(row)[4:10]) for row in held]
    stock = [_stock(row) for row in held]
    return Reservation(*tuple(rows[0])[1:4]), lines, {one.key: one for one in stock}


async def lock_reservation(tx: Transaction, order_id: str) -> Reservation | None:
    """The reservation of an order, locked until the transaction ends."""
    row = await tx.sql.fetchrow(SQL["lock_reservation"], order_id)
    return None if row is None else Reservation(*row)


async def move_reservation(tx: Transaction, order_id: str, to: State) -> None:
    """Give a reservation its next state."""
    await tx.sql.execute(SQL["move_reservation"], order_id, to)


async def find_lines(tx: Transaction, order_id: str) -> list[Line]:
    """What was held for an order."""
    return [Line(*row) for row in await tx.sql.fetch(SQL["find_lines"], order_id)]


async def take_return(tx: Transaction, order_id: str, return_id: str) -> None:
    """A return is taken, of an order whose row is locked.

    Raises:
        Rejected: it was taken before, whichever event told of it.
    """
    if await tx.sql.fetchval(SQL["take_return"], order_id, return_id) is None:
        raise Rejected(f"return {return_id} of order {order_id} was taken before")


async def note_returned(
    tx: Transaction, order_id: str, line_number: int, quantity: int, restocked: bool
) -> None:
    """Units of a line came back; more than were sold break the table's check."""
    counts = (quantity, 0) if restocked else (0, quantity)
    await tx.sql.execute(SQL["note_returned"], order_id, line_number, *counts)


async def find_expired(sql: Any, now: datetime, most: int) -> list[str]:
    """Orders whose units have been held for too long."""
    return [row["order_id"] for row in await sql.fetch(SQL["find_expired"], now, most)]


def _stock(row: Any) -> Stock:
    return Stock(Key(row["product_id"], row["seller_id"]), row["on_hand"], row["reserved"], row["version"])


def _columns(keys: Iterable[Key]) -> tuple[list[str], list[str]]:
    """Keys as the two columns that `unnest` takes."""
    listed = list(keys)
    return [key.product_id for key in listed], [key.seller_id for key in listed]
