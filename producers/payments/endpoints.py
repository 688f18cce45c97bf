"""`/v1/orders/{order_id}/payment`: the payment of an order."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from common.guarded_route import guarded
from common.ids import is_uuid7
from producers.http.endpoint import json_response, transactions
from producers.payments import store
from producers.payments.policy import POLICIES
from producers.payments.problems import UnknownPayment
from producers.payments.schemas import PaymentResponse

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
