"""Places an order: read what it needs, decide, commit all of it in one statement."""

from hashlib import sha256

import orjson

from common.ids import new_id
from common.metrics import ORDERS
from producers.http.endpoint import as_bytes
from producers.orders import store
from producers.orders.model import amount_minor, priced
from producers.orders.problems import KeyReused
from producers.orders.schemas import OrderSent
from producers.orders.shown import placed_order
from producers.orders.store import Answered, Checkout
from producers.outbox.message import Message
from producers.outbox.trace import Trace
from producers.outbox.transaction import OUTBOX, Transactions


async def check_out(
    transactions: Transactions, key: str, sent: OrderSent, traceparent: str | None
) -> tuple[Answered, bool]:
    """The answer to a checkout, and whether an earlier request with this key had it.

    The event is encoded before the statement that commits it, so one that can't be encoded places no order.

    Raises:
        Problem: the key came with another body, or the order can't be had so.
        one of `producers.postgres.errors.AWAY`: nothing was done, or all of it; a retry finds out.
    """
    digest = _digest(sent)
    async with transactions.connection() as sql:
        answered, offers = await store.find_checkout(sql, key, (line.product_id for line in sent.lines))
        if answered:
            return _same(answered, digest), True
        lines = priced([line.wanted() for line in sent.lines], offers, sent.currency)
        order_id, now = new_id(), transactions.clock()
        checkout = Checkout(
            key=key,
            answered=Answered(order_id, digest, as_bytes(placed_order(order_id, sent, lines, now))),
            shopper_id=sent.shopper_id,
            session_id=sent.session_id,
            currency=sent.currency,
            amount_minor=amount_minor(lines),
            payment=sent.payment,
            placed_at=now,
            lines=lines,
        )
        trace = Trace.begun(order_id, traceparent)
        if await store.place(sql, checkout, _order_placed(transactions, checkout, trace)):
            await transactions.waking.wake(sql, [OUTBOX])
            ORDERS.labels("placed").inc()
            return checkout.answered, False
        return _same(await store.find_answer(sql, key), digest), True


def _order_placed(transactions: Transactions, checkout: Checkout, trace: Trace) -> Message:
    fields = {
        "order_id": checkout.answered.order_id,
        "shopper_id": checkout.shopper_id,
        "currency": checkout.currency,
        "lines": [line.as_event() for line in checkout.lines],
    }
    return transactions.events.write("order_placed", checkout.placed_at, trace, fields)


def _same(answered: Answered, digest: bytes) -> Answered:
    if answered.request_sha256 != digest:
        raise KeyReused
    return answered


def _digest(sent: OrderSent) -> bytes:
    """Of what a body says, however it is written."""
    return sha256(orjson.dumps(sent.model_dump(), option=orjson.OPT_SORT_KEYS)).digest()
