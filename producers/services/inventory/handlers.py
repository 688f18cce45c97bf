"""Handles the events of orders and listings in the inventory service: reserves, sells and restocks units.

The events of one order may arrive in any sequence. Each handler therefore locks the order's reservation and
acts on its state.
"""

from collections.abc import Mapping, Sequence
from typing import Literal

from common.errors import Rejected
from common.ids import new_id
from common.metrics import RESERVATIONS
from producers.kit.http.problems import require
from producers.kit.inbox.subscription import Subscription
from producers.kit.listings import KEEP_LISTINGS
from producers.kit.outbox.transaction import Transaction
from producers.services.inventory import store
from producers.services.inventory.changes import change_locked_stock, change_stock
from producers.services.inventory.model import (
    RESERVATION_TTL,
    ReservedLine,
    Stock,
    StockKey,
    shortages,
    units,
)
from producers.services.inventory.store import Reservation
from schemas.codec import Record

ReleaseReason = Literal["order_cancelled", "payment_failed", "expired"]


async def reserve(tx: Transaction, event: Record) -> None:
    """`order_placed`: reserve the units of all lines, or refuse the order."""
    lines = [
        ReservedLine(
            line["line_number"],
            line["product_id"],
            line["seller_id"],
            line["quantity"],
        )
        for line in event["lines"]
    ]
    wanted = units(lines)
    reservation, stock = await store.open_reservation_once(tx, event["order_id"], wanted)
    if reservation is None:
        return  # the order was cancelled before this event arrived
    if short := shortages(lines, stock):
        await _refuse(tx, reservation, short)
        return
    await change_locked_stock(tx, stock, wanted, Stock.reserve, "reserved", reservation.order_id, lines=lines)
    tx.emit(
        "stock_reserved",
        reservation_id=reservation.reservation_id,
        order_id=reservation.order_id,
        expires_at=tx.now + RESERVATION_TTL,
        lines=_event_lines(lines),
    )
    tx.count(RESERVATIONS.labels("reserved"))


async def sell(tx: Transaction, event: Record) -> None:
    """`order_confirmed`: remove the reserved units from the stock, because they are paid."""
    reservation, lines, stock = await store.lock_reservation_once(tx, event["order_id"])
    if reservation and reservation.state == "held":
        await _sell(tx, reservation, lines, stock)


async def cancel_reservation(tx: Transaction, event: Record) -> None:
    """`order_cancelled`: release reserved units and restock sold units.

    If `order_placed` has not arrived yet, a `barred` reservation makes its handler ignore it.
    """
    if await store.bar_reservation(tx, event["order_id"], new_id()):
        return
    reservation = await store.lock_reservation(tx, event["order_id"])
    if reservation and reservation.state == "held":
        await release_reservation(tx, reservation, "order_cancelled")
    elif reservation and reservation.state == "sold":
        lines = await store.find_lines(tx, reservation.order_id)
        await change_stock(tx, units(lines), Stock.restock, "released", reservation.order_id, "given_back")
        _emit_released(tx, reservation, "order_cancelled", lines)


async def release_unpaid(tx: Transaction, event: Record) -> None:
    """`payment_failed`: release the units if no further attempt follows."""
    if event["final"]:
        reservation = await store.lock_reservation(tx, event["order_id"])
        if reservation and reservation.state == "held":
            await release_reservation(tx, reservation, "payment_failed")


async def accept_return(tx: Transaction, event: Record) -> None:
    """`return_settled`: put the units that can be sold again back into stock, and record the others."""
    reservation = require(
        await store.lock_reservation(tx, event["order_id"]),
        Rejected(f"order {event['order_id']} has no reservation, so it can't be returned"),
    )
    if not await store.record_return(tx, reservation.order_id, event["return_id"]):
        return
    lines = {line.line_number: line for line in await store.find_lines(tx, reservation.order_id)}
    if reservation.state == "held":  # `order_confirmed` is in another topic and may not have arrived yet
        sold = list(lines.values())
        await _sell(tx, reservation, sold, await store.lock_stock(tx, units(sold)))
    elif reservation.state != "sold":
        reason = f"its reservation is {reservation.state}"
        raise Rejected(f"order {reservation.order_id} can't be returned: {reason}")
    restocked = []
    for returned in event["lines"]:
        line = lines[returned["line_number"]]
        await store.record_returned_line(tx, reservation.order_id, returned)
        if returned["restocked"]:
            restocked.append(
                ReservedLine(line.line_number, line.product_id, line.seller_id, returned["quantity"])
            )
    await change_stock(tx, units(restocked), Stock.restock, "returned", reservation.order_id)


async def release_reservation(tx: Transaction, reservation: Reservation, why: ReleaseReason) -> None:
    """Release the units of a reservation that is locked and held."""
    lines = await store.find_lines(tx, reservation.order_id)
    await change_stock(tx, units(lines), Stock.release, "released", reservation.order_id, "released")
    _emit_released(tx, reservation, why, lines)


async def _refuse(
    tx: Transaction, reservation: Reservation, short: Sequence[tuple[ReservedLine, int]]
) -> None:
    await store.set_reservation_state(tx, reservation.order_id, "refused")
    refused = _event_lines([line for line, _ in short])
    lines = [{**line, "available": left} for line, (_, left) in zip(refused, short, strict=True)]
    tx.emit("stock_refused", order_id=reservation.order_id, lines=lines)
    tx.count(RESERVATIONS.labels("refused"))


async def _sell(
    tx: Transaction,
    reservation: Reservation,
    lines: Sequence[ReservedLine],
    stock: Mapping[StockKey, Stock],
) -> None:
    await change_locked_stock(tx, stock, units(lines), Stock.sell, "shipped", reservation.order_id, "sold")
    tx.count(RESERVATIONS.labels("sold"))


def _emit_released(
    tx: Transaction, reservation: Reservation, why: ReleaseReason, lines: Sequence[ReservedLine]
) -> None:
    tx.emit(
        "stock_released",
        reservation_id=reservation.reservation_id,
        order_id=reservation.order_id,
        reason=why,
        lines=_event_lines(lines),
    )
    tx.count(RESERVATIONS.labels("released"))


def _event_lines(lines: Sequence[ReservedLine]) -> list[dict[str, int | str]]:
    """Return lines as records of inventory's events."""
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
    Subscription("order_placed", reserve, records_event=True),
    Subscription("order_confirmed", sell, records_event=True),
    Subscription("order_cancelled", cancel_reservation),
    Subscription("payment_failed", release_unpaid),
    Subscription("return_settled", accept_return),
    *KEEP_LISTINGS,
)
