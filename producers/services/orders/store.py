"""Reads and writes orders' tables; each statement is a file in `queries/`."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from common.errors import Rejected
from common.metrics import ORDERS
from producers.kit.outbox.message import OutboxMessage
from producers.kit.outbox.transaction import Transaction
from producers.kit.payment_details import PaymentDetails
from producers.kit.postgres.queries import load_queries
from producers.services.orders.model import (
    LineOffer,
    Offer,
    OrderedLine,
    PaymentStatus,
    Reason,
    RequestedLine,
    Status,
)
from producers.services.orders.returns import SoldLine
from schemas.codec import Record

SQL = load_queries(__file__)

PRUNE_KEYS = SQL["prune_idempotency_keys"]
"""A DELETE for `producers.kit.postgres.pruning.prune`."""

_PAYMENT_FIELDS = ("method", "token", "installments")
_STEP_FIELDS = ("status", "at", "seller_id", "carrier", "tracking_code")
_LINE_FIELDS = (
    *("line_number", "product_id", "seller_id", "quantity", "unit_price_minor", "discount_minor"),
    *("shipping_minor", "tax_minor", "commission_bp"),
)


@dataclass(frozen=True, slots=True)
class StepDetails:
    """The time of a step of an order, and the part of the order that it concerns."""

    occurred_at: datetime
    about: str = ""
    """The id of the parcel, return or refund; empty for the whole order. Each part takes each step once."""
    seller_id: str | None = None
    """The seller of the parcel or return."""
    carrier: str | None = None
    tracking_code: str | None = None
    """The carrier's code of the parcel."""


@dataclass(frozen=True, slots=True)
class Order:
    """An order whose row is locked."""

    order_id: str
    shopper_id: str
    currency: str
    status: Status
    payment_status: PaymentStatus
    placed_at: datetime
    has_returns: bool
    """Whether a return of the order was accepted."""


@dataclass(frozen=True, slots=True)
class StoredResponse:
    """The response to a checkout, the digest of the request's body, and the shopper whose key it had."""

    order_id: str
    request_sha256: bytes
    answer: bytes
    key_owner: str


@dataclass(frozen=True, slots=True)
class Checkout:
    """An order to place, with the response to store for its key."""

    key: str
    response: StoredResponse
    shopper_id: str
    session_id: str | None
    currency: str
    amount_minor: int
    payment: PaymentDetails
    placed_at: datetime
    lines: Sequence[OrderedLine]


async def find_checkout(
    sql: Any, key: str, owners: Sequence[str], lines: Sequence[RequestedLine], at: datetime
) -> tuple[StoredResponse | None, list[LineOffer]]:
    """Return the stored response of this key, if any, and the offers for these lines at `at`.

    `owners` are the shopper ids of one person; the first that has used the key counts.
    """
    products, quantities = {line.product_id for line in lines}, [line.quantity for line in lines]
    rows = await sql.fetch(SQL["find_checkout"], key, sorted(products), quantities, at, owners)
    stored = None if rows[0]["order_id"] is None else _stored_response(rows[0])
    return stored, [
        LineOffer(number, Offer(*tuple(row)[4:10]), row["commissions_bp"][number - 1])
        for row in rows
        for number, line in enumerate(lines, start=1)
        if row["product_id"] == line.product_id
    ]


async def place(sql: Any, checkout: Checkout, message: OutboxMessage) -> bool:
    """Commit a checkout in one statement; do nothing and return False if the shopper has used its key."""
    lines = checkout.lines
    placed: bool = await sql.fetchval(
        SQL["place_order"],
        checkout.key,
        checkout.response.request_sha256,
        checkout.response.order_id,
        checkout.response.answer,
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


async def find_stored_response(sql: Any, key: str, shopper_id: str) -> StoredResponse:
    """Return the stored response of a key that a shopper has used."""
    return _stored_response(await sql.fetchrow(SQL["find_stored_response"], key, shopper_id))


def _stored_response(row: Mapping[str, Any]) -> StoredResponse:
    return StoredResponse(row["order_id"], row["request_sha256"], row["answer"], row["key_owner"])


async def find_order(sql: Any, order_id: str, owners: Sequence[str] | None) -> dict[str, Any] | None:
    """Return an order's row with its `lines` and `steps`; None if none of `owners` has it (None: anybody)."""
    row = await sql.fetchrow(SQL["find_order"], order_id, owners)
    if row is None:
        return None
    steps = [dict(zip(_STEP_FIELDS, step, strict=True)) for step in row["steps"]]
    lines = [dict(zip(_LINE_FIELDS, line, strict=True)) for line in row["lines"]]
    return {**row, "lines": lines, "steps": steps}


async def find_orders(
    sql: Any, shopper_ids: Sequence[str], after: tuple[datetime, str] | None, limit: int
) -> list[dict[str, Any]]:
    """Return the newest orders of these shopper ids with their `lines`, those after (`placed_at`, id)."""
    placed_at, order_id = after or (None, None)
    rows = await sql.fetch(SQL["find_orders"], list(shopper_ids), placed_at, order_id, limit)
    return [
        {**row, "lines": [{"product_id": product, "quantity": units} for product, units in row["lines"]]}
        for row in rows
    ]


async def export_orders(sql: Any, shopper_ids: Sequence[str]) -> list[dict[str, Any]]:
    """Return every order of these shopper ids with its lines, the oldest first."""
    rows = await sql.fetch(SQL["export_orders"], list(shopper_ids))
    fields = [field for field in _LINE_FIELDS if field != "commission_bp"]
    return [{**row, "lines": [dict(zip(fields, line, strict=True)) for line in row["lines"]]} for row in rows]


async def find_payment_details(sql: Any, order_ids: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Return order id → `method`, `token` and `installments` of the orders whose payment is not decided."""
    rows = await sql.fetch(SQL["find_payment_details"], list(order_ids))
    return {row["order_id"]: {name: row[name] for name in _PAYMENT_FIELDS} for row in rows}


async def find_lines(sql: Any, order_id: str) -> list[dict[str, Any]]:
    """Return an order's lines as records of its events."""
    return [dict(line) for line in await sql.fetch(SQL["find_lines"], order_id)]


async def find_confirmed_at(tx: Transaction, order: Order) -> datetime | None:
    """Return when a locked order was confirmed; None if it never was."""
    at: datetime | None = await tx.sql.fetchval(SQL["find_confirmed_at"], order.order_id)
    return at


async def lock_order(tx: Transaction, order_id: str, owners: Sequence[str] | None = None) -> Order | None:
    """Lock and return an order; None if it does not exist, or none of `owners` has it (None: anybody)."""
    row = await tx.sql.fetchrow(SQL["lock_order"], order_id, owners)
    return None if row is None else Order(*row)


async def lock_order_once(tx: Transaction, order_id: str) -> Order | None:
    """Record the event, and lock and return its order; None if the order does not exist in this shop.

    Raises:
        AlreadyProcessed: the event was recorded before.
    """
    (row,) = await tx.record_event(SQL["lock_order_once"], order_id)
    return None if row["order_id"] is None else Order(*tuple(row)[1:])


async def set_order_status(
    tx: Transaction,
    order: Order,
    to: Status,
    step: StepDetails,
    reason: Reason | None = None,
    payment: PaymentStatus | None = None,
) -> None:
    """Set an order's status, and its payment's if given, and record the step."""
    tx.count(ORDERS.labels(to))
    await tx.sql.execute(
        SQL["set_order_status"],
        order.order_id,
        to,
        reason,
        step.occurred_at,
        payment,
        step.about,
        step.seller_id,
        step.carrier,
        step.tracking_code,
    )


async def add_step(tx: Transaction, order: Order, status: str, step: StepDetails) -> None:
    """Record a step of an order."""
    await tx.sql.execute(
        SQL["add_step"],
        order.order_id,
        status,
        step.occurred_at,
        step.about,
        step.seller_id,
        step.carrier,
        step.tracking_code,
    )


async def find_sold_lines(tx: Transaction, order: Order) -> list[SoldLine]:
    """Return the lines of a locked order, with the returned units and the refund of each."""
    return [SoldLine(*row) for row in await tx.sql.fetch(SQL["find_sold_lines"], order.order_id)]


async def check_return_is_new(tx: Transaction, order: Order, return_id: str) -> None:
    """Check that a return of a locked order is new.

    Raises:
        Rejected: the return was recorded before, for this event or another one.
    """
    if await tx.sql.fetchval(SQL["is_returned"], order.order_id, return_id):
        raise Rejected(f"return {return_id} of order {order.order_id} was accepted before")


async def record_return(tx: Transaction, order: Order, step: StepDetails, after: Iterable[SoldLine]) -> None:
    """Record a return of a locked order; `after` are its lines after the return."""
    lines = list(after)
    await tx.sql.execute(
        SQL["save_returned_lines"],
        order.order_id,
        [line.line_number for line in lines],
        [line.returned for line in lines],
        [line.refunded_minor for line in lines],
    )
    await add_step(tx, order, "returned", step)


async def find_unsettled_returns(sql: Any) -> frozenset[str]:
    """Return the returns of before `return_settled` that inventory or payments may not have read."""
    return frozenset(row["return_id"] for row in await sql.fetch(SQL["find_unsettled_returns"]))


async def settle_return(tx: Transaction, order_id: str, return_id: str) -> bool:
    """Record that such a return is settled; return False if it was before."""
    return await tx.sql.fetchval(SQL["settle_return"], order_id, return_id) is not None


async def record_refund(tx: Transaction, order: Order, step: StepDetails, amount_minor: int) -> None:
    """Add a refund to the order, once. When the full amount is refunded, the payment becomes `refunded`."""
    await tx.sql.execute(SQL["record_refund"], order.order_id, step.about, step.occurred_at, amount_minor)


async def set_payment_status(tx: Transaction, order: Order, to: PaymentStatus) -> None:
    """Set the status of an order's payment."""
    await tx.sql.execute(SQL["set_payment_status"], order.order_id, to)


async def save_offer(tx: Transaction, offer: Offer, changed_at: datetime) -> None:
    """Save an offer, unless a newer event has changed it."""
    await tx.sql.execute(
        SQL["save_offer"],
        offer.product_id,
        offer.seller_id,
        offer.currency,
        offer.price_minor,
        offer.category,
        changed_at,
    )


async def save_rule(tx: Transaction, event: Record) -> None:
    """Save a commission rule of sellers."""
    fields = ("rule_id", "position", "seller_id", "category", "rate_bp", "minimum_minor", "maximum_minor")
    values = [event[field] for field in fields]
    await tx.sql.execute(SQL["save_rule"], *values, event["currency"], event["valid_from"])


async def delist_offer(tx: Transaction, product_id: str, seller_id: str, changed_at: datetime) -> None:
    """Delist an offer, unless a newer event has changed it."""
    await tx.sql.execute(SQL["delist_offer"], product_id, seller_id, changed_at)
