"""`/v1/orders`: placing an order, following it, calling it off."""

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from common.ids import is_uuid7
from common.json_bodies import JSON, calls_itself_json
from producers.http.endpoint import answer, read, transaction, transactions
from producers.http.problems import NotJson
from producers.orders import store
from producers.orders.cancelling import cancel
from producers.orders.checkout import check_out
from producers.orders.problems import BadIdempotencyKey, TooLateToCancel, UnknownOrder
from producers.orders.schemas import ORDER_SENT, OrderShown
from producers.orders.shown import kept_order

NAME = "orders"
LONGEST_KEY = 255

router = APIRouter(prefix="/v1/orders", tags=[NAME])


@router.post("", status_code=202, response_model=OrderShown)
async def place(request: Request) -> Response:
    """Take an order: safe once answered, and confirmed or cancelled within moments. See `Location`."""
    key = request.headers.get("Idempotency-Key", "")
    if not (0 < len(key) <= LONGEST_KEY and key.isascii() and key.isprintable()):
        raise BadIdempotencyKey
    sent = await read(request, ORDER_SENT)
    answered, repeated = await check_out(
        transactions(request, NAME), key, sent, request.headers.get("traceparent")
    )
    headers = {"Location": f"/v1/orders/{answered.order_id}", "Cache-Control": "no-store"}
    if repeated:
        headers["Idempotent-Replayed"] = "true"
    return Response(answered.answer, 202, headers, JSON)


@router.get("/{order_id}", response_model=OrderShown)
async def show(request: Request, order_id: str) -> Response:
    """How far an order has come, its lines, its payment, and when what happened."""
    async with transactions(request, NAME).connection() as sql:
        return answer(kept_order(await _find(sql, order_id)))


@router.post("/{order_id}/cancellation", status_code=202, response_model=OrderShown)
async def call_off(request: Request, order_id: str) -> Response:
    """Cancel what has not been shipped. Asking again changes nothing. What the body says is not asked."""
    if not calls_itself_json(request.headers):
        raise NotJson
    if not is_uuid7(order_id):
        raise UnknownOrder(order_id)
    async with transaction(request, NAME, order_id) as tx:
        order = await store.lock_order(tx, order_id)
        if order is None:
            raise UnknownOrder(order_id)
        if not await cancel(tx, order, "shopper_request") and order.status != "cancelled":
            raise TooLateToCancel(order.status)
        return answer(kept_order(await _find(tx.sql, order_id)), 202)


async def _find(sql: Any, order_id: str) -> dict[str, Any]:
    order = await store.find_order(sql, order_id) if is_uuid7(order_id) else None
    if order is None:
        raise UnknownOrder(order_id)
    return order
