"""`/v1/orders`: placing an order, listing one's own, tracking one, cancelling it."""

from collections.abc import Sequence
from dataclasses import asdict, astuple
from datetime import datetime
from hashlib import sha256
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Path, Request
from starlette.responses import Response

from common.access_policy import allow
from common.content_type import JSON
from common.guarded_route import policy
from common.ids import Id, is_uuid7, new_id
from common.metrics import ORDERS
from common.openapi import openapi_problem
from common.principal import Principal
from producers.kit.http.endpoint import json_response, require_json, to_json, transaction, transactions
from producers.kit.http.guard import principal_of, session_of, shopper_of
from producers.kit.http.idempotency import is_valid_key
from producers.kit.http.pages import Cursor, Limit, Position, cut_page
from producers.kit.http.problems import require
from producers.kit.http.routes import LIST_LIMIT, PLATFORM, JsonBody, PublicRoute, ServiceRoute
from producers.kit.http.strict_request import ExportRequest
from producers.kit.outbox.trace import Trace
from producers.kit.outbox.transaction import OUTBOX, Transactions
from producers.services.orders import store
from producers.services.orders.handlers import cancel_locked
from producers.services.orders.model import OrderedLine, OrderLine, amount_minor, priced
from producers.services.orders.problems import (
    BAD_IDEMPOTENCY_KEY,
    KEY_REUSED,
    PARTLY_RETURNED,
    TOO_LATE_TO_CANCEL,
    UNKNOWN_ORDER,
)
from producers.services.orders.schemas import (
    ExportResponse,
    OrderPayment,
    OrderRequest,
    OrderStep,
    PaymentDetailsRequest,
    PaymentDetailsResponse,
    ShopperOrder,
    ShopperOrders,
)
from producers.services.orders.store import StoredResponse

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
async def place_order(
    request: Request, order: Annotated[OrderRequest, JsonBody(EXAMPLE_ORDER, LIST_LIMIT)]
) -> Response:
    """Place an order. `Location` is the address of the order.

    The response is sent once the order is stored. Reserving its stock and charging the payment follow within
    seconds, and the order is then confirmed or cancelled. The shop's own prices apply. A price in the request
    is only compared with them.
    """
    key = request.headers.get("Idempotency-Key", "")
    require(is_valid_key(key), BAD_IDEMPOTENCY_KEY())
    principal = principal_of(request)
    shopper_id = shopper_of(order.shopper_id, principal)
    key_owners = [shopper_id, *(each for each in principal.shopper_ids if each != shopper_id)]
    response, repeated = await check_out(
        transactions(request, NAME),
        key,
        key_owners,
        order,
        session_of(order.session_id, request),
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
@policy(PLATFORM)
async def export(request: Request, body: Annotated[ExportRequest, JsonBody()]) -> ExportResponse:
    """Every order of the shopper ids of a person, whom the users service gives all that is kept of them."""
    async with transactions(request, NAME).connection() as sql:
        return {"orders": await store.export_orders(sql, body.shopper_ids)}


@internal.post("/payment_details", response_model=PaymentDetailsResponse)
@policy(PLATFORM)
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
    require(is_uuid7(order_id), UNKNOWN_ORDER(order_id=order_id))
    async with transaction(request, NAME, order_id) as tx:
        principal = principal_of(request)
        order = require(
            await store.lock_order(tx, order_id, owners(principal)), UNKNOWN_ORDER(order_id=order_id)
        )
        cancelled = await cancel_locked(tx, order, "shopper_request")
        if not cancelled and order.status != "cancelled":  # a repeated request changes nothing
            raise PARTLY_RETURNED() if order.has_returns else TOO_LATE_TO_CANCEL(status=order.status)
        return await _find(tx.sql, order_id, principal)


def owners(principal: Principal) -> Sequence[str] | None:
    """Return the shopper ids whose orders a principal may reach; None means all orders."""
    return None if principal.roles & {"admin", "platform"} else principal.shopper_ids


async def _find(sql: Any, order_id: str, principal: Principal) -> ShopperOrder:
    order = await store.find_order(sql, order_id, owners(principal)) if is_uuid7(order_id) else None
    return require(order, UNKNOWN_ORDER(order_id=order_id))


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
        response = StoredResponse(placed.order_id, _digest(shopper_id, order), to_json(placed), shopper_id)
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


router = APIRouter()
router.include_router(public)
router.include_router(internal)
