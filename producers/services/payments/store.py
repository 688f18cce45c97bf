"""Reads and writes payments' tables."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

from common.ids import new_id
from producers.kit.outbox.trace import Trace
from producers.kit.outbox.transaction import Transaction
from producers.kit.payment_details import PaymentDetails
from producers.kit.postgres.statements import statement
from producers.services.payments.model import LEASE, Payment
from schemas.codec import Record

DUE = "due"
"""The channel that notifies the charge worker."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimedPayment(Payment):
    """A payment that needs a provider call, and the trace of the event that made it due."""

    causation_id: str | None
    trace_id: str

    @property
    def trace(self) -> Trace:
        """The trace of the events of the call."""
        return Trace(self.order_id, self.causation_id, self.trace_id)


@dataclass(frozen=True, slots=True)
class RefundedLine:
    """What came back of a line, as `payment_refunded` reports it."""

    line_number: int
    product_id: str
    quantity: int
    refund_minor: int
    marketplace_minor: int | None


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
    lines: list[RefundedLine]
    attempts: int
    payment_id: str
    causation_id: str | None
    trace_id: str

    @property
    def trace(self) -> Trace:
        """The trace of its events."""
        return Trace(self.order_id, self.causation_id, self.trace_id)


@dataclass(frozen=True, slots=True)
class RefundResponse:
    """A refund, done or in progress."""

    refund_id: str
    amount_minor: int
    reason: str
    return_id: str | None
    done: bool


@dataclass(frozen=True, slots=True)
class PaymentResponse:
    """The payment of an order."""

    payment_id: str
    order_id: str
    state: str
    method: str | None
    installments: int | None
    currency: str | None
    amount_minor: int | None
    attempts: int
    failure: str | None
    refunds: list[RefundResponse]


async def lock_payment(tx: Transaction, order_id: str) -> Payment:
    """Lock and return the payment of an order; creates it if there is none."""
    return await _lock_payment(tx, order_id, new_id())


@statement("""
    INSERT INTO payments (order_id, payment_id) VALUES ($order_id::uuid, $new_id::uuid)
    ON CONFLICT (order_id) DO UPDATE SET order_id = excluded.order_id
    RETURNING order_id, payment_id, shopper_id, method, installments, currency, amount_minor, reserved,
        cancelled, state, attempts
""")
async def _lock_payment(tx: Transaction, order_id: str, new_id: str) -> Payment:
    """Transactions of one payment run one after the other."""


_LOCK_PAYMENT_ONCE = """
WITH recorded AS (
    INSERT INTO inbox (id, topic) VALUES ($1::text, $2::text) ON CONFLICT (id) DO NOTHING RETURNING id
), locked AS (
    INSERT INTO payments (order_id, payment_id) SELECT $3::uuid, $4::uuid FROM recorded
    ON CONFLICT (order_id) DO UPDATE SET order_id = excluded.order_id
    RETURNING order_id, payment_id, shopper_id, method, installments, currency, amount_minor, reserved,
        cancelled, state, attempts
)
SELECT EXISTS (SELECT FROM recorded) AS first_time, locked.* FROM (SELECT) AS always LEFT JOIN locked ON true
"""


async def lock_payment_once(tx: Transaction, order_id: str) -> Payment:
    """Record the event, and lock and return the payment of its order; creates it if there is none.

    Raises:
        AlreadyProcessed: the event was recorded before.
    """
    (row,) = await tx.record_event(_LOCK_PAYMENT_ONCE, order_id, new_id())
    return Payment(*tuple(row)[1:])


async def save_payment(tx: Transaction, payment: Payment, failure: str | None = None) -> None:
    """Save a locked payment. If the payment needs a provider call, it is due at once.

    The events of that call get the trace of this transaction, if it has one.
    """
    await _save_payment(tx, payment, failure)
    if payment.needs_provider_call:
        tx.notify(DUE)


async def save_expired_payment(tx: Transaction, payment: Payment) -> None:
    """Save a locked payment whose reservation has expired.

    The worker is not woken: a call that has begun may bring its outcome before the worker voids the payment.
    """
    await _save_payment(tx, payment, None)


@statement("""
    UPDATE payments
    SET shopper_id = $payment.shopper_id::text, currency = $payment.currency::text,
        amount_minor = $payment.amount_minor::bigint, reserved = $payment.reserved::boolean,
        cancelled = $payment.cancelled::boolean, state = $payment.state::text,
        try_at = CASE WHEN $payment.needs_provider_call::boolean THEN $tx.now::timestamptz END,
        failure = coalesce($failure::text, failure),
        causation_id = coalesce($tx.trace.causation_id::text, causation_id),
        trace_id = coalesce(nullif($tx.trace.trace_id::text, ''), trace_id)
    WHERE order_id = $payment.order_id::uuid
""")
async def _save_payment(tx: Transaction, payment: Payment, failure: str | None) -> None:
    """Save a locked payment. It is due now if it needs a call."""


@statement("""
    INSERT INTO returns (order_id, return_id) VALUES ($order_id::uuid, $return_id::text)
    ON CONFLICT DO NOTHING
    RETURNING true
""")
async def record_return(tx: Transaction, order_id: str, return_id: str) -> bool:
    """Record a return of an order whose payment is locked; return False if it was recorded before."""


@statement("""
    UPDATE payments SET attempts = attempts + 1, try_at = $now::timestamptz + $lease::interval
    WHERE order_id IN (
        SELECT order_id FROM payments
        WHERE try_at <= $now::timestamptz
        ORDER BY try_at
        LIMIT $limit::integer
        FOR UPDATE SKIP LOCKED
    )
    RETURNING order_id, payment_id, shopper_id, method, installments, currency, amount_minor, reserved,
        cancelled, state, attempts, causation_id, trace_id
""")
async def claim_payments(
    sql: Any, now: datetime, limit: int, lease: timedelta = LEASE
) -> list[ClaimedPayment]:
    """Claim payments that are due, until their lease expires; then another worker may claim them."""


@statement("""
    UPDATE refunds SET attempts = attempts + 1, try_at = $now::timestamptz + $lease::interval
    WHERE refund_id IN (
        SELECT refund_id FROM refunds
        WHERE try_at <= $now::timestamptz
        ORDER BY try_at
        LIMIT $limit::integer
        FOR UPDATE SKIP LOCKED
    )
    RETURNING refund_id, order_id, amount_minor, reason, return_id, seller_id, placed_at, attempts,
        causation_id, trace_id,
        (SELECT payment_id FROM payments WHERE payments.order_id = refunds.order_id) AS payment_id,
        ARRAY(
            SELECT ROW(line_number, product_id, quantity, refund_minor, marketplace_minor)
            FROM refunded_lines
            WHERE refunded_lines.refund_id = refunds.refund_id
            ORDER BY position
        ) AS lines
""")
async def claim_refunds(sql: Any, now: datetime, limit: int, lease: timedelta = LEASE) -> list[Refund]:
    """Claim refunds that are due, until their lease expires."""


@statement("""
    UPDATE payments SET method = paid.method, installments = paid.installments
    FROM unnest($order_ids::uuid[], $details.method::text[], $details.installments::integer[])
        AS paid (order_id, method, installments)
    WHERE payments.order_id = paid.order_id
""")
async def save_methods(sql: Any, order_ids: Sequence[str], details: Sequence[PaymentDetails]) -> None:
    """Save how orders are paid, before the provider is called. The token is not saved."""


@statement("""
    UPDATE payments SET try_at = $at::timestamptz
    WHERE order_id = ANY ($order_ids::uuid[]) AND try_at IS NOT NULL
""")
async def retry_payments_later(sql: Any, order_ids: Sequence[str], at: datetime) -> None:
    """Make claimed payments due again at a time."""


@statement("""
    UPDATE refunds SET try_at = $at::timestamptz WHERE refund_id = $refund_id::uuid AND try_at IS NOT NULL
""")
async def retry_refund_later(sql: Any, refund_id: str, at: datetime) -> None:
    """Make a claimed refund due again at a time."""


_NO_RETURN: Mapping[str, Any] = MappingProxyType(
    {"return_id": None, "seller_id": None, "placed_at": None, "lines": ()}
)


async def add_refund(
    tx: Transaction,
    order_id: str,
    amount_minor: int,
    reason: str,
    returned: Mapping[str, Any] = _NO_RETURN,
) -> None:
    """Add a refund that is due now. The table's key allows one for each order, reason and return.

    `returned` is the `return_settled` that the refund pays for, if any.
    """
    await _add_refund(tx, new_id(), order_id, amount_minor, reason, returned, returned["lines"])
    tx.notify(DUE)


@statement("""
    WITH added AS (
        INSERT INTO refunds
            (refund_id, order_id, amount_minor, reason, return_id, try_at, causation_id, trace_id, seller_id,
             placed_at)
        VALUES (
            $refund_id::uuid, $order_id::uuid, $amount_minor::bigint, $reason::text,
            $returned.return_id::text, $tx.now::timestamptz, $tx.trace.causation_id::text,
            $tx.trace.trace_id::text, $returned.seller_id::text, $returned.placed_at::timestamptz
        )
        RETURNING refund_id
    )
    INSERT INTO refunded_lines
        (refund_id, line_number, product_id, quantity, refund_minor, marketplace_minor, position)
    SELECT refund_id, returned.*
    FROM added, unnest(
        $lines.line_number::integer[], $lines.product_id::text[], $lines.quantity::integer[],
        $lines.refund_minor::bigint[], $lines.marketplace_minor::bigint[]
    ) WITH ORDINALITY AS returned
""")
async def _add_refund(
    tx: Transaction,
    refund_id: str,
    order_id: str,
    amount_minor: int,
    reason: str,
    returned: Mapping[str, Any],
    lines: Sequence[Record],
) -> None:
    """Insert a refund that is due now, with the lines for which it pays."""


@statement("SELECT coalesce(sum(amount_minor), 0)::bigint FROM refunds WHERE order_id = $order_id::uuid")
async def refunded_minor(tx: Transaction, order_id: str) -> int:
    """Return the sum of an order's refunds, done or in progress."""


@statement("""
    UPDATE refunds SET try_at = NULL WHERE refund_id = $refund_id::uuid AND try_at IS NOT NULL RETURNING true
""")
async def finish_refund(tx: Transaction, refund_id: str) -> bool:
    """Record that a refund is done; return False if that was recorded before."""


@statement("SELECT least((SELECT min(try_at) FROM payments), (SELECT min(try_at) FROM refunds))")
async def next_attempt_at(sql: Any) -> datetime | None:
    """Return the time at which the next call is due; None if no call is due."""


@statement("""
    SELECT payment_id, order_id, state, method, installments, currency, amount_minor, attempts, failure,
        ARRAY(
            SELECT ROW(refund_id::text, amount_minor, reason, return_id, try_at IS NULL)
            FROM refunds
            WHERE refunds.order_id = payments.order_id
            ORDER BY refund_id
        ) AS refunds
    FROM payments
    WHERE order_id = $order_id::uuid
""")
async def find_payment(sql: Any, order_id: str) -> PaymentResponse | None:
    """Return a payment with its refunds; None if there is none."""
