"""Places an order at the catalogue's prices, lowered by vouchers, or says what it would cost."""

from collections.abc import Sequence
from dataclasses import asdict, astuple, dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

import orjson

from common.ids import new_id
from common.metrics import ORDERS
from producers.kit.http.endpoint import to_json
from producers.kit.outbox.trace import Trace
from producers.kit.outbox.transaction import OUTBOX, Transactions
from producers.kit.throttles import Subjects, attempt_succeeded, begin_attempt
from producers.services.orders import store, voucher_store
from producers.services.orders.model import OrderedLine, OrderLine, amount_minor, priced
from producers.services.orders.problems import KEY_REUSED, TOTAL_MOVED
from producers.services.orders.schemas import (
    OrderPayment,
    OrderRequest,
    OrderStep,
    Quote,
    QuoteRequest,
    ShopperOrder,
)
from producers.services.orders.store import Checkout, StoredResponse
from producers.services.orders.vouchers import (
    TOO_MANY_GUESSES,
    VOUCHER_REFUSED,
    Discounted,
    discounted,
)


@dataclass(frozen=True, slots=True)
class Buyer:
    """Who orders.

    `owners` are the shopper ids of this person, the first of which is the order's. `subjects` are those whose
    guesses of codes are counted. `session_id` is the visit, which the event names.
    """

    owners: Sequence[str]
    subjects: Subjects
    session_id: str | None
    traceparent: str | None

    @property
    def shopper_id(self) -> str:
        """The shopper whose order it is."""
        return self.owners[0]


async def check_out(
    transactions: Transactions, key: str, buyer: Buyer, order: OrderRequest
) -> tuple[StoredResponse, bool]:
    """Return the response to a checkout, and whether it repeats the response to an earlier request.

    A key belongs to the buyer: another person's request with the same key has nothing to do with it. All ids
    count, so that a person who signs in between two attempts of a checkout buys once.

    The event is encoded before the statement that commits it: if the encoding fails, no order is placed.

    Raises:
        Problem: the key was used with another body, or the order can't be placed as requested.
        one of `producers.kit.postgres.errors.TRANSIENT`: the order was placed, or nothing was done. A retry
            with the same key returns the order's response.
    """
    await _count_guesses(transactions, buyer, order.voucher_codes)
    async with transactions.connection() as sql:
        now = transactions.clock()
        found = await store.find_checkout(sql, key, buyer.owners, order.lines, order.currency, now)
        if found.stored:
            return _same_order(found.stored, order), True
        bought = await _bought(sql, found, buyer, order, now)
        _require_as_seen(bought, order)
        placed = _placed(new_id(), buyer.shopper_id, order, bought.lines, now)
        digest = _digest(buyer.shopper_id, order)
        response = StoredResponse(placed.order_id, digest, to_json(placed), buyer.shopper_id)
        event = {
            "order_id": placed.order_id,
            "shopper_id": buyer.shopper_id,
            "currency": order.currency,
            "lines": [asdict(line) for line in bought.lines],
            "session_id": buyer.session_id,
        }
        trace = Trace.start(placed.order_id, buyer.traceparent)
        message = transactions.events.write("order_placed", now, trace, event)
        arguments = (key, response, placed, buyer.session_id, order.payment, bought.lines, message)
        if bought.used:
            async with sql.transaction():
                is_placed = await store.place(sql, *arguments, has_vouchers=True)
                if is_placed:
                    await voucher_store.use(sql, bought.used, placed.order_id, buyer.owners, now)
        else:
            is_placed = await store.place(sql, *arguments, has_vouchers=False)
        if is_placed:
            await transactions.notifier.notify(sql, [OUTBOX])
            ORDERS.labels("placed").inc()
            return response, False
        return _same_order(await store.find_stored_response(sql, key, buyer.shopper_id), order), True


async def quote(transactions: Transactions, buyer: Buyer, order: QuoteRequest) -> Quote:
    """Return what an order would cost now, and what each voucher does to it.

    Raises:
        Problem: a line can't be ordered, or too many codes were guessed.
    """
    await _count_guesses(transactions, buyer, order.voucher_codes)
    async with transactions.connection() as sql:
        now = transactions.clock()
        found = await store.find_checkout(sql, None, buyer.owners, order.lines, order.currency, now)
        bought = await _bought(sql, found, buyer, order, now)
    lines = bought.lines
    return Quote(
        currency=order.currency,
        lines=_shown(lines),
        items_minor=sum(line.quantity * line.unit_price_minor for line in lines),
        discount_minor=sum(line.discount_minor + (line.marketplace_minor or 0) for line in lines),
        shipping_minor=sum(line.shipping_minor for line in lines),
        tax_minor=sum(line.tax_minor for line in lines),
        total_minor=amount_minor(lines),
        vouchers=bought.outcomes,
    )


async def _count_guesses(transactions: Transactions, buyer: Buyer, codes: Sequence[str]) -> None:
    """Count the codes of a request as a wrong guess if there is one that no voucher has.

    Raises:
        TOO_MANY_GUESSES: the buyer, or others at the same address, have to wait.
    """
    if codes:
        async with transactions.begin(Trace.start(buyer.shopper_id, buyer.traceparent)) as tx:
            await begin_attempt(tx, buyer.subjects, TOO_MANY_GUESSES)
            if await voucher_store.are_known(tx, sorted(set(codes))):
                await attempt_succeeded(tx, buyer.subjects)


async def _bought(
    sql: Any, found: Checkout, buyer: Buyer, order: OrderRequest | QuoteRequest, now: datetime
) -> Discounted:
    """Return the lines of an order as they are bought now.

    Raises:
        Problem: a line can't be ordered.
    """
    lines = priced(order.lines, found.offers, order.currency)
    if not order.voucher_codes and not found.has_automatic_vouchers:
        return Discounted(lines, [], [])
    sellers = sorted({line.seller_id for line in lines})
    vouchers = await voucher_store.find_usable(
        sql, order.voucher_codes, sellers, buyer.owners, order.currency, now
    )
    categories = {(each.line_number, each.offer.seller_id): each.offer.category for each in found.offers}
    of_line = {line.line_number: categories[line.line_number, line.seller_id] for line in lines}
    return discounted(lines, of_line, vouchers, order.voucher_codes, order.currency, now)


def _require_as_seen(bought: Discounted, order: OrderRequest) -> None:
    """Check that each entered code takes effect, and that the order costs no more than the shopper saw.

    Raises:
        VOUCHER_REFUSED, TOTAL_MOVED: it is not so.
    """
    for outcome in bought.outcomes:
        if outcome.problem is not None:
            raise VOUCHER_REFUSED(code=outcome.code, flaw=outcome.problem)
    total_minor = amount_minor(bought.lines)
    if order.amount_minor is not None and total_minor > order.amount_minor:
        raise TOTAL_MOVED(amount_minor=total_minor, currency=order.currency)


def _placed(
    order_id: str, shopper_id: str, request: OrderRequest, lines: Sequence[OrderedLine], now: datetime
) -> ShopperOrder:
    due_minor = amount_minor(lines)
    return ShopperOrder(
        order_id=order_id,
        shopper_id=shopper_id,
        status="placed",
        cancellation_reason=None,
        currency=request.currency,
        placed_at=now,
        history=[OrderStep("placed", now, None, None, None)],
        lines=_shown(lines),
        payment=OrderPayment("pending" if due_minor else "free", request.payment.method, due_minor, 0),
    )


def _shown(lines: Sequence[OrderedLine]) -> list[OrderLine]:
    """Return lines without their commission, which is not the shopper's."""
    return [OrderLine(*astuple(line)[:-1]) for line in lines]


def _same_order(stored: StoredResponse, order: OrderRequest) -> StoredResponse:
    """Return the stored response of a key, if it was the response to the same order.

    Raises:
        KEY_REUSED: it was not.
    """
    if stored.request_sha256 != _digest(order.shopper_id or stored.key_owner, order):
        raise KEY_REUSED()
    return stored


def _digest(shopper_id: str, order: OrderRequest) -> bytes:
    """Return the digest of an order's content, independent of the order of its fields.

    What later releases added counts only if it is given: so a retry of a checkout from before is the same.
    """
    added = {"voucher_codes", "amount_minor"}
    content = order.model_dump(exclude={name for name in added if not getattr(order, name)})
    given = content | {"shopper_id": shopper_id}
    return sha256(orjson.dumps(given, option=orjson.OPT_SORT_KEYS)).digest()
