"""`/v1/products/{product_id}/stock` and `/v1/stock`: what there is, as the sellers count it."""

from collections.abc import Sequence

from fastapi import APIRouter, Request
from starlette.responses import Response

from producers.http.endpoint import answer, read, transaction, transactions
from producers.inventory import store
from producers.inventory.counting import Counted, count
from producers.inventory.model import Key, Stock
from producers.inventory.problems import UnknownStock
from producers.inventory.schemas import STOCK_SENT, STOCKS_SENT, Id, StockShown

NAME = "inventory"

router = APIRouter(prefix="/v1", tags=[NAME])


@router.get("/products/{product_id}/stock", response_model=StockShown)
async def show(request: Request, product_id: Id, seller_id: Id | None = None) -> Response:
    """The stock of a product: of this seller, or of whoever has most to sell."""
    async with transactions(request, NAME).connection() as sql:
        stock = await store.find_stock(sql, product_id, seller_id)
    if stock is None:
        raise UnknownStock(product_id, seller_id)
    return answer(shown(stock))


@router.put("/products/{product_id}/stock", response_model=StockShown)
async def set_one(request: Request, product_id: Id) -> Response:
    """Say how many units a seller has now. Units that orders hold stay held."""
    sent = await read(request, STOCK_SENT)
    (stock,) = await _count(request, product_id, [Counted(Key(product_id, sent.seller_id), sent.on_hand)])
    return answer(shown(stock))


@router.put("/stock", response_model=list[StockShown])
async def set_many(request: Request) -> Response:
    """The same for a list of products: all of it or nothing."""
    sent = await read(request, STOCKS_SENT)
    counted = [Counted(Key(one.product_id, one.seller_id), one.on_hand) for one in sent]
    return answer([shown(stock) for stock in await _count(request, sent[0].seller_id, counted)])


async def _count(request: Request, about: str, counted: Sequence[Counted]) -> list[Stock]:
    async with transaction(request, NAME, about) as tx:
        return await count(tx, counted)


def shown(stock: Stock) -> StockShown:
    """Stock as the API shows it."""
    return {
        "product_id": stock.key.product_id,
        "seller_id": stock.key.seller_id,
        "on_hand": stock.on_hand,
        "reserved": stock.reserved,
        "available": stock.available,
        "version": stock.version,
    }
