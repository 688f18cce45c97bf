"""The routes under `/v1` that forward requests to the commerce services."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from starlette.responses import Response

from common.ids import Id
from serving.commerce.forwarding import (
    BODY_LIMIT,
    TOO_LARGE,
    UNAVAILABLE,
    UNUSABLE,
    CommerceDep,
)
from serving.commerce.policy import POLICIES
from serving.commerce.schemas.orders import OrderRequest, ShopperOrder, ShopperOrders
from serving.commerce.schemas.stock import Stock, StockUpdate, StockUpdates
from serving.gateway.described_routes import guarded
from serving.kit.openapi import NOT_JSON, json_request_body, openapi_problem
from serving.kit.parameters import ProductId

STOCK_LIMIT = 1024 * 1024
"""The largest body of a stock list in bytes: thousands of products."""

EXAMPLE_ORDER = {
    "currency": "BRL",
    "payment": {"method": "credit_card", "token": "tok_visa"},
    "lines": [{"product_id": "product-000001", "quantity": 1}],
}
EXAMPLE_STOCK = {"seller_id": "seller-0001", "on_hand": 25}

BAD_KEY = openapi_problem(400, "The `Idempotency-Key` is missing or invalid.")
CONFLICT = openapi_problem(409, "The `Idempotency-Key` was used with another body, or a price has changed.")
UNKNOWN_ORDER = openapi_problem(404, "No order has this id.")
UNKNOWN_PRODUCT = openapi_problem(404, "No product has this id.")
OTHERS_STOCK = openapi_problem(404, "There is no such product, or the seller is not one of the sender's.")

router = APIRouter(route_class=guarded(POLICIES, takes_key=True), prefix="/v1")


OrderId = Annotated[
    Id, Path(description="The order's id.", examples=["0193b0c4-7a51-7cc2-9d0e-5f2b7f0a1c11"])
]
StockSeller = Annotated[
    Id | None,
    Query(
        description="Default: the seller with the most units available.",
    ),
]


@router.post(
    "/orders",
    tags=["orders"],
    summary="Place an order",
    status_code=202,
    response_model=ShopperOrder,
    responses=UNAVAILABLE | UNUSABLE | TOO_LARGE | NOT_JSON | BAD_KEY | CONFLICT,
    openapi_extra=json_request_body(OrderRequest, EXAMPLE_ORDER, idempotency_key=True),
)
async def place_order(request: Request, commerce: CommerceDep) -> Response:
    """Place an order. `Location` is the address of the order.

    The response is sent once the order is stored. Reserving its stock and charging the payment follow within
    seconds, and the order is then confirmed or cancelled. The shop's own prices apply. A price in the request
    is only compared with them.
    """
    return await commerce.forward(request, BODY_LIMIT)


@router.get(
    "/orders",
    tags=["orders"],
    summary="Your orders",
    response_model=ShopperOrders,
    responses=UNAVAILABLE | UNUSABLE,
)
async def own_orders(
    request: Request,
    commerce: CommerceDep,
    cursor: Annotated[  # noqa: ARG001
        str | None, Query(max_length=200, description="`next_cursor` of the previous page.")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,  # noqa: ARG001
) -> Response:
    """Return the sender's own orders, the newest first, also those of a person's time as a guest."""
    return await commerce.forward(request)


@router.get(
    "/orders/{order_id}",
    tags=["orders"],
    summary="Follow an order",
    response_model=ShopperOrder,
    responses=UNAVAILABLE | UNKNOWN_ORDER,
)
async def order(request: Request, commerce: CommerceDep, order_id: OrderId) -> Response:  # noqa: ARG001
    """Return the status, lines, payment and history of an order."""
    return await commerce.forward(request)


@router.post(
    "/orders/{order_id}/cancellation",
    tags=["orders"],
    summary="Cancel an order",
    status_code=202,
    response_model=ShopperOrder,
    responses=UNAVAILABLE
    | UNKNOWN_ORDER
    | UNUSABLE
    | TOO_LARGE
    | NOT_JSON
    | openapi_problem(409, "The order has been shipped already."),
    openapi_extra=json_request_body(dict[str, Any], {}),
)
async def cancel_order(request: Request, commerce: CommerceDep, order_id: OrderId) -> Response:  # noqa: ARG001
    """Cancel an order that has not been shipped. Its stock is released, its payment refunded. Send `{}`."""
    return await commerce.forward(request, BODY_LIMIT)


@router.get(
    "/products/{product_id}/stock",
    tags=["stock"],
    summary="The stock of a product",
    response_model=Stock,
    responses=UNAVAILABLE | UNUSABLE | UNKNOWN_PRODUCT,
)
async def stock(
    request: Request,
    commerce: CommerceDep,
    product_id: ProductId,  # noqa: ARG001
    seller_id: StockSeller = None,  # noqa: ARG001
) -> Response:
    """Return the units of a product that the inventory service has at this moment."""
    return await commerce.forward(request)


@router.put(
    "/products/{product_id}/stock",
    tags=["stock"],
    summary="Set the stock of a product",
    response_model=Stock,
    responses=UNAVAILABLE | UNUSABLE | TOO_LARGE | NOT_JSON | OTHERS_STOCK,
    openapi_extra=json_request_body(StockUpdate, EXAMPLE_STOCK),
)
async def set_stock(request: Request, commerce: CommerceDep, product_id: ProductId) -> Response:  # noqa: ARG001
    """Set the units that a seller has on hand. Units that are reserved for orders stay reserved."""
    return await commerce.forward(request, BODY_LIMIT)


@router.put(
    "/stock",
    tags=["stock"],
    summary="Set the stock of many products",
    response_model=list[Stock],
    responses=UNAVAILABLE | UNUSABLE | TOO_LARGE | NOT_JSON | OTHERS_STOCK,
    openapi_extra=json_request_body(StockUpdates, [{"product_id": "product-000001", **EXAMPLE_STOCK}]),
)
async def set_stocks(request: Request, commerce: CommerceDep) -> Response:
    """Set the stock of a list of products. If one entry is refused, none is set."""
    return await commerce.forward(request, STOCK_LIMIT)
