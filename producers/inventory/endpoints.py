"""`/v1/products/{product_id}/stock` and `/v1/stock`: the sellers' stock."""

from collections.abc import Collection, Sequence

from fastapi import APIRouter, Request
from starlette.responses import Response

from common.access_policy import NotYours
from common.guarded_route import guarded
from common.ids import Id
from common.principal import Principal
from producers.http.endpoint import json_response, parse_body, transaction, transactions
from producers.http.guard import principal_of
from producers.inventory import store
from producers.inventory.adjustments import StockCount, set_stock
from producers.inventory.model import Stock, StockKey
from producers.inventory.policy import POLICIES, STOCK_KEEPERS
from producers.inventory.problems import UnknownStock
from producers.inventory.schemas import STOCK_LIST_REQUEST, STOCK_REQUEST, StockResponse

NAME = "inventory"

router = APIRouter(prefix="/v1", tags=[NAME], route_class=guarded(POLICIES))


@router.get("/products/{product_id}/stock", response_model=StockResponse)
async def show(request: Request, product_id: Id, seller_id: Id | None = None) -> Response:
    """The stock of a product: of this seller, or of the seller with the most available units."""
    async with transactions(request, NAME).connection() as sql:
        stock = await store.find_stock(sql, product_id, seller_id)
    if stock is None:
        raise UnknownStock(product_id, seller_id)
    return json_response(present_stock(stock))


@router.put("/products/{product_id}/stock", response_model=StockResponse)
async def set_one(request: Request, product_id: Id) -> Response:
    """Set how many units a seller has now. Units that are reserved for orders stay reserved."""
    body = await parse_body(request, STOCK_REQUEST)
    (stock,) = await _set_stock(
        request, product_id, [StockCount(StockKey(product_id, body.seller_id), body.on_hand)]
    )
    return json_response(present_stock(stock))


@router.put("/stock", response_model=list[StockResponse])
async def set_many(request: Request) -> Response:
    """Set the stock of a list of products, all of it or nothing."""
    body = await parse_body(request, STOCK_LIST_REQUEST)
    counts = [StockCount(StockKey(each.product_id, each.seller_id), each.on_hand) for each in body]
    return json_response(
        [present_stock(stock) for stock in await _set_stock(request, body[0].seller_id, counts)]
    )


async def _set_stock(request: Request, about: str, counts: Sequence[StockCount]) -> list[Stock]:
    check_sellers(principal_of(request), {count.key.seller_id for count in counts})
    async with transaction(request, NAME, about) as tx:
        return await set_stock(tx, counts)


def check_sellers(principal: Principal, seller_ids: Collection[str]) -> None:
    """Check that a principal may set the stock of these sellers.

    Raises:
        NotYours: it does not keep the stock of one of them.
    """
    if principal.roles & {"admin", "platform"}:
        return
    if any(principal.sellers.get(seller_id) not in STOCK_KEEPERS.staff for seller_id in seller_ids):
        raise NotYours


def present_stock(stock: Stock) -> StockResponse:
    """Return the API's response for a stock row."""
    return {
        "product_id": stock.key.product_id,
        "seller_id": stock.key.seller_id,
        "on_hand": stock.on_hand,
        "reserved": stock.reserved,
        "available": stock.available,
        "version": stock.version,
    }
