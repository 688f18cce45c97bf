"""`/v1/orders`: placing an order, listing one's own, tracking one, cancelling it."""

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from common.content_type import JSON, has_json_content_type
from common.guarded_route import guarded
from common.ids import is_uuid7
from common.principal import Principal
from producers.http.endpoint import json_response, parse_body, transaction, transactions
from producers.http.guard import principal_of
from producers.http.idempotency import is_valid_key
from producers.http.problems import NotJson
from producers.orders import store
from producers.orders.cancellation import cancel_order
from producers.orders.checkout import check_out
from producers.orders.order_list import list_orders
from producers.orders.policy import POLICIES
from producers.orders.presenters import present_order
from producers.orders.problems import BadIdempotencyKey, NotYourShopper, TooLateToCancel, UnknownOrder
from producers.orders.schemas import (
    EXPORT_REQUEST,
    ORDER_REQUEST,
    PAYMENT_DETAILS_REQUEST,
    ExportResponse,
    OrderRequest,
    OrderResponse,
    OrdersResponse,
    PaymentDetailsResponse,
)

NAME = "orders"
MAX_CURSOR_CHARS = 200
MAX_ORDERS = 100
"""The largest number of orders in a page of a list."""

router = APIRouter(prefix="/v1/orders", tags=[NAME], route_class=guarded(POLICIES))


@router.post("", status_code=202, response_model=OrderResponse)
async def place(request: Request) -> Response:
    """Place an order. The response means that it is stored; `Location` shows when it is confirmed."""
    key = request.headers.get("Idempotency-Key", "")
    if not is_valid_key(key):
        raise BadIdempotencyKey
    order = await parse_body(request, ORDER_REQUEST)
    principal = principal_of(request)
    shopper_id = shopper_of(order, principal)
    key_owners = [shopper_id, *(each for each in principal.shopper_ids if each != shopper_id)]
    response, repeated = await check_out(
        transactions(request, NAME),
        key,
        key_owners,
        order,
        session_of(order, principal),
        request.headers.get("traceparent"),
    )
    headers = {"Location": f"/v1/orders/{response.order_id}", "Cache-Control": "no-store"}
    if repeated:
        headers["Idempotent-Replayed"] = "true"
    return Response(response.answer, 202, headers, JSON)


@router.get("", response_model=OrdersResponse)
async def list_own(
    request: Request,
    cursor: Annotated[str | None, Query(max_length=MAX_CURSOR_CHARS)] = None,
    limit: Annotated[int, Query(ge=1, le=MAX_ORDERS)] = 20,
) -> Response:
    """The orders of the sender, the newest first: those of the person, and of their time as a guest."""
    shopper_ids = principal_of(request).shopper_ids
    async with transactions(request, NAME).connection() as sql:
        return json_response(await list_orders(sql, shopper_ids, cursor, limit))


@router.post("/exports", response_model=ExportResponse)
async def export(request: Request) -> Response:
    """Every order of the shopper ids of a person, whom the users service gives all that is kept of them."""
    body = await parse_body(request, EXPORT_REQUEST)
    async with transactions(request, NAME).connection() as sql:
        return json_response({"orders": await store.export_orders(sql, body.shopper_ids)})


@router.post("/payment_details", response_model=PaymentDetailsResponse)
async def payment_details(request: Request) -> Response:
    """How orders are paid that are neither confirmed nor cancelled.

    Payments asks before it charges. No event has the token, because topics keep their messages.
    """
    body = await parse_body(request, PAYMENT_DETAILS_REQUEST)
    async with transactions(request, NAME).connection() as sql:
        return json_response({"payments": await store.find_payment_details(sql, body.order_ids)})


@router.get("/{order_id}", response_model=OrderResponse)
async def show(request: Request, order_id: str) -> Response:
    """An order: its status, lines, payment and history."""
    async with transactions(request, NAME).connection() as sql:
        return json_response(present_order(await _find(sql, order_id, principal_of(request))))


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
        principal = principal_of(request)
        order = await store.lock_order(tx, order_id, owners(principal))
        if order is None:
            raise UnknownOrder(order_id)
        if not await cancel_order(tx, order, "shopper_request") and order.status != "cancelled":
            raise TooLateToCancel(order.status, order.has_returns)
        return json_response(present_order(await _find(tx.sql, order_id, principal)), 202)


def owners(principal: Principal) -> Sequence[str] | None:
    """Return the shopper ids whose orders a principal may reach; None means all orders."""
    return None if principal.roles & {"admin", "platform"} else principal.shopper_ids


def shopper_of(order: OrderRequest, principal: Principal) -> str:
    """Return who places an order: the principal, or the shopper for whom a process of the platform sends it.

    Raises:
        NotYourShopper: the order names another shopper, or none.
    """
    named = order.shopper_id or principal.shopper_id
    if named is None or not ("platform" in principal.roles or named in principal.shopper_ids):
        raise NotYourShopper
    return named


def session_of(order: OrderRequest, principal: Principal) -> str | None:
    """Return the visit in which an order is placed; None if the order names none, or that of somebody else.

    The event is kept for ever, so only ids that the gateway or a process of the platform made may be in it:
    any other text could tell who the sender is (docs/decisions/erasure.md). A browser's visit is one of the
    sender's shopper ids: the id of a guest, which a sign-in makes one of the person's.
    """
    is_own = "platform" in principal.roles or order.session_id in principal.shopper_ids
    return order.session_id if is_own else None


async def _find(sql: Any, order_id: str, principal: Principal) -> dict[str, Any]:
    order = await store.find_order(sql, order_id, owners(principal)) if is_uuid7(order_id) else None
    if order is None:
        raise UnknownOrder(order_id)
    return order
