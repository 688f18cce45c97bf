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
from producers.kit.http.endpoint import context, json_response, require_json, transaction, transactions
from producers.kit.http.guard import address_of, principal_of, session_of, shopper_of
from producers.kit.http.idempotency import is_valid_key
from producers.kit.http.pages import Cursor, Limit, Position, cut_page
from producers.kit.http.problems import require
from producers.kit.http.routes import LIST_LIMIT, PLATFORM, JsonBody, PublicRoute, ServiceRoute
from producers.kit.http.strict_request import ExportRequest
from producers.kit.throttles import FREE_FAILURES, FREE_FAILURES_OF_ADDRESS, SubjectNames, Subjects
from producers.services.orders import store
from producers.services.orders.checkout import Buyer, check_out, quote
from producers.services.orders.handlers import cancel_locked, confirm_locked
from producers.services.orders.problems import (
    BAD_IDEMPOTENCY_KEY,
    NOT_FREE,
    PARTLY_RETURNED,
    TOO_LATE_TO_CANCEL,
    UNKNOWN_ORDER,
)
from producers.services.orders.schemas import (
    ExportResponse,
    OrderRequest,
    PaymentDetailsRequest,
    PaymentDetailsResponse,
    Quote,
    QuoteRequest,
    ShopperOrder,
    ShopperOrders,
)
from producers.services.orders.voucher_endpoints import router as vouchers

NAME = "orders"

EXAMPLE_ORDER = {
    "currency": "BRL",
    "payment": {"method": "credit_card", "token": "tok_visa"},
    "lines": [{"product_id": "product-000001", "quantity": 1}],
}
EXAMPLE_QUOTE = {name: EXAMPLE_ORDER[name] for name in ("currency", "lines")}
GUESSED = openapi_problem(429, "Too many codes were guessed; `Retry-After` says how long to wait.")
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
    | openapi_problem(
        409,
        "The `Idempotency-Key` had another body, a price has changed, or a voucher has no effect.",
    )
    | GUESSED,
)
@policy(allow("guest", "shopper", "platform", traffic="checkout", handles_idempotency_key=True))
async def place_order(
    request: Request, order: Annotated[OrderRequest, JsonBody(EXAMPLE_ORDER, LIST_LIMIT)]
) -> Response:
    """Place an order. `Location` is the address of the order.

    The response is sent once the order is stored. Reserving its stock and charging the payment follow within
    seconds, and the order is then confirmed or cancelled. The shop's own prices apply. A price in the request
    is only compared with them. Each voucher that is named has to take effect; `POST /v1/orders/quotes` says
    whether it does.
    """
    key = request.headers.get("Idempotency-Key", "")
    require(is_valid_key(key), BAD_IDEMPOTENCY_KEY())
    buyer = _buyer(request, order.shopper_id, session_of(order.session_id, request))
    response, repeated = await check_out(transactions(request, NAME), key, buyer, order)
    headers = {"Location": f"/v1/orders/{response.order_id}", "Cache-Control": "no-store"}
    if repeated:
        headers["Idempotent-Replayed"] = "true"
    return Response(response.answer, 202, headers, JSON)


@public.post("/quotes", summary="What an order would cost", responses=GUESSED)
@policy(allow("guest", "shopper", "platform", traffic="read"))
async def quote_order(
    request: Request, order: Annotated[QuoteRequest, JsonBody(EXAMPLE_QUOTE, LIST_LIMIT)]
) -> Quote:
    """Return what these lines would cost now, with these vouchers and those that apply by themselves.

    `vouchers` says of each code what it saves, or why it has no effect. Nothing is reserved.
    """
    return await quote(transactions(request, NAME), _buyer(request, order.shopper_id, None), order)


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


@internal.post("/{order_id}/confirmation", status_code=204)
@policy(PLATFORM)
async def confirm_free_order(
    request: Request,
    order_id: OrderId,
    _ignored: Annotated[dict[str, Any], JsonBody({}, read=require_json)],
) -> None:
    """Confirm an order that costs nothing. Payments asks for it once the units are reserved."""
    async with transaction(request, NAME, order_id) as tx:
        order = require(await store.lock_order(tx, order_id), UNKNOWN_ORDER(order_id=order_id))
        require(order.amount_minor == 0, NOT_FREE(order_id=order_id))
        await confirm_locked(tx, order)


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


def _buyer(request: Request, named: str | None, session_id: str | None) -> Buyer:
    """Return for whom a request orders: its sender, or the shopper whom a process of the platform names.

    Raises:
        NOT_YOUR_SHOPPER: it names another shopper, or a process of the platform names none.
    """
    principal = principal_of(request)
    shopper_id = shopper_of(named, principal)
    owners = [shopper_id, *(each for each in principal.shopper_ids if each != shopper_id)]
    names: SubjectNames = context(request, NAME)
    subjects: Subjects = {names.of("codes", shopper_id.encode()): FREE_FAILURES}
    if "platform" not in principal.roles:
        subjects = {**subjects, names.address(address_of(request)): FREE_FAILURES_OF_ADDRESS}
    return Buyer(owners, subjects, session_id, request.headers.get("traceparent"))


def owners(principal: Principal) -> Sequence[str] | None:
    """Return the shopper ids whose orders a principal may reach; None means all orders."""
    return None if principal.roles & {"admin", "platform"} else principal.shopper_ids


async def _find(sql: Any, order_id: str, principal: Principal) -> ShopperOrder:
    order = await store.find_order(sql, order_id, owners(principal)) if is_uuid7(order_id) else None
    return require(order, UNKNOWN_ORDER(order_id=order_id))


router = APIRouter()
router.include_router(public)
router.include_router(internal)
router.include_router(vouchers)
