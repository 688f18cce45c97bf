"""The orders' books: every statement is a file of `queries/`."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from common.metrics import ORDERS
from producers.how_to_pay import HowToPay
from producers.orders.model import Line, Offer, PaymentStatus, Reason, Status
from producers.outbox.message import Message
from producers.outbox.transaction import Transaction
from producers.postgres.queries import load_queries

SQL = load_queries(__file__)

PRUNE_KEYS = SQL["prune_idempotency_keys"]
"""A DELETE for `producers.postgres.pruning.prune`."""

_LINE_FIELDS = (
    *("line_number", "product_id", "seller_id", "quantity", "unit_price_minor", "discount_minor"),
    *("shipping_minor", "tax_minor", "commission_bp"),
)


@dataclass(frozen=True, slots=True)
class Told:
    """A step of an order: when it was taken, and what took it, if not the order as a whole."""

    occurred_at: datetime
    about: str = ""
    """The parcel, return or refund. Each takes a step once."""
    seller_id: str | None = None
    """Whose parcel."""


@dataclass(frozen=True, slots=True)
class Order:
    """An order whose row is locked."""

    order_id: str
    shopper_id: str
    currency: str
    status: Status
    payment_status: PaymentStatus
    placed_at: datetime


@dataclass(frozen=True, slots=True)
class Answered:
    """What a key was answered, and the digest of the body that it came with."""

    order_id: str
    request_sha256: bytes
    answer: bytes


@dataclass(frozen=True, slots=True)
class Checkout:
    """An order about to be placed, with the answer that its key will have from then on."""

    key: str
    answered: Answered
    shopper_id: str
    session_id: str | None
    currency: str
    amount_minor: int
    payment: HowToPay
    placed_at: datetime
    lines: Sequence[Line]


async def find_checkout(sql: Any, key: str, products: Iterable[str]) -> tuple[Answered | None, list[Offer]]:
    """What this key was answered before, and the offers of these products."""
    rows = await sql.fetch(SQL["find_checkout"], key, sorted(set(products)))
    offers = [Offer(*tuple(row)[3:]) for row in rows if row["product_id"] is not None]
    return None if rows[0]["order_id"] is None else _answered(rows[0]), offers


async def place(sql: Any, checkout: Checkout, message: Message) -> bool:
    """Commit a whole checkout in one statement; False if its key was used meanwhile, and nothing was done."""
    lines = checkout.lines
    placed: bool = await sql.fetchval(
        SQL["place_order"],
        checkout.key,
        checkout.answered.request_sha256,
        checkout.answered.order_id,
        checkout.answered.answer,
        checkout.shopper_id,
        checkout.session_id,
        checkout.currency,
        checkout.amount_minor,
        checkout.payment.method,
        checkout.placed_at,
        [line.line_number for line in lines],
        [line.product_id for line in lines],
        [line.seller_id for line in lines],
        [line.quantity for line in lines],
        [line.unit_price_minor for line in lines],
        [line.discount_minor for line in lines],
        [line.shipping_minor for line in lines],
        [line.tax_minor for line in lines],
        [line.commission_bp for line in lines],
        *message,
        checkout.payment.token,
        checkout.payment.installments,
    )
    return placed


async def find_answer(sql: Any, key: str) -> Answered:
    """What a key that is in use was answered."""
    return _answered(await sql.fetchrow(SQL["find_answer"], key))


def _answered(row: Mapping[str, Any]) -> Answered:
    return Answered(row["order_id"], row["request_sha256"], row["answer"])


async def find_order(sql: Any, order_id: str) -> dict[str, Any] | None:
    """An order's row with its `lines` and `steps`; None if there is none."""
    row = await sql.fetchrow(SQL["find_order"], order_id)
    if row is None:
        return None
    steps = [{"status": step, "at": at, "seller_id": seller_id} for step, at, seller_id in row["steps"]]
    lines = [dict(zip(_LINE_FIELDS, line, strict=True)) for line in row["lines"]]
    return {**row, "lines": lines, "steps": steps}


async def find_lines(sql: Any, order_id: str) -> list[dict[str, Any]]:
    """An order's lines as its events have them."""
    return [dict(line) for line in await sql.fetch(SQL["find_lines"], order_id)]


async def lock_order(tx: Transaction, order_id: str) -> Order | None:
    """An order, locked until the transaction ends; None if it is not of this shop."""
    row = await tx.sql.fetchrow(SQL["lock_order"], order_id)
    return None if row is None else Order(*row)


async def hear_of_order(tx: Transaction, order_id: str) -> Order | None:
    """The same, and the event noted that the transaction acts on.

    Raises:
        Repeated: it was noted before.
    """
    (row,) = await tx.hear(SQL["hear_of_order"], order_id)
    return None if row["order_id"] is None else Order(*tuple(row)[1:])


async def move_order(
    tx: Transaction,
    order: Order,
    to: Status,
    told: Told,
    reason: Reason | None = None,
    payment: PaymentStatus | None = None,
) -> None:
    """Give an order its next status, note the step, and how far its payment has come if that moves, too."""
    tx.count(ORDERS.labels(to))
    await tx.sql.execute(
        SQL["move_order"], order.order_id, to, reason, told.occurred_at, payment, told.about, told.seller_id
    )


async def add_step(tx: Transaction, order: Order, step: str, told: Told) -> None:
    """Note that something happened to an order."""
    await tx.sql.execute(SQL["add_step"], order.order_id, step, told.occurred_at, told.about, told.seller_id)


async def note_refund(tx: Transaction, order: Order, told: Told, amount_minor: int) -> None:
    """Add a refund to what came back of an order's money, once; with all of it the payment is `refunded`."""
    await tx.sql.execute(SQL["note_refund"], order.order_id, told.about, told.occurred_at, amount_minor)


async def move_payment(tx: Transaction, order: Order, to: PaymentStatus) -> None:
    """Keep how far an order's payment has come."""
    await tx.sql.execute(SQL["move_payment"], order.order_id, to)


async def keep_offer(tx: Transaction, offer: Offer, changed_at: datetime) -> None:
    """Keep an offer as it is since then, unless something newer is known."""
    await tx.sql.execute(
        SQL["keep_offer"], offer.product_id, offer.seller_id, offer.currency, offer.price_minor, changed_at
    )


async def delist_offer(tx: Transaction, product_id: str, seller_id: str, changed_at: datetime) -> None:
    """Take an offer off, unless something newer is known."""
    await tx.sql.execute(SQL["delist_offer"], product_id, seller_id, changed_at)
