"""`/v1/products/{product_id}/stock` and `/v1/stock`: the sellers' stock, which is public."""

from collections.abc import Collection, Sequence
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from starlette.responses import Response

from common.access_policy import NotYours, allow, anyone
from common.guarded_route import policy
from common.ids import Id
from common.openapi import openapi_problem
from common.principal import Principal
from producers.kit.http.endpoint import json_response, transaction, transactions
from producers.kit.http.guard import principal_of
from producers.kit.http.problems import require
from producers.kit.http.routes import LIST_LIMIT, JsonBody, PublicRoute, SellerPath
from producers.services.inventory import changes, store
from producers.services.inventory.model import Stock, StockOfProduct, StockUpdate, StockUpdates
from producers.services.inventory.problems import UNKNOWN_STOCK
from producers.services.inventory.restock import RestockNeeds, find_needs

NAME = "inventory"

MAX_LISTED = 100
"""Limit of products whose stock a request asks for."""

STOCK_KEEPERS = allow(
    "seller",
    "admin",
    "platform",
    traffic="write",
    staff=("owner", "manager", "fulfilment"),
    scope="stock:write",
)
EXAMPLE_STOCK = {"seller_id": "seller-0001", "on_hand": 25}
OTHERS_STOCK = openapi_problem(404, "There is no such product, or the seller is not one of the sender's.")

ProductId = Annotated[Id, Path(description="The product's id.", examples=["product-000001"])]

router = APIRouter(prefix="/v1", tags=["stock"], route_class=PublicRoute)


@router.get(
    "/products/{product_id}/stock",
    summary="The stock of a product",
    response_model=Stock,
    responses=openapi_problem(404, "No product has this id."),
)
@policy(anyone("read"))
async def stock(
    request: Request,
    product_id: ProductId,
    seller_id: Annotated[
        Id | None, Query(description="Default: the seller with the most units available.")
    ] = None,
) -> Response:
    """Return the units of a product that the inventory service has at this moment."""
    async with transactions(request, NAME).connection() as sql:
        found = await store.find_stock(sql, product_id, seller_id)
    of_seller = f" of seller {seller_id!r}" if seller_id else ""
    return json_response(require(found, UNKNOWN_STOCK(product_id=product_id, of_seller=of_seller)))


@router.put(
    "/products/{product_id}/stock",
    summary="Set the stock of a product",
    response_model=Stock,
    responses=OTHERS_STOCK,
)
@policy(STOCK_KEEPERS)
async def set_stock(
    request: Request, product_id: ProductId, body: Annotated[StockUpdate, JsonBody(EXAMPLE_STOCK)]
) -> Response:
    """Set the units that a seller has on hand. Units that are reserved for orders stay reserved."""
    count = StockOfProduct(product_id=product_id, seller_id=body.seller_id, on_hand=body.on_hand)
    (stock,) = await _set_stock(request, product_id, [count])
    return json_response(stock)


@router.put(
    "/stock",
    summary="Set the stock of many products",
    response_model=list[Stock],
    responses=OTHERS_STOCK,
)
@policy(STOCK_KEEPERS)
async def set_stocks(
    request: Request,
    body: Annotated[
        StockUpdates, JsonBody([{"product_id": "product-000001", **EXAMPLE_STOCK}], limit=LIST_LIMIT)
    ],
) -> Response:
    """Set the stock of a list of products. If one entry is refused, none is set."""
    return json_response(await _set_stock(request, body[0].seller_id, body))


@router.get("/sellers/{seller_id}/stock", summary="A seller's stock of several products")
@policy(anyone("read"))
async def stock_of_seller(
    request: Request,
    seller_id: SellerPath,
    product_id: Annotated[
        list[Id], Query(min_length=1, max_length=MAX_LISTED, description="Repeated: one for each product.")
    ],
) -> list[Stock]:
    """Return the stock that a seller has of these products; a product without stock is left out."""
    async with transactions(request, NAME).connection() as sql:
        return await store.find_stock_of_seller(sql, seller_id, product_id)


@router.get("/sellers/{seller_id}/restock", summary="What needs more stock")
@policy(allow("seller", "admin", traffic="read", seller_parameter="seller_id"))
async def restock(request: Request, seller_id: SellerPath) -> RestockNeeds:
    """Return the products that sell out soon, the most urgent first, each with a quantity to order."""
    async with transactions(request, NAME).connection() as sql:
        return {"needs": await find_needs(sql, seller_id)}


async def _set_stock(request: Request, about: str, counts: Sequence[StockOfProduct]) -> list[Stock]:
    check_sellers(principal_of(request), {count.seller_id for count in counts})
    async with transaction(request, NAME, about) as tx:
        return await changes.set_stock(tx, counts)


def check_sellers(principal: Principal, seller_ids: Collection[str]) -> None:
    """Check that a principal may set the stock of these sellers.

    Raises:
        NotYours: it does not keep the stock of one of them.
    """
    if principal.roles & {"admin", "platform"}:
        return
    if any(principal.sellers.get(seller_id) not in STOCK_KEEPERS.staff for seller_id in seller_ids):
        raise NotYours
