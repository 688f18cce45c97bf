"""The payments' books: every statement is a file of `queries/`."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from common.errors import Rejected
from common.ids import new_id
from producers.how_to_pay import HowToPay
from producers.outbox.trace import Trace
from producers.outbox.transaction import Transaction
from producers.payments.model import LEASE, DueLine, Payment
from producers.postgres.queries import load_queries

SQL = load_queries(__file__)

_PAYMENT_FIELDS = 12

DUE = "due"
"""The channel on which who asks the provider sleeps."""


@dataclass(frozen=True, slots=True)
class Refund:
    """Money that is to go back."""

    refund_id: str
    order_id: str
    amount_minor: int
    reason: str
    return_id: str | None
    attempts: int
    payment_id: str
    trace: Trace


async def lock_payment(tx: Transaction, order_id: str) -> Payment:
    """The payment of an order, locked until the transaction ends; a new one if it was never heard of."""
    return _payment(await tx.sql.fetchrow(SQL["lock_payment"], order_id, new_id()))


async def hear_of_payment(tx: Transaction, order_id: str) -> Payment:
    """The same, and the event noted that the transaction acts on.

    Raises:
        Repeated: it was noted before.
    """
    (row,) = await tx.hear(SQL["hear_of_payment"], order_id, new_id())
    return Payment(*tuple(row)[1:])


async def lock_known_payment(tx: Transaction, order_id: str) -> Payment | None:
    """The payment of an order, locked; None if the order is not of this shop."""
    row = await tx.sql.fetchrow(SQL["lock_known_payment"], order_id)
    return None if row is None else _payment(row)


async def save_payment(
    tx: Transaction, payment: Payment, failure: str | None = None, lines: Sequence[DueLine] = ()
) -> None:
    """Write back a locked payment, and what is due for each line. One to be asked for is due at once.

    What comes of it later has this transaction's trace.
    """
    await tx.sql.execute(
        SQL["save_payment"],
        payment.order_id,
        payment.shopper_id,
        payment.method,
        payment.token,
        payment.installments,
        payment.currency,
        payment.amount_minor,
        payment.reserved,
        payment.cancelled,
        payment.state,
        tx.now if payment.to_be_asked_for else None,
        failure,
        tx.trace.causation_id,
        tx.trace.trace_id,
        [line.line_number for line in lines],
        [line.quantity for line in lines],
        [line.amount_minor for line in lines],
    )
    if payment.to_be_asked_for:
        tx.wake(DUE)


async def find_how_to_pay(tx: Transaction, order_id: str) -> HowToPay | None:
    """How the shopper said that an order is paid; None once it is decided."""
    row = await tx.sql.fetchrow(SQL["find_how_to_pay"], order_id)
    return None if row is None else HowToPay(**row)


async def find_due_lines(tx: Transaction, order_id: str) -> dict[int, DueLine]:
    """The lines of an order by number; none of an order from before they were kept."""
    rows = await tx.sql.fetch(SQL["find_due_lines"], order_id)
    return {row["line_number"]: DueLine(*row) for row in rows}


async def take_return(tx: Transaction, order_id: str, return_id: str) -> None:
    """A return is taken, of an order whose row is locked.

    Raises:
        Rejected: it was taken before, whichever event told of it.
    """
    if await tx.sql.fetchval(SQL["take_return"], order_id, return_id) is None:
        raise Rejected(f"return {return_id} of order {order_id} was taken before")


async def note_returned(tx: Transaction, order_id: str, lines: Iterable[DueLine]) -> None:
    """Write back what came back of lines."""
    for line in lines:
        await tx.sql.execute(
            SQL["note_returned"], order_id, line.line_number, line.returned, line.refunded_minor
        )


async def claim_payments(sql: Any, now: datetime, most: int) -> list[tuple[Payment, Trace]]:
    """Payments that are due, each with what made it so; nobody else gets them until the lease ends."""
    rows = await sql.fetch(SQL["claim_payments"], now, LEASE, most)
    return [(_payment(row), _trace(row)) for row in rows]


async def claim_refunds(sql: Any, now: datetime, most: int) -> list[Refund]:
    """Refunds that are due; nobody else gets them until the lease ends."""
    rows = await sql.fetch(SQL["claim_refunds"], now, LEASE, most)
    return [
        Refund(
            refund_id=row["refund_id"],
            order_id=row["order_id"],
            amount_minor=row["amount_minor"],
            reason=row["reason"],
            return_id=row["return_id"],
            attempts=row["attempts"],
            payment_id=row["payment_id"],
            trace=_trace(row),
        )
        for row in rows
    ]


async def try_payment_again(tx: Transaction, order_id: str, after: timedelta) -> None:
    """Give a claimed payment back, to be asked for again after a while."""
    await tx.sql.execute(SQL["try_payment_again"], order_id, tx.now + after)


async def try_refund_again(sql: Any, refund_id: str, at: datetime) -> None:
    """Give a claimed refund back, to be asked for again then."""
    await sql.execute(SQL["try_refund_again"], refund_id, at)


async def add_refund(
    tx: Transaction, payment: Payment, amount_minor: int, reason: str, return_id: str | None = None
) -> None:
    """Money goes back; twice for one reason and return breaks the table's key."""
    await tx.sql.execute(
        SQL["add_refund"],
        new_id(),
        payment.order_id,
        amount_minor,
        reason,
        return_id,
        tx.now,
        tx.trace.causation_id,
        tx.trace.trace_id,
    )
    tx.wake(DUE)


async def refunded_minor(tx: Transaction, order_id: str) -> int:
    """What is back, or on its way."""
    amount: int = await tx.sql.fetchval(SQL["sum_refunds"], order_id)
    return amount


async def finish_refund(tx: Transaction, refund_id: str) -> bool:
    """Note that the money is back; False if that was noted before."""
    return await tx.sql.fetchval(SQL["finish_refund"], refund_id) is not None


async def next_try(sql: Any) -> datetime | None:
    """When something is due next."""
    at: datetime | None = await sql.fetchval(SQL["next_try"])
    return at


async def find_payment(sql: Any, order_id: str) -> dict[str, Any] | None:
    """A payment's row with its `refunds`; None if there is none."""
    row = await sql.fetchrow(SQL["find_payment"], order_id)
    if row is None:
        return None
    refunds = [dict(refund) for refund in await sql.fetch(SQL["find_refunds"], order_id)]
    return {**row, "refunds": refunds}


def _payment(row: Any) -> Payment:
    return Payment(*tuple(row)[:_PAYMENT_FIELDS])


def _trace(row: Any) -> Trace:
    return Trace(row["order_id"], row["causation_id"], row["trace_id"])
