"""`/v1/orders`: placing an order, tracking it, cancelling it."""

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from common.content_type import JSON, has_json_content_type
from common.ids import is_uuid7
from producers.http.endpoint import json_response, parse_body, transaction, transactions
from producers.http.problems import NotJson
from producers.orders import store
from producers.orders.cancellation import cancel_order
from producers.orders.checkout import check_out
from producers.orders.presenters import present_order
from producers.orders.problems import BadIdempotencyKey, TooLateToCancel, UnknownOrder
from producers.orders.schemas import ORDER_REQUEST, OrderResponse

NAME = "orders"
MAX_KEY_CHARS = 255

router = APIRouter(prefix="/v1/orders", tags=[NAME])


@router.post("", status_code=202, response_model=OrderResponse)
async def place(request: Request) -> Response:
    """Place an order. The response means that it is stored; `Location` shows when it is confirmed."""
    key = request.headers.get("Idempotency-Key", "")
    if not (0 < len(key) <= MAX_KEY_CHARS and key.isascii() and key.isprintable()):
        raise BadIdempotencyKey
    order = await parse_body(request, ORDER_REQUEST)
    response, repeated = await check_out(
        transactions(request, NAME), key, order, request.headers.get("traceparent")
    )
    headers = {"Location": f"/v1/orders/{response.order_id}", "Cache-Control": "no-store"}
    if repeated:
        headers["Idempotent-Replayed"] = "true"
    return Response(response.answer, 202, headers, JSON)


@router.get("/{order_id}", response_model=OrderResponse)
async def show(request: Request, order_id: str) -> Response:
    """An order: its status, lines, payment and history."""
    async with transactions(request, NAME).connection() as sql:
        return json_response(present_order(await _find(sql, order_id)))


@router.post("/{order_id}/cancellation", status_code=202, response_model=OrderResponse)
async def cancel(request: Request, order_id: str) -> Response:
    """Cancel an order of which nothing is shipped or returned. A repeated request changes nothing.

    The body is ignored.
    """
    if not has_json_content_type(request.headers):
        raise NotJson
    if not is_uuid7(order_id):
        raise UnknownOrder(order_id)
    async with transaction(request, NAME, order_id) as tx:
        order = await store.lock_order(tx, order_id)
        if order is None:
            raise UnknownOrder(order_id)
        if not await cancel_order(tx, order, "shopper_request") and order.status != "cancelled":
            raise TooLateToCancel(order.status, order.has_returns)
        return json_response(present_order(await _find(tx.sql, order_id)), 202)


async def _find(sql: Any, order_id: str) -> dict[str, Any]:
    order = await store.find_order(sql, order_id) if is_uuid7(order_id) else None
    if order is None:
        raise UnknownOrder(order_id)
    return order
