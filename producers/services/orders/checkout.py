"""Places an order: reads the offers, prices the lines, and commits everything in one statement."""

from collections.abc import Sequence
from dataclasses import asdict, astuple
from datetime import datetime
from hashlib import sha256

import orjson

from common.ids import new_id
from common.metrics import ORDERS
from producers.kit.http.endpoint import to_json
from producers.kit.outbox.trace import Trace
from producers.kit.outbox.transaction import OUTBOX, Transactions
from producers.services.orders import store
from producers.services.orders.model import OrderedLine, OrderLine, amount_minor, priced
from producers.services.orders.problems import KEY_REUSED
from producers.services.orders.schemas import OrderPayment, OrderRequest, OrderStep, ShopperOrder
from producers.services.orders.store import StoredResponse


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
    async with transactions.connection() as sql:
        now = transactions.clock()
        stored, offers = await store.find_checkout(sql, key, owners, order.lines, now)
        if stored:
            return _same_order(stored, order), True
        lines = priced(order.lines, offers, order.currency)
        placed = _placed(new_id(), shopper_id, order, lines, now)
        digest = _digest(shopper_id, order)
        response = StoredResponse(placed.order_id, digest, to_json(placed), shopper_id)
        event = {
            "order_id": placed.order_id,
            "shopper_id": shopper_id,
            "currency": order.currency,
            "lines": [asdict(line) for line in lines],
            "session_id": session_id,
        }
        trace = Trace.start(placed.order_id, traceparent)
        message = transactions.events.write("order_placed", now, trace, event)
        if await store.place(sql, key, response, placed, session_id, order.payment, lines, message):
            await transactions.notifier.notify(sql, [OUTBOX])
            ORDERS.labels("placed").inc()
            return response, False
        return _same_order(await store.find_stored_response(sql, key, shopper_id), order), True


def _placed(
    order_id: str, shopper_id: str, request: OrderRequest, lines: Sequence[OrderedLine], now: datetime
) -> ShopperOrder:
    return ShopperOrder(
        order_id=order_id,
        shopper_id=shopper_id,
        status="placed",
        cancellation_reason=None,
        currency=request.currency,
        placed_at=now,
        history=[OrderStep("placed", now, None, None, None)],
        lines=[OrderLine(*astuple(line)[:-1]) for line in lines],  # the commission is not the shopper's
        payment=OrderPayment("pending", request.payment.method, amount_minor(lines), 0),
    )


def _same_order(stored: StoredResponse, order: OrderRequest) -> StoredResponse:
    """Return the stored response of a key, if it was the response to the same order.

    Raises:
        KEY_REUSED: it was not.
    """
    if stored.request_sha256 != _digest(order.shopper_id or stored.key_owner, order):
        raise KEY_REUSED()
    return stored


def _digest(shopper_id: str, order: OrderRequest) -> bytes:
    """Return the digest of an order's content, independent of the order of its fields."""
    content = order.model_dump() | {"shopper_id": shopper_id}
    return sha256(orjson.dumps(content, option=orjson.OPT_SORT_KEYS)).digest()
