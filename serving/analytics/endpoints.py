"""The addresses under `/v1` that answer with figures."""

from typing import Annotated, Any, Literal

import orjson
from fastapi import APIRouter, Depends, Path, Query, Request
from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.responses import Response

from serving.analytics import schemas
from serving.analytics.periods import Grain
from serving.analytics.popular import Ranking
from serving.analytics.service import MARKETPLACE_TABLES, ORDER_TABLES, SELLER_TABLES, Analytics, Asked
from serving.problems import ProblemDetails

EXAMPLE_SELLER = "6560211a19b47992c3666cc44a7e94c0"
LIVE_TABLES = (*SELLER_TABLES, *ORDER_TABLES, *MARKETPLACE_TABLES)


def _problem(description: str) -> dict[str, Any]:
    content = {"application/problem+json": {"schema": ProblemDetails.model_json_schema()}}
    return {"description": description, "content": content}


Responses = dict[int | str, dict[str, Any]]

BAD_PARAMETER: Responses = {422: _problem("A parameter can't be used; the detail says which and why.")}
UNKNOWN_SELLER: Responses = {404: _problem("Nobody knows this seller.")}
UNAVAILABLE: Responses = {503: _problem("A store does not answer; try again after `Retry-After` seconds.")}

router = APIRouter(prefix="/v1", responses=BAD_PARAMETER | UNAVAILABLE)


def _analytics(request: Request) -> Analytics:
    analytics: Analytics = request.app.state.analytics
    return analytics


Service = Annotated[Analytics, Depends(_analytics)]
SellerId = Annotated[
    str,
    Path(
        min_length=1,
        max_length=128,
        pattern=r"^[^\x00-\x1f\x7f]+$",
        description="The seller's id.",
        examples=[EXAMPLE_SELLER],
    ),
]


def _asked(
    start: Annotated[
        str | None,
        Query(
            alias="from",
            max_length=40,
            description="Inclusive. An ISO date or datetime, in the shop's time zone unless it has an "
            "offset; to the minute. Left out: 30 days before `to`.",
            examples=["2018-08-01"],
        ),
    ] = None,
    end: Annotated[
        str | None,
        Query(
            alias="to",
            max_length=40,
            description="Exclusive. Left out: the end of the newest day that has data.",
            examples=["2018-09-01"],
        ),
    ] = None,
) -> Asked:
    return Asked(start, end)


AskedPeriod = Annotated[Asked, Depends(_asked)]
AskedGrain = Annotated[
    Grain | None,
    Query(
        description="Length of a bucket; weeks begin on Monday. Left out: what suits the period.",
        examples=["day"],
    ),
]


def _json(answer: object) -> Response:
    return Response(
        orjson.dumps(answer), headers={"Cache-Control": "no-cache"}, media_type="application/json"
    )


@router.get(
    "/sellers/{seller_id}/sales",
    tags=["sellers"],
    summary="What a seller sold",
    response_model=schemas.SellerSales,
    responses=UNKNOWN_SELLER,
)
async def seller_sales(
    service: Service, seller_id: SellerId, asked: AskedPeriod, grain: AskedGrain = None
) -> Response:
    """Totals of a period, its series with empty buckets filled, the period before it, and the change.

    Cancelled orders are part of the sales and stand beside them in `cancelled`.
    """
    return _json(await service.seller_sales(seller_id, Asked(asked.start, asked.end, grain)))


@router.get(
    "/sellers/{seller_id}/products/top",
    tags=["sellers"],
    summary="A seller's best products",
    response_model=schemas.TopProducts,
    responses=UNKNOWN_SELLER,
)
async def seller_top_products(
    service: Service,
    seller_id: SellerId,
    asked: AskedPeriod,
    by: Annotated[
        Literal["revenue", "units", "orders"], Query(description="What makes a product the best.")
    ] = "revenue",
    limit: Annotated[int, Query(ge=1, le=100)] = 10,
) -> Response:
    """The products that sold best in a period."""
    return _json(await service.top_products(seller_id, asked, by, limit))


@router.get(
    "/sellers/{seller_id}/orders",
    tags=["sellers"],
    summary="A seller's orders",
    response_model=schemas.Orders,
    responses=UNKNOWN_SELLER,
)
async def seller_orders(
    service: Service,
    seller_id: SellerId,
    asked: AskedPeriod,
    cursor: Annotated[
        str | None, Query(max_length=400, description="`next_cursor` of the page before.")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 20,
) -> Response:
    """Orders with a line of this seller, newest first, with this seller's lines only.

    Without `from` and `to` the list goes back to the first order.
    """
    return _json(await service.orders(seller_id, asked, cursor, limit))


@router.get(
    "/sellers",
    tags=["sellers"],
    summary="Find sellers",
    response_model=schemas.Sellers,
)
async def sellers(
    service: Service,
    q: Annotated[
        str,
        Query(
            max_length=80,
            pattern=r"^[^\x00-\x1f\x7f]*$",
            description="The beginning of an id, a state, or a part of a name or city.",
            examples=["campinas"],
        ),
    ] = "",
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
) -> Response:
    """Sellers that match, best-selling first; without `q` all of them."""
    return _json(await service.find_sellers(q, limit))


@router.get(
    "/marketplace/sales",
    tags=["marketplace"],
    summary="What all sellers sold",
    response_model=schemas.MarketplaceSales,
)
async def marketplace_sales(service: Service, asked: AskedPeriod, grain: AskedGrain = None) -> Response:
    """The whole marketplace, in the shape of a seller's sales, with active sellers and payments.

    Orders without lines count here and with no seller. Payments count when they were captured.
    """
    return _json(await service.marketplace_sales(Asked(asked.start, asked.end, grain)))


@router.get(
    "/products/popular",
    tags=["products"],
    summary="The most popular products right now",
    response_model=schemas.PopularProducts,
)
async def popular_products(
    service: Service,
    ranking: Annotated[
        Ranking, Query(description="`popular` forgets half in 30 days, `trending` in 7.")
    ] = "popular",
    n: Annotated[int, Query(ge=1, le=200, description="How many.")] = 20,
) -> Response:
    """Products by recency-weighted units sold, kept up to date with every order."""
    return _json(await service.popular(ranking, n))


@router.get(
    "/live", tags=["marketplace"], summary="Know when there is something new", include_in_schema=False
)
async def live(service: Service) -> EventSourceResponse:
    """Server-sent events: `progress` with `as_of`, now and whenever it moves."""

    async def events() -> Any:
        async for moment in service.progress.changes(LIVE_TABLES):
            shown = moment.astimezone(service.zone).isoformat() if moment else None
            yield ServerSentEvent(event="progress", data=orjson.dumps({"as_of": shown}).decode())

    return EventSourceResponse(events(), ping=15, headers={"Cache-Control": "no-store"})
