"""`/v1/orders/{order_id}/payment`: the payment of an order, and its end if the order was not paid in time.

A shopper sees the payment as a part of the order: the gateway offers none of these routes.
"""

from fastapi import APIRouter, Request
from starlette.responses import Response
from typing_extensions import TypedDict

from common.access_policy import allow
from common.guarded_route import policy
from common.ids import is_uuid7
from common.problems import problem
from producers.kit.http.endpoint import json_response, transaction, transactions
from producers.kit.http.problems import require
from producers.kit.http.routes import PLATFORM, ServiceRoute
from producers.services.payments import store
from producers.services.payments.settlement import close_unpaid
from producers.services.payments.store import PaymentResponse

NAME = "payments"

UNKNOWN_PAYMENT = problem(
    404,
    "unknown-payment",
    "Unknown payment",
    "There is no payment for order {order_id!r}. If the order is new, try again in a moment.",
)


class ClosingResponse(TypedDict):
    """Whether nothing was taken for an order, and nothing will be."""

    closed: bool


router = APIRouter(prefix="/v1/orders", route_class=ServiceRoute)


@router.get("/{order_id}/payment", response_model=PaymentResponse)
@policy(allow("admin", "platform", traffic="read"))
async def show(request: Request, order_id: str) -> Response:
    """The payment of an order, with its refunds."""
    async with transactions(request, NAME).connection() as sql:
        payment = await store.find_payment(sql, order_id) if is_uuid7(order_id) else None
    return json_response(require(payment, UNKNOWN_PAYMENT(order_id=order_id)))


@router.post("/{order_id}/payment/closing", response_model=ClosingResponse)
@policy(PLATFORM)
async def close(request: Request, order_id: str) -> Response:
    """Close the payment of an order whose reservation has expired, unless money was or may have been taken.

    Inventory asks before it releases the units. A repetition has the same answer, or a later one: what is
    closed stays closed.
    """
    require(is_uuid7(order_id), UNKNOWN_PAYMENT(order_id=order_id))
    async with transaction(request, NAME, order_id) as tx:
        closed = await close_unpaid(tx, order_id)
    return json_response({"closed": closed})
