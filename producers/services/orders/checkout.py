"""Places an order: reads the offers, prices the lines, and commits everything in one statement."""

from collections.abc import Sequence
from hashlib import sha256

import orjson

from common.ids import new_id
from common.metrics import ORDERS
from producers.kit.http.endpoint import to_json
from producers.kit.outbox.message import OutboxMessage
from producers.kit.outbox.trace import Trace
from producers.kit.outbox.transaction import OUTBOX, Transactions
from producers.services.orders import store
from producers.services.orders.model import amount_minor, priced
from producers.services.orders.presenters import present_placed_order
from producers.services.orders.problems import KeyReused
from producers.services.orders.schemas import OrderRequest
from producers.services.orders.store import Checkout, StoredResponse


async def check_out(
    transactions: Transactions,
    key: str,
    owners: Sequence[str],
    order: OrderRequest,
    session_id: str | None,
    traceparent: str | None,
) -> tuple[StoredResponse, bool]:
    """Return the response to a checkout, and whether it repeats the response to an earlier request.

    `owners` are the shopper ids of the person who buys, the one for this order first. A key belongs to them:
    another person's request with the same key has nothing to do with it. All ids count, so that a person who
    signs in between two attempts of a checkout buys once. `session_id` is the visit, which the event names.

    The event is encoded before the statement that commits it: if the encoding fails, no order is placed.

    Raises:
        Problem: the key was used with another body, or the order can't be placed as requested.
        one of `producers.kit.postgres.errors.TRANSIENT`: the order was placed, or nothing was done. A retry
            with the same key returns the order's response.
    """
    shopper_id = owners[0]
    requested = [line.requested() for line in order.lines]
    async with transactions.connection() as sql:
        now = transactions.clock()
        stored, offers = await store.find_checkout(sql, key, owners, requested, now)
        if stored:
            return _same_order(stored, order), True
        lines = priced(requested, offers, order.currency)
        order_id = new_id()
        checkout = Checkout(
            key=key,
            response=StoredResponse(
                order_id,
                _digest(shopper_id, order),
                to_json(present_placed_order(order_id, shopper_id, order, lines, now)),
                shopper_id,
            ),
            shopper_id=shopper_id,
            session_id=session_id,
            currency=order.currency,
            amount_minor=amount_minor(lines),
            payment=order.payment,
            placed_at=now,
            lines=lines,
        )
        trace = Trace.start(order_id, traceparent)
        if await store.place(sql, checkout, _order_placed(transactions, checkout, trace)):
            await transactions.notifier.notify(sql, [OUTBOX])
            ORDERS.labels("placed").inc()
            return checkout.response, False
        return _same_order(await store.find_stored_response(sql, key, shopper_id), order), True


def _order_placed(transactions: Transactions, checkout: Checkout, trace: Trace) -> OutboxMessage:
    fields = {
        "order_id": checkout.response.order_id,
        "shopper_id": checkout.shopper_id,
        "currency": checkout.currency,
        "lines": [line.as_event() for line in checkout.lines],
        "session_id": checkout.session_id,
    }
    return transactions.events.write("order_placed", checkout.placed_at, trace, fields)


def _same_order(stored: StoredResponse, order: OrderRequest) -> StoredResponse:
    """Return the stored response of a key, if it was the response to the same order.

    Raises:
        KeyReused: it was not.
    """
    if stored.request_sha256 != _digest(order.shopper_id or stored.key_owner, order):
        raise KeyReused
    return stored


def _digest(shopper_id: str, order: OrderRequest) -> bytes:
    """Return the digest of an order's content, independent of the order of its fields."""
    content = order.model_dump() | {"shopper_id": shopper_id}
    return sha256(orjson.dumps(content, option=orjson.OPT_SORT_KEYS)).digest()
