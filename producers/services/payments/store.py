"""Reads and writes payments' tables; each statement is a file in `queries/`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from common.ids import new_id
from producers.kit.outbox.trace import Trace
from producers.kit.outbox.transaction import Transaction
from producers.kit.payment_details import PaymentDetails
from producers.kit.postgres.queries import load_queries
from producers.services.payments.model import LEASE, Payment
from schemas.codec import Record

SQL = load_queries(__file__)

_PAYMENT_FIELDS = 11

_REFUNDED_LINE_FIELDS = ("line_number", "product_id", "quantity", "refund_minor")

DUE = "due"
"""The channel that notifies the charge worker."""


@dataclass(frozen=True, slots=True)
class Refund:
    """A refund that is due."""

    refund_id: str
    order_id: str
    amount_minor: int
    reason: str
    return_id: str | None
    seller_id: str | None
    """The seller of the return. None, like `placed_at`, for other refunds, and for those that payments stored
    before it stored these columns; `lines` is empty then."""
    placed_at: datetime | None
    """When the order was placed."""
    lines: list[Record]
    """What came back, as records of `payment_refunded`."""
    attempts: int
    payment_id: str
    trace: Trace


async def lock_payment(tx: Transaction, order_id: str) -> Payment:
    """Lock and return the payment of an order; creates it if there is none."""
    return _payment(await tx.sql.fetchrow(SQL["lock_payment"], order_id, new_id()))


async def lock_payment_once(tx: Transaction, order_id: str) -> Payment:
    """Record the event, and lock and return the payment of its order; creates it if there is none.

    Raises:
        AlreadyProcessed: the event was recorded before.
    """
    (row,) = await tx.record_event(SQL["lock_payment_once"], order_id, new_id())
    return Payment(*tuple(row)[1:])


async def save_payment(tx: Transaction, payment: Payment, failure: str | None = None) -> None:
    """Save a locked payment. If the payment needs a provider call, it is due at once.

    The events of that call get the trace of this transaction.
    """
    await tx.sql.execute(
        SQL["save_payment"],
        payment.order_id,
        payment.shopper_id,
        payment.currency,
        payment.amount_minor,
        payment.reserved,
        payment.cancelled,
        payment.state,
        tx.now if payment.needs_provider_call else None,
        failure,
        tx.trace.causation_id,
        tx.trace.trace_id,
    )
    if payment.needs_provider_call:
        tx.notify(DUE)


async def record_return(tx: Transaction, order_id: str, return_id: str) -> bool:
    """Record a return of an order whose payment is locked; return False if it was recorded before."""
    return await tx.sql.fetchval(SQL["record_return"], order_id, return_id) is not None


async def claim_payments(sql: Any, now: datetime, limit: int) -> list[tuple[Payment, Trace]]:
    """Claim payments that are due, until their lease expires; return each with its trace."""
    rows = await sql.fetch(SQL["claim_payments"], now, LEASE, limit)
    return [(_payment(row), _trace(row)) for row in rows]


async def claim_refunds(sql: Any, now: datetime, limit: int) -> list[Refund]:
    """Claim refunds that are due, until their lease expires."""
    rows = await sql.fetch(SQL["claim_refunds"], now, LEASE, limit)
    return [
        Refund(
            refund_id=row["refund_id"],
            order_id=row["order_id"],
            amount_minor=row["amount_minor"],
            reason=row["reason"],
            return_id=row["return_id"],
            seller_id=row["seller_id"],
            placed_at=row["placed_at"],
            lines=[dict(zip(_REFUNDED_LINE_FIELDS, line, strict=True)) for line in row["lines"]],
            attempts=row["attempts"],
            payment_id=row["payment_id"],
            trace=_trace(row),
        )
        for row in rows
    ]


async def save_methods(sql: Any, details: Mapping[str, PaymentDetails]) -> None:
    """Save how orders are paid, before the provider is called. The token is not saved."""
    await sql.execute(
        SQL["save_methods"],
        list(details),
        [detail.method for detail in details.values()],
        [detail.installments for detail in details.values()],
    )


async def retry_payments_later(sql: Any, order_ids: Sequence[str], at: datetime) -> None:
    """Make claimed payments due again at a time."""
    await sql.execute(SQL["retry_payments_later"], order_ids, at)


async def retry_refund_later(sql: Any, refund_id: str, at: datetime) -> None:
    """Make a claimed refund due again at a time."""
    await sql.execute(SQL["retry_refund_later"], refund_id, at)


async def add_refund(
    tx: Transaction, payment: Payment, amount_minor: int, reason: str, returned: Record | None = None
) -> None:
    """Add a refund that is due now. The table's key allows one for each order, reason and return.

    `returned` is the `return_settled` that the refund pays for, if any.
    """
    lines = returned["lines"] if returned else []
    await tx.sql.execute(
        SQL["add_refund"],
        new_id(),
        payment.order_id,
        amount_minor,
        reason,
        returned["return_id"] if returned else None,
        tx.now,
        tx.trace.causation_id,
        tx.trace.trace_id,
        returned["seller_id"] if returned else None,
        returned["placed_at"] if returned else None,
        *([line[field] for line in lines] for field in _REFUNDED_LINE_FIELDS),
    )
    tx.notify(DUE)


async def refunded_minor(tx: Transaction, order_id: str) -> int:
    """Return the sum of an order's refunds, done or in progress."""
    amount: int = await tx.sql.fetchval(SQL["sum_refunds"], order_id)
    return amount


async def finish_refund(tx: Transaction, refund_id: str) -> bool:
    """Record that a refund is done; return False if that was recorded before."""
    return await tx.sql.fetchval(SQL["finish_refund"], refund_id) is not None


async def next_attempt_at(sql: Any) -> datetime | None:
    """Return the time at which the next call is due; None if no call is due."""
    at: datetime | None = await sql.fetchval(SQL["next_attempt_at"])
    return at


async def close_unpaid(tx: Transaction, order_id: str) -> bool:
    """Close the payment of an order; return False if the money was taken, or may have been taken."""
    closed: bool = await tx.sql.fetchval(SQL["close_unpaid"], order_id, new_id())
    return closed


async def find_payment(sql: Any, order_id: str) -> dict[str, Any] | None:
    """Return a payment's row with its `refunds`; None if there is none."""
    row = await sql.fetchrow(SQL["find_payment"], order_id)
    if row is None:
        return None
    refunds = [dict(refund) for refund in await sql.fetch(SQL["find_refunds"], order_id)]
    return {**row, "refunds": refunds}


def _payment(row: Any) -> Payment:
    return Payment(*tuple(row)[:_PAYMENT_FIELDS])


def _trace(row: Any) -> Trace:
    return Trace(row["order_id"], row["causation_id"], row["trace_id"])
