"""What inventory does about orders: hold their units, sell them, give them back.

Whatever order the news of an order come in, its units end where they belong: each step asks what state the
reservation is in, under its lock.
"""

from collections.abc import Mapping, Sequence
from typing import Literal

from common.errors import Rejected
from common.ids import is_uuid7
from common.metrics import RESERVATIONS
from producers.inbox.subscription import Subscription
from producers.inventory import store
from producers.inventory.model import HELD_FOR, Key, Line, Stock, shortages, units
from producers.inventory.moving import move, save
from producers.inventory.store import Reservation
from producers.outbox.transaction import Transaction
from schemas.codec import Record

Release = Literal["order_cancelled", "payment_failed", "expired"]


async def reserve(tx: Transaction, event: Record) -> None:
    """`order_placed`: hold all of its lines, or refuse all of them."""
    lines = [
        Line(line["line_number"], line["product_id"], line["seller_id"], line["quantity"])
        for line in event["lines"]
    ]
    wanted = units(lines)
    reservation, stock = await store.hear_of_order_placed(tx, event["order_id"], wanted)
    if reservation is None:
        return  # cancelled before it was heard of
    if short := shortages(lines, stock):
        await _refuse(tx, reservation, short)
        return
    await save(tx, stock, wanted, Stock.reserve, "reserved", reservation.order_id, lines=lines)
    tx.emit(
        "stock_reserved",
        reservation_id=reservation.reservation_id,
        order_id=reservation.order_id,
        expires_at=tx.now + HELD_FOR,
        lines=_told(lines),
    )
    tx.count(RESERVATIONS.labels("reserved"))


async def sell(tx: Transaction, event: Record) -> None:
    """`order_confirmed`: what is held has been paid and leaves the stock."""
    reservation, lines, stock = await store.hear_of_order_confirmed(tx, event["order_id"])
    if reservation and reservation.state == "held":
        await _sell(tx, reservation, lines, stock)


async def give_back(tx: Transaction, event: Record) -> None:
    """`order_cancelled`: let go of what is held, take back what was sold, bar what is still to come."""
    if await store.open_reservation(tx, event["order_id"], "barred"):
        return
    reservation = await store.lock_reservation(tx, event["order_id"])
    if reservation and reservation.state == "held":
        await release(tx, reservation, "order_cancelled")
    elif reservation and reservation.state == "sold":
        lines = await store.find_lines(tx, reservation.order_id)
        await move(tx, units(lines), Stock.take_back, "released", reservation.order_id, "given_back")
        _say_released(tx, reservation, "order_cancelled", lines)


async def release_unpaid(tx: Transaction, event: Record) -> None:
    """`payment_failed`, when no further attempt follows."""
    if event["final"]:
        reservation = await store.lock_reservation(tx, event["order_id"])
        if reservation and reservation.state == "held":
            await release(tx, reservation, "payment_failed")


async def take_back(tx: Transaction, event: Record) -> None:
    """`order_returned`: what can be sold again is on hand again; the rest is only noted."""
    reservation = await store.lock_reservation(tx, event["order_id"])
    if reservation is None:
        return
    await store.take_return(tx, reservation.order_id, event["return_id"])
    lines = {line.line_number: line for line in await store.find_lines(tx, reservation.order_id)}
    if reservation.state == "held":  # its confirmation lies in another topic, and is still to be read
        sold = list(lines.values())
        await _sell(tx, reservation, sold, await store.lock_stock(tx, units(sold)))
    elif reservation.state != "sold":
        raise Rejected(f"order {reservation.order_id} is {reservation.state}: nothing of it can come back")
    restocked = []
    for back in (line for line in event["lines"] if line["quantity"]):
        line = lines.get(back["line_number"])
        if line is None or not 0 < back["quantity"] <= line.outside:
            raise Rejected(f"more comes back of line {back['line_number']} than was sold")
        await store.note_returned(
            tx, reservation.order_id, line.line_number, back["quantity"], back["restocked"]
        )
        if back["restocked"]:
            restocked.append(Line(line.line_number, line.product_id, line.seller_id, back["quantity"]))
    await move(tx, units(restocked), Stock.take_back, "returned", reservation.order_id)


async def release(tx: Transaction, reservation: Reservation, why: Release) -> None:
    """Let go of the units of a reservation that is locked and held."""
    lines = await store.find_lines(tx, reservation.order_id)
    await move(tx, units(lines), Stock.release, "released", reservation.order_id, "released")
    _say_released(tx, reservation, why, lines)


async def _refuse(tx: Transaction, reservation: Reservation, short: Sequence[tuple[Line, int]]) -> None:
    await store.move_reservation(tx, reservation.order_id, "refused")
    told = _told([line for line, _ in short])
    lines = [{**line, "available": left} for line, (_, left) in zip(told, short, strict=True)]
    tx.emit("stock_refused", order_id=reservation.order_id, lines=lines)
    tx.count(RESERVATIONS.labels("refused"))


async def _sell(
    tx: Transaction, reservation: Reservation, lines: Sequence[Line], stock: Mapping[Key, Stock]
) -> None:
    await save(tx, stock, units(lines), Stock.sell, "shipped", reservation.order_id, "sold")
    tx.count(RESERVATIONS.labels("sold"))


def _say_released(tx: Transaction, reservation: Reservation, why: Release, lines: Sequence[Line]) -> None:
    tx.emit(
        "stock_released",
        reservation_id=reservation.reservation_id,
        order_id=reservation.order_id,
        reason=why,
        lines=_told(lines),
    )
    tx.count(RESERVATIONS.labels("released"))


def _told(lines: Sequence[Line]) -> list[dict[str, int | str]]:
    """Lines as inventory's events have them."""
    return [
        {
            "line_number": line.line_number,
            "product_id": line.product_id,
            "seller_id": line.seller_id,
            "quantity": line.quantity,
        }
        for line in lines
    ]


SUBSCRIPTIONS = (
    Subscription("order_placed", reserve, hears=True),
    Subscription("order_confirmed", sell, hears=True),
    Subscription("order_cancelled", give_back),
    Subscription("payment_failed", release_unpaid),
    Subscription("order_returned", take_back, from_anyone=is_uuid7, counts_twice=True),
)
