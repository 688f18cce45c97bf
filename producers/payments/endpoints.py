"""`/v1/orders/{order_id}/payment`: the payment of an order, and its end if the order was not paid in time."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from common.guarded_route import guarded
from common.ids import is_uuid7
from producers.http.endpoint import json_response, transaction, transactions
from producers.payments import store
from producers.payments.policy import POLICIES
from producers.payments.problems import UnknownPayment
from producers.payments.schemas import ClosingResponse, PaymentResponse

NAME = "payments"

router = APIRouter(prefix="/v1/orders", tags=[NAME], route_class=guarded(POLICIES))


@router.get("/{order_id}/payment", response_model=PaymentResponse)
async def show(request: Request, order_id: str) -> Response:
    """The payment of an order, with its refunds."""
    async with transactions(request, NAME).connection() as sql:
        payment = await store.find_payment(sql, order_id) if is_uuid7(order_id) else None
    if payment is None:
        raise UnknownPayment(order_id)
    return json_response(payment)


@router.post("/{order_id}/payment/closing", response_model=ClosingResponse)
async def close(request: Request, order_id: str) -> Response:
    """Close the payment of an order whose reservation has expired, unless money was or may have been taken.

    Inventory asks before it releases the units. A repetition has the same answer, or a later one: what is
    closed stays closed.
    """
    if not is_uuid7(order_id):
        raise UnknownPayment(order_id)
    async with transaction(request, NAME, order_id) as tx:
        closed = await store.close_unpaid(tx, order_id)
    return json_response({"closed": closed})
