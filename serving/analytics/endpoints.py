"""The addresses under `/v1` that answer with figures."""

from typing import Annotated, Any, Literal

import orjson
from fastapi import APIRouter, Depends, Query
from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.responses import Response

from serving.analytics.answers import BAD_PARAMETER, UNAVAILABLE, UNCHANGED, UNKNOWN_SELLER, Answer
from serving.analytics.parameters import (
    AskedGrain,
    AskedPeriod,
    Cursor,
    SearchText,
    SellerId,
    Service,
    each_once,
)
from serving.analytics.popular import Ranking
from serving.analytics.schemas.orders import Orders
from serving.analytics.schemas.products import PopularProducts, TopProducts
from serving.analytics.schemas.sales import MarketplaceSales, SellerSales
from serving.analytics.schemas.sellers import Sellers
from serving.analytics.service.orders import ORDER_TABLES
from serving.analytics.service.rankings import PRODUCT_TABLES
from serving.analytics.service.sales import MARKETPLACE_TABLES, SELLER_TABLES
from serving.analytics.service.shop import Asked

LIVE_TABLES = (*SELLER_TABLES, *PRODUCT_TABLES, *ORDER_TABLES, *MARKETPLACE_TABLES)

router = APIRouter(
    prefix="/v1", responses=BAD_PARAMETER | UNAVAILABLE | UNCHANGED, dependencies=[Depends(each_once)]
)


@router.get(
    "/sellers/{seller_id}/sales",
    tags=["sellers"],
    summary="What a seller sold",
    response_model=SellerSales,
    responses=UNKNOWN_SELLER,
)
async def seller_sales(
    service: Service, answer: Answer, seller_id: SellerId, asked: AskedPeriod, grain: AskedGrain = None
) -> Response:
    """Totals of a period, its series with empty buckets filled, the period before it, and the change.

    Cancelled orders (also those that were `unavailable`) are part of the sales and stand beside them in
    `cancelled`.
    """
    return answer(await service.sales.of_seller(seller_id, Asked(asked.start, asked.end, grain)))


@router.get(
    "/sellers/{seller_id}/products/top",
    tags=["sellers"],
    summary="A seller's best products",
    response_model=TopProducts,
    responses=UNKNOWN_SELLER,
)
async def seller_top_products(
    service: Service,
    answer: Answer,
    seller_id: SellerId,
    asked: AskedPeriod,
    by: Annotated[
        Literal["revenue", "units", "orders"], Query(description="What makes a product the best.")
    ] = "revenue",
    limit: Annotated[int, Query(ge=1, le=100)] = 10,
) -> Response:
    """The products that sold best in a period."""
    return answer(await service.rankings.top_products(seller_id, asked, by, limit))


@router.get(
    "/sellers/{seller_id}/orders",
    tags=["sellers"],
    summary="A seller's orders",
    response_model=Orders,
    responses=UNKNOWN_SELLER,
)
async def seller_orders(
    service: Service,
    answer: Answer,
    seller_id: SellerId,
    asked: AskedPeriod,
    cursor: Cursor | None = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 20,
) -> Response:
    """Orders with a line of this seller, newest first, with this seller's lines and parcels only.

    Without `from` and `to` the list goes back to the first order.
    """
    return answer(await service.orders.of_seller(seller_id, asked, cursor, limit))


@router.get(
    "/sellers",
    tags=["sellers"],
    summary="Find sellers",
    response_model=Sellers,
)
async def sellers(
    service: Service,
    answer: Answer,
    q: SearchText = "",
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
) -> Response:
    """Sellers that match, best-selling first; without `q` all of them."""
    return answer(await service.rankings.find_sellers(q, limit))


@router.get(
    "/marketplace/sales",
    tags=["marketplace"],
    summary="What all sellers sold",
    response_model=MarketplaceSales,
)
async def marketplace_sales(
    service: Service, answer: Answer, asked: AskedPeriod, grain: AskedGrain = None
) -> Response:
    """The whole marketplace, in the shape of a seller's sales, with active sellers and payments.

    Orders without lines count here and with no seller. Payments count when they were captured.
    """
    return answer(await service.sales.of_marketplace(Asked(asked.start, asked.end, grain)))


@router.get(
    "/products/popular",
    tags=["products"],
    summary="The most popular products right now",
    response_model=PopularProducts,
)
async def popular_products(
    service: Service,
    answer: Answer,
    ranking: Annotated[
        Ranking, Query(description="`popular` forgets half in 30 days, `trending` in 7.")
    ] = "popular",
    n: Annotated[int, Query(ge=1, le=200, description="How many.")] = 20,
) -> Response:
    """Products by recency-weighted units sold, kept up to date with every order."""
    return answer(await service.rankings.popular(ranking, n))


@router.get(
    "/live", tags=["marketplace"], summary="Know when there is something new", include_in_schema=False
)
async def live(service: Service) -> EventSourceResponse:
    """Server-sent events: `progress` with `as_of` and the tables that moved, now and whenever one does."""

    async def events() -> Any:
        async for as_of, moved in service.shop.progress.changes(LIVE_TABLES):
            said = orjson.dumps({"as_of": service.shop.local(as_of), "moved": moved})
            yield ServerSentEvent(event="progress", data=said.decode())

    return EventSourceResponse(events(), ping=15, headers={"Cache-Control": "no-store"})
