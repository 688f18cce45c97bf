"""The addresses under `/v1` that the commerce services answer, passed on as they come."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request
from starlette.responses import Response

from common.ids import PRINTABLE
from serving.shop.commerce import Commerce
from serving.shop.documented import NOT_JSON, problem, sends
from serving.shop.endpoints import ProductId
from serving.shop.schemas.orders import OrderSent, ShopperOrder
from serving.shop.schemas.stock import Stock, StockSet, StocksSet

ORDER_LIMIT = 64 * 1024
"""Bytes of an order: hundreds of lines."""

STOCK_LIMIT = 1024 * 1024
"""Bytes of a list of stock: thousands of products."""

EXAMPLE_ORDER = {
    "shopper_id": "shopper-000001",
    "currency": "BRL",
    "payment": {"method": "credit_card", "token": "tok_visa"},
    "lines": [{"product_id": "product-000001", "quantity": 1}],
}
EXAMPLE_STOCK = {"seller_id": "seller-0001", "on_hand": 25}

AWAY = problem(503, "The commerce services do not answer; the detail says whether to send the same again.")
REFUSED = problem(422, "The request can't be used; the detail says what is wrong with it.")
TOO_LARGE = problem(413, "The body is over this address' limit.")
NO_KEY = problem(400, "The `Idempotency-Key` is missing, or no key.")
CONFLICT = problem(409, "The `Idempotency-Key` came with another body before, or a price has moved.")
UNKNOWN_ORDER = problem(404, "Nobody knows this order.")
UNKNOWN_PRODUCT = problem(404, "Nobody knows this product.")

router = APIRouter(prefix="/v1")


async def _commerce(request: Request) -> Commerce:
    commerce: Commerce = request.app.state.commerce
    return commerce


Till = Annotated[Commerce, Depends(_commerce)]
OrderId = Annotated[
    str, Path(description="The order's id.", examples=["0193b0c4-7a51-7cc2-9d0e-5f2b7f0a1c11"])
]
OfSeller = Annotated[
    str | None,
    Query(
        min_length=1,
        max_length=128,
        pattern=PRINTABLE,
        description="Left out: whoever has most of it to sell.",
    ),
]


@router.post(
    "/orders",
    tags=["orders"],
    summary="Buy",
    status_code=202,
    response_model=ShopperOrder,
    responses=AWAY | REFUSED | TOO_LARGE | NOT_JSON | NO_KEY | CONFLICT,
    openapi_extra=sends(OrderSent, EXAMPLE_ORDER, key=True),
)
async def place_order(request: Request, till: Till) -> Response:
    """Takes an order; `Location` is where it is followed.

    The answer comes as soon as the order is safe. That its stock is reserved, it is paid, and so confirmed or
    cancelled, follows within moments. Prices are the shop's own: what is sent is only compared.
    """
    return await till.forward(request, ORDER_LIMIT)


@router.get(
    "/orders/{order_id}",
    tags=["orders"],
    summary="Follow an order",
    response_model=ShopperOrder,
    responses=AWAY | UNKNOWN_ORDER,
)
async def order(request: Request, till: Till, order_id: OrderId) -> Response:  # noqa: ARG001
    """How far an order has come, its lines, its payment, and when what happened."""
    return await till.forward(request)


@router.post(
    "/orders/{order_id}/cancellation",
    tags=["orders"],
    summary="Cancel an order",
    status_code=202,
    response_model=ShopperOrder,
    responses=AWAY
    | UNKNOWN_ORDER
    | REFUSED
    | TOO_LARGE
    | NOT_JSON
    | problem(409, "It has been shipped already."),
    openapi_extra=sends(dict[str, Any], {}),
)
async def cancel_order(request: Request, till: Till, order_id: OrderId) -> Response:  # noqa: ARG001
    """Cancels what has not been shipped: its stock comes back, and what was paid is refunded. Send `{}`."""
    return await till.forward(request, ORDER_LIMIT)


@router.get(
    "/products/{product_id}/stock",
    tags=["stock"],
    summary="What is in stock",
    response_model=Stock,
    responses=AWAY | REFUSED | UNKNOWN_PRODUCT,
)
async def stock(
    request: Request,
    till: Till,
    product_id: ProductId,  # noqa: ARG001
    seller_id: OfSeller = None,  # noqa: ARG001
) -> Response:
    """How many units of a product there are, as the inventory service knows at this moment."""
    return await till.forward(request)


@router.put(
    "/products/{product_id}/stock",
    tags=["stock"],
    summary="Set the stock of a product",
    response_model=Stock,
    responses=AWAY | REFUSED | TOO_LARGE | NOT_JSON | UNKNOWN_PRODUCT,
    openapi_extra=sends(StockSet, EXAMPLE_STOCK),
)
async def set_stock(request: Request, till: Till, product_id: ProductId) -> Response:  # noqa: ARG001
    """Says how many units a seller has now. Units that orders hold stay held."""
    return await till.forward(request, ORDER_LIMIT)


@router.put(
    "/stock",
    tags=["stock"],
    summary="Set the stock of many products",
    response_model=list[Stock],
    responses=AWAY | REFUSED | TOO_LARGE | NOT_JSON,
    openapi_extra=sends(StocksSet, [{"product_id": "product-000001", **EXAMPLE_STOCK}]),
)
async def set_stocks(request: Request, till: Till) -> Response:
    """The same for a list of products, all in one go or none."""
    return await till.forward(request, STOCK_LIMIT)
