"""`/v1/orders`: placing an order, listing one's own, tracking one, cancelling it."""

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from starlette.responses import Response

from common.access_policy import allow
from common.content_type import JSON
from common.guarded_route import policy
from common.ids import Id, is_uuid7
from common.openapi import openapi_problem
from common.principal import Principal
from producers.kit.http.endpoint import json_response, require_json, transaction, transactions
from producers.kit.http.guard import principal_of, shopper_of
from producers.kit.http.idempotency import is_valid_key
from producers.kit.http.pages import Cursor, Limit, Position, cut_page
from producers.kit.http.routes import JsonBody, PublicRoute, ServiceRoute
from producers.services.orders import store
from producers.services.orders.checkout import check_out
from producers.services.orders.handlers import cancel_locked
from producers.services.orders.problems import (
    BAD_IDEMPOTENCY_KEY,
    PARTLY_RETURNED,
    TOO_LATE_TO_CANCEL,
    UNKNOWN_ORDER,
)
from producers.services.orders.schemas import (
    ExportRequest,
    ExportResponse,
    OrderRequest,
    PaymentDetailsRequest,
    PaymentDetailsResponse,
    ShopperOrder,
    ShopperOrders,
)

NAME = "orders"

EXAMPLE_ORDER = {
    "currency": "BRL",
    "payment": {"method": "credit_card", "token": "tok_visa"},
    "lines": [{"product_id": "product-000001", "quantity": 1}],
}
NO_ORDER = openapi_problem(404, "No order has this id.")

OrderId = Annotated[
    Id, Path(description="The order's id.", examples=["0193b0c4-7a51-7cc2-9d0e-5f2b7f0a1c11"])
]

public = APIRouter(prefix="/v1/orders", tags=["orders"], route_class=PublicRoute)
internal = APIRouter(prefix="/v1/orders", route_class=ServiceRoute)


@public.post(
    "",
    summary="Place an order",
    status_code=202,
    response_model=ShopperOrder,
    responses=openapi_problem(400, "The `Idempotency-Key` is missing or invalid.")
    | openapi_problem(409, "The `Idempotency-Key` was used with another body, or a price has changed."),
)
@policy(allow("guest", "shopper", "platform", traffic="checkout", handles_idempotency_key=True))
async def place_order(request: Request, order: Annotated[OrderRequest, JsonBody(EXAMPLE_ORDER)]) -> Response:
    """Place an order. `Location` is the address of the order.

    The response is sent once the order is stored. Reserving its stock and charging the payment follow within
    seconds, and the order is then confirmed or cancelled. The shop's own prices apply. A price in the request
    is only compared with them.
    """
    key = request.headers.get("Idempotency-Key", "")
    if not is_valid_key(key):
        raise BAD_IDEMPOTENCY_KEY()
    principal = principal_of(request)
    shopper_id = shopper_of(order.shopper_id, principal)
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


@public.get("", summary="Your orders")
@policy(allow("guest", "shopper", traffic="read"))
async def own_orders(request: Request, cursor: Cursor = None, limit: Limit = 20) -> ShopperOrders:
    """Return the sender's own orders, the newest first, also those of a person's time as a guest."""
    async with transactions(request, NAME).connection() as sql:
        found = await store.find_orders(
            sql, principal_of(request).shopper_ids, Position.of(cursor), limit + 1
        )
    orders, next_cursor = cut_page(found, limit, lambda it: Position(it.placed_at, it.order_id))
    return {"orders": list(orders), "next_cursor": next_cursor}


@internal.post("/exports")
@policy(allow("platform", traffic="operations"))
async def export(request: Request, body: Annotated[ExportRequest, JsonBody()]) -> ExportResponse:
    """Every order of the shopper ids of a person, whom the users service gives all that is kept of them."""
    async with transactions(request, NAME).connection() as sql:
        return {"orders": await store.export_orders(sql, body.shopper_ids)}


@internal.post("/payment_details", response_model=PaymentDetailsResponse)
@policy(allow("platform", traffic="operations"))
async def payment_details(request: Request, body: Annotated[PaymentDetailsRequest, JsonBody()]) -> Response:
    """How orders are paid that are neither confirmed nor cancelled.

    Payments asks before it charges. No event has the token, because topics keep their messages.
    """
    async with transactions(request, NAME).connection() as sql:
        return json_response({"payments": await store.find_payment_details(sql, body.order_ids)})


@public.get("/{order_id}", summary="Follow an order", responses=NO_ORDER)
@policy(allow("guest", "shopper", "admin", "platform", traffic="read"))
async def order(request: Request, order_id: OrderId) -> ShopperOrder:
    """Return the status, lines, payment and history of an order."""
    async with transactions(request, NAME).connection() as sql:
        return await _find(sql, order_id, principal_of(request))


@public.post(
    "/{order_id}/cancellation",
    summary="Cancel an order",
    status_code=202,
    responses=NO_ORDER | openapi_problem(409, "The order has been shipped already."),
)
@policy(allow("guest", "shopper", "admin", "platform", traffic="write"))
async def cancel_order(
    request: Request,
    order_id: OrderId,
    _ignored: Annotated[dict[str, Any], JsonBody({}, read=require_json)],
) -> ShopperOrder:
    """Cancel an order that has not been shipped. Its stock is released, its payment refunded. Send `{}`."""
    if not is_uuid7(order_id):
        raise UNKNOWN_ORDER(order_id=order_id)
    async with transaction(request, NAME, order_id) as tx:
        principal = principal_of(request)
        order = await store.lock_order(tx, order_id, owners(principal))
        if order is None:
            raise UNKNOWN_ORDER(order_id=order_id)
        cancelled = await cancel_locked(tx, order, "shopper_request")
        if not cancelled and order.status != "cancelled":  # a repeated request changes nothing
            raise PARTLY_RETURNED() if order.has_returns else TOO_LATE_TO_CANCEL(status=order.status)
        return await _find(tx.sql, order_id, principal)


def owners(principal: Principal) -> Sequence[str] | None:
    """Return the shopper ids whose orders a principal may reach; None means all orders."""
    return None if principal.roles & {"admin", "platform"} else principal.shopper_ids


def session_of(order: OrderRequest, principal: Principal) -> str | None:
    """Return the visit in which an order is placed; None if the order names none, or that of somebody else.

    The event is kept for ever, so only ids that the gateway or a process of the platform made may be in it:
    any other text could tell who the sender is (docs/decisions/erasure.md). A browser's visit is one of the
    sender's shopper ids: the id of a guest, which a sign-in makes one of the person's.
    """
    is_own = "platform" in principal.roles or order.session_id in principal.shopper_ids
    return order.session_id if is_own else None


async def _find(sql: Any, order_id: str, principal: Principal) -> ShopperOrder:
    order = await store.find_order(sql, order_id, owners(principal)) if is_uuid7(order_id) else None
    if order is None:
        raise UNKNOWN_ORDER(order_id=order_id)
    return order


router = APIRouter()
router.include_router(public)
router.include_router(internal)
