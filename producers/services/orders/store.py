"""Reads and writes orders' tables."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from common.metrics import ORDERS
from producers.kit.http.pages import Position
from producers.kit.offers import Offer
from producers.kit.outbox.message import OutboxMessage
from producers.kit.outbox.transaction import Transaction
from producers.kit.payment_details import PaymentDetails
from producers.kit.postgres.statements import statement
from producers.services.orders.model import (
    LineOffer,
    OrderedLine,
    OrderLine,
    OrderLineRequest,
    PaymentStatus,
    Reason,
    SoldLine,
    Status,
)
from producers.services.orders.schemas import ExportedOrder, ListedOrder, ShopperOrder
from schemas.codec import Record


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
    has_vouchers: bool
    """Whether a voucher lowered the order."""
    amount_minor: int


_ORDER = ", ".join(field.name for field in fields(Order))

_LINE = ", ".join(
    f"{field.name}::text" if field.name.endswith("_voucher_id") else field.name for field in fields(OrderLine)
)
"""The columns of a line. A `ROW(…)` can't have a uuid, which is read as text."""


@dataclass(frozen=True, slots=True)
class StoredResponse:
    """The response to a checkout, the digest of the request's body, and the shopper whose key it had."""

    order_id: str
    request_sha256: bytes
    answer: bytes
    key_owner: str


@dataclass(frozen=True, slots=True)
class Checkout:
    """What a checkout needs: the stored response of its key, if any, the offers of its lines, and whether
    there are vouchers that apply by themselves."""

    stored: StoredResponse | None
    offers: list[LineOffer]
    has_automatic_vouchers: bool


async def find_checkout(
    sql: Any,
    key: str | None,
    owners: Sequence[str],
    lines: Sequence[OrderLineRequest],
    currency: str,
    at: datetime,
) -> Checkout:
    """Return what a checkout of these lines needs at `at`; without a stored response if there is no `key`.

    `owners` are the shopper ids of one person; the first that has used the key counts.
    """
    products = sorted({line.product_id for line in lines})
    rows = await _find_checkout(sql, key, owners, products, lines, currency, at)
    return Checkout(
        None if rows[0]["order_id"] is None else StoredResponse(*list(rows[0].values())[:4]),
        [
            LineOffer(number, Offer(*list(row.values())[4:10]), row["commissions_bp"][number - 1])
            for row in rows
            for number, line in enumerate(lines, start=1)
            if row["product_id"] == line.product_id
        ],
        rows[0]["has_automatic_vouchers"],
    )


@statement("""
    SELECT
        used.order_id, used.request_sha256, used.answer, used.shopper_id AS key_owner,
        offers.product_id, offers.seller_id, offers.currency, offers.price_minor, offers.listed,
        offers.category,
        commissions_bp(
            offers.seller_id, offers.category, offers.currency, offers.price_minor,
            $lines.quantity::integer[], $at::timestamptz
        ) AS commissions_bp,
        EXISTS (
            SELECT FROM vouchers
            WHERE code IS NULL AND ended_at IS NULL AND currency = $currency::text
                AND starts_at <= $at::timestamptz AND (ends_at > $at::timestamptz) IS NOT FALSE
        ) AS has_automatic_vouchers
    FROM (SELECT $key::text AS key, $owners::text[] AS owners) AS request
    LEFT JOIN LATERAL (
        SELECT * FROM idempotency_keys AS one
        WHERE one.key = request.key AND one.shopper_id = ANY (request.owners)
        ORDER BY array_position(request.owners, one.shopper_id) LIMIT 1
    ) AS used ON true
    LEFT JOIN offers ON offers.product_id = ANY ($products::text[]) AND offers.listed
""")
async def _find_checkout(
    sql: Any,
    key: str | None,
    owners: Sequence[str],
    products: Sequence[str],
    lines: Sequence[OrderLineRequest],
    currency: str,
    at: datetime,
) -> list[dict[str, Any]]:
    """Return at least one row, in one round trip. Each has the columns of the key.

    Each offer has the commissions of lines that sell the quantities of `lines`.
    """


@statement("""
    WITH claimed AS (
        INSERT INTO idempotency_keys (shopper_id, key, request_sha256, order_id, answer)
        VALUES (
            $order.shopper_id::text, $key::text, $response.request_sha256::bytea, $response.order_id::uuid,
            $response.answer::bytea
        )
        ON CONFLICT (shopper_id, key) DO NOTHING
        RETURNING order_id
    ), placed AS (
        INSERT INTO orders
            (order_id, shopper_id, session_id, currency, status, amount_minor, payment_method, placed_at,
             has_vouchers)
        SELECT order_id, $order.shopper_id::text, $session_id::text, $order.currency::text, 'placed',
            $order.payment.amount_minor::bigint, $payment.method::text, $order.placed_at::timestamptz,
            $has_vouchers::boolean
        FROM claimed
    ), lines AS (
        INSERT INTO order_lines
            (order_id, line_number, product_id, seller_id, quantity, unit_price_minor, discount_minor,
             shipping_minor, tax_minor, marketplace_minor, line_voucher_id, order_voucher_id, commission_bp)
        SELECT order_id, bought.*
        FROM claimed, unnest(
            $lines.line_number::integer[], $lines.product_id::text[], $lines.seller_id::text[],
            $lines.quantity::integer[], $lines.unit_price_minor::bigint[], $lines.discount_minor::bigint[],
            $lines.shipping_minor::bigint[], $lines.tax_minor::bigint[], $lines.marketplace_minor::bigint[],
            $lines.line_voucher_id::uuid[], $lines.order_voucher_id::uuid[], $lines.commission_bp::integer[]
        ) AS bought
    ), payment AS (
        INSERT INTO how_to_pay (order_id, method, token, installments)
        SELECT order_id, $payment.method::text, $payment.token::text, $payment.installments::integer
        FROM claimed
    ), steps AS (
        INSERT INTO order_steps (order_id, step, occurred_at)
        SELECT order_id, 'placed', $order.placed_at::timestamptz FROM claimed
    ), emitted AS (
        INSERT INTO outbox (topic, key, value, headers)
        SELECT $message.topic::text, $message.key::bytea, $message.value::bytea, $message.headers::jsonb
        FROM claimed
    )
    SELECT EXISTS (SELECT FROM claimed)
""")
async def place(
    sql: Any,
    key: str,
    response: StoredResponse,
    order: ShopperOrder,
    session_id: str | None,
    payment: PaymentDetails,
    lines: Sequence[OrderedLine],
    message: OutboxMessage,
    has_vouchers: bool,
) -> bool:
    """Commit a checkout in one round trip; do nothing and return False if the shopper has used its key.

    It commits the key, the order, its lines, its payment details, its first step and its event.
    """


@statement("""
    SELECT order_id, request_sha256, answer, shopper_id AS key_owner
    FROM idempotency_keys WHERE key = $key::text AND shopper_id = $shopper_id::text
""")
async def find_stored_response(sql: Any, key: str, shopper_id: str) -> StoredResponse:
    """Return the stored response of a key that a shopper has used."""


_PAYMENT_STATUS = """
    CASE
        WHEN amount_minor = 0 THEN 'free'
        WHEN status = 'cancelled' AND payment_status = 'pending' THEN 'void'
        ELSE payment_status
    END
"""
"""The payment of an order that costs nothing is `free`; of one that was cancelled unpaid, `void`."""


@statement(f"""
    SELECT order_id, shopper_id, status, cancellation_reason, currency, placed_at,
        ARRAY(
            SELECT ROW(step, occurred_at, seller_id, carrier, tracking_code)
            FROM order_steps
            WHERE order_steps.order_id = orders.order_id
            ORDER BY occurred_at, step, about
        ) AS history,
        ARRAY(
            SELECT ROW({_LINE})
            FROM order_lines
            WHERE order_lines.order_id = orders.order_id
            ORDER BY line_number
        ) AS lines,
        ROW(
            {_PAYMENT_STATUS},
            payment_method, amount_minor, refunded_minor
        ) AS payment
    FROM orders
    WHERE order_id = $order_id::uuid AND ($owners::text[] IS NULL OR shopper_id = ANY ($owners::text[]))
""")
async def find_order(sql: Any, order_id: str, owners: Sequence[str] | None) -> ShopperOrder | None:
    """Return an order; None if none of `owners` has it (None: anybody)."""


@statement(f"""
    SELECT order_id, status, cancellation_reason, currency, amount_minor, refunded_minor, placed_at,
        {_PAYMENT_STATUS} AS payment_status,
        ARRAY(
            SELECT ROW(product_id, quantity)
            FROM order_lines
            WHERE order_lines.order_id = orders.order_id
            ORDER BY line_number
        ) AS lines
    FROM orders
    WHERE shopper_id = ANY ($shopper_ids::text[])
        AND (placed_at, order_id) < ($after.at::timestamptz, $after.row_id::uuid)
    ORDER BY placed_at DESC, order_id DESC
    LIMIT $limit::integer
""")
async def find_orders(sql: Any, shopper_ids: Sequence[str], after: Position, limit: int) -> list[ListedOrder]:
    """Return orders of these shopper ids, the newest first."""


@statement(f"""
    SELECT
        order_id, currency, status, amount_minor, refunded_minor, payment_method,
        {_PAYMENT_STATUS} AS payment_status, placed_at,
        ARRAY(
            SELECT ROW({_LINE})
            FROM order_lines
            WHERE order_lines.order_id = orders.order_id
            ORDER BY line_number
        ) AS lines
    FROM orders
    WHERE shopper_id = ANY ($shopper_ids::text[])
    ORDER BY placed_at, order_id
""")
async def export_orders(sql: Any, shopper_ids: Sequence[str]) -> list[ExportedOrder]:
    """Return every order of these shopper ids with its lines, the oldest first."""


@statement("""
    SELECT order_id, method, token, installments FROM how_to_pay WHERE order_id = ANY ($order_ids::uuid[])
""")
async def find_payment_details(sql: Any, order_ids: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Return order id → `method`, `token` and `installments` of the orders whose payment is not decided."""


@statement(f"""
    SELECT {_LINE}, commission_bp
    FROM order_lines
    WHERE order_id = $order_id::uuid
    ORDER BY line_number
""")
async def find_lines(sql: Any, order_id: str) -> list[Record]:
    """Return an order's lines as records of its events."""


@statement(
    "SELECT occurred_at FROM order_steps WHERE order_id = $order.order_id::uuid AND step = 'confirmed'"
)
async def find_confirmed_at(tx: Transaction, order: Order) -> datetime | None:
    """Return when a locked order was confirmed; None if it never was."""


@statement(f"""
    SELECT {_ORDER}
    FROM orders
    WHERE order_id = $order_id::uuid AND ($owners::text[] IS NULL OR shopper_id = ANY ($owners::text[]))
    FOR UPDATE
""")
async def lock_order(tx: Transaction, order_id: str, owners: Sequence[str] | None = None) -> Order | None:
    """Lock and return an order; None if it does not exist, or none of `owners` has it (None: anybody).

    Every transaction about an order locks it first, so that those of one order run one after the other.
    """


_LOCK_ORDER_ONCE = f"""
WITH recorded AS (
    INSERT INTO inbox (id, topic) VALUES ($1::text, $2::text) ON CONFLICT (id) DO NOTHING RETURNING id
), locked AS (
    SELECT {_ORDER}
    FROM orders
    WHERE order_id = $3::uuid AND EXISTS (SELECT FROM recorded)
    FOR UPDATE
)
SELECT EXISTS (SELECT FROM recorded) AS first_time, locked.* FROM (SELECT) AS always LEFT JOIN locked ON true
"""


async def lock_order_once(tx: Transaction, order_id: str) -> Order | None:
    """Record the event, and lock and return its order; None if the order does not exist in this shop.

    Raises:
        AlreadyProcessed: the event was recorded before.
    """
    (row,) = await tx.record_event(_LOCK_ORDER_ONCE, order_id)
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
    await _set_order_status(tx, order, to, step, reason, payment)


@statement("""
    WITH decided AS (
        DELETE FROM how_to_pay WHERE order_id = $order.order_id::uuid
    ), moved AS (
        UPDATE orders
        SET status = $to::text, cancellation_reason = $reason::text,
            payment_status = coalesce($payment::text, payment_status)
        WHERE order_id = $order.order_id::uuid
    )
    INSERT INTO order_steps (order_id, step, occurred_at, about, seller_id, carrier, tracking_code)
    VALUES (
        $order.order_id::uuid, $to::text, $step.occurred_at::timestamptz, $step.about::text,
        $step.seller_id::text, $step.carrier::text, $step.tracking_code::text
    )
    ON CONFLICT DO NOTHING
""")
async def _set_order_status(
    tx: Transaction,
    order: Order,
    to: Status,
    step: StepDetails,
    reason: Reason | None,
    payment: PaymentStatus | None,
) -> None:
    """Delete the payment details too: payments needs them only while the order is `placed`."""


@statement("""
    INSERT INTO order_steps (order_id, step, occurred_at, about, seller_id, carrier, tracking_code)
    SELECT $order.order_id::uuid, $status::text, $step.occurred_at::timestamptz, $step.about::text,
        $step.seller_id::text, $step.carrier::text, $step.tracking_code::text
    WHERE $step.about::text = '' OR NOT EXISTS (
        SELECT FROM order_steps
        WHERE order_id = $order.order_id::uuid AND step = $status::text AND about = $step.about::text
            AND seller_id IS NOT DISTINCT FROM $step.seller_id::text
    )
    ON CONFLICT DO NOTHING
""")
async def add_step(tx: Transaction, order: Order, status: str, step: StepDetails) -> None:
    """Record a step of a locked order: of a seller's parcel or return once, even if two events report it."""


@statement("""
    SELECT line_number, product_id, seller_id, quantity,
        quantity * unit_price_minor - discount_minor - coalesce(marketplace_minor, 0) + shipping_minor
            + tax_minor AS amount_minor,
        coalesce(marketplace_minor, 0) AS marketplace_minor, returned, returned_minor AS refunded_minor,
        returned_marketplace_minor
    FROM order_lines
    WHERE order_id = $order.order_id::uuid
""")
async def find_sold_lines(tx: Transaction, order: Order) -> list[SoldLine]:
    """Return the lines of a locked order, with the returned units and the refund of each."""


@statement("""
    SELECT EXISTS (
        SELECT FROM order_steps
        WHERE order_id = $order.order_id::uuid AND step = 'returned' AND about = $return_id::text
    )
""")
async def is_returned(tx: Transaction, order: Order, return_id: str) -> bool:
    """Return whether a return of a locked order was recorded before, for this event or another one."""


@statement("""
    WITH returned AS (
        UPDATE orders SET has_returns = true WHERE order_id = $order.order_id::uuid AND NOT has_returns
    )
    UPDATE order_lines
    SET returned = after.returned, returned_minor = after.refunded_minor,
        returned_marketplace_minor = after.returned_marketplace_minor
    FROM unnest(
        $lines.line_number::integer[], $lines.returned::integer[], $lines.refunded_minor::bigint[],
        $lines.returned_marketplace_minor::bigint[]
    ) AS after (line_number, returned, refunded_minor, returned_marketplace_minor)
    WHERE order_id = $order.order_id::uuid AND order_lines.line_number = after.line_number
""")
async def save_returned_lines(tx: Transaction, order: Order, lines: Collection[SoldLine]) -> None:
    """Save what came back of a locked order: `lines` are its lines after a return.

    A constraint of the table refuses more units than were sold.
    """


@statement("SELECT DISTINCT return_id FROM unsettled_returns")
async def find_unsettled_returns(sql: Any) -> frozenset[str]:
    """Return the returns of before `return_settled` that inventory or payments may not have read."""


@statement("""
    DELETE FROM unsettled_returns WHERE order_id = $order_id::uuid AND return_id = $return_id::text
    RETURNING true
""")
async def settle_return(tx: Transaction, order_id: str, return_id: str) -> bool:
    """Record that such a return is settled; return False if it was before."""


@statement("""
    WITH recorded AS (
        INSERT INTO order_steps (order_id, step, occurred_at, about)
        SELECT $order.order_id::uuid, 'refunded', $step.occurred_at::timestamptz, $step.about::text
        WHERE NOT EXISTS (
            SELECT FROM order_steps
            WHERE order_id = $order.order_id::uuid AND step = 'refunded' AND about = $step.about::text
        )
        RETURNING order_id
    )
    UPDATE orders
    SET refunded_minor = least(refunded_minor + $amount_minor::bigint, amount_minor),
        payment_status = CASE
            WHEN refunded_minor + $amount_minor::bigint >= amount_minor THEN 'refunded' ELSE 'captured'
        END
    FROM recorded
    WHERE orders.order_id = recorded.order_id
""")
async def record_refund(tx: Transaction, order: Order, step: StepDetails, amount_minor: int) -> None:
    """Add a refund to the order, once. When the full amount is refunded, the payment becomes `refunded`."""


@statement("UPDATE orders SET payment_status = $to::text WHERE order_id = $order.order_id::uuid")
async def set_payment_status(tx: Transaction, order: Order, to: PaymentStatus) -> None:
    """Set the status of an order's payment."""


@statement("""
    INSERT INTO commission_rules
        (rule_id, position, seller_id, category, rate_bp, minimum_minor, maximum_minor, currency, valid_from)
    VALUES (
        $event.rule_id::uuid, $event.position::bigint, $event.seller_id::text, $event.category::text,
        $event.rate_bp::integer, $event.minimum_minor::bigint, $event.maximum_minor::bigint,
        $event.currency::text, $event.valid_from::timestamptz
    )
    ON CONFLICT (rule_id) DO NOTHING
""")
async def save_rule(tx: Transaction, event: Record) -> None:
    """`commission_rule_added`: lines of orders that are placed from now on may have this commission.

    A rule never changes, so a second copy of its event changes nothing.
    """


PRUNE_KEYS = """
DELETE FROM idempotency_keys
WHERE (shopper_id, key) IN (
    SELECT shopper_id, key FROM idempotency_keys WHERE answered_at < now() - $1::interval LIMIT $2::integer
)
"""
"""Deletes keys, and their stored responses, older than the setting `idempotency_key_days`. A request with a
deleted key is a new checkout."""
