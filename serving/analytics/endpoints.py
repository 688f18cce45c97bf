"""The routes under `/v1` that return the figures and lists of sellers, and sales of the marketplace."""

from collections.abc import Iterator
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Depends, Query, Request
from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.responses import Response

from common.ids import PRINTABLE
from common.signals import SignalKind
from serving.analytics.changes import (
    SALES_CHANGE_CSV,
    ChangeRequest,
    Compare,
    SalesChange,
)
from serving.analytics.dependencies import AnalyticsDep, DashboardsDep
from serving.analytics.orders import (
    ORDER_TABLES,
    ORDERS_CSV,
    Orders,
)
from serving.analytics.policy import POLICIES
from serving.analytics.rankings import (
    PRODUCT_TABLES,
    By,
    PopularProduct,
    PopularProducts,
    SellerFound,
    Sellers,
    TopProduct,
    TopProducts,
)
from serving.analytics.reviews import Review, Reviews, ReviewsRequest
from serving.analytics.sales import MARKETPLACE_TABLES, SELLER_TABLES
from serving.analytics.sales_schemas import Bucket, MarketplaceSales, SellerSales
from serving.analytics.signals import SIGNALS_CSV, SellerSignals, Signals, SignalsRequest
from serving.analytics.tasks import MAX_PARCELS, DueParcel, DueParcels, ParcelLine, SellerTasks
from serving.gateway.described_routes import guarded
from serving.kit.analytics_context import PeriodRequest
from serving.kit.cache.keys import popular_tags
from serving.kit.cached_responses import CachedResponderDep
from serving.kit.parameters import Cursor, GrainParam, PeriodDep, SellerId, reject_repeated_parameters
from serving.kit.rankings import Ranking
from serving.kit.responses import (
    BAD_PARAMETER,
    CSV_RESPONSE,
    UNAVAILABLE,
    UNCHANGED,
    UNKNOWN_SELLER,
    CsvFormat,
    ResponderDep,
    csv_list,
    download,
)

LIVE_TABLES = (*SELLER_TABLES, *PRODUCT_TABLES, *ORDER_TABLES, *MARKETPLACE_TABLES)

SERIES_CSV = csv_list("series", Bucket)
TOP_PRODUCTS_CSV = csv_list("products", TopProduct)
POPULAR_CSV = csv_list("products", PopularProduct)
SELLERS_CSV = csv_list("sellers", SellerFound)

SearchText = Annotated[
    str,
    Query(
        max_length=80,
        pattern=PRINTABLE,
        description="The beginning of an id, a state, or a part of a name or a city.",
        examples=["campinas"],
    ),
]

router = APIRouter(
    route_class=guarded(POLICIES),
    prefix="/v1",
    responses=BAD_PARAMETER | UNAVAILABLE | UNCHANGED,
    dependencies=[Depends(reject_repeated_parameters)],
)


@router.get(
    "/sellers/{seller_id}/sales",
    tags=["sellers"],
    summary="The sales of a seller",
    response_model=SellerSales,
    responses=UNKNOWN_SELLER | CSV_RESPONSE,
)
async def seller_sales(
    dashboards: DashboardsDep,
    respond: ResponderDep,
    seller_id: SellerId,
    requested: PeriodDep,
    grain: GrainParam = None,
) -> Response:
    """Return the totals and the series of a period and of the previous period, and the change.

    Empty buckets are part of the series. Sales include cancelled and `unavailable` orders; `cancelled` has
    their number and amounts. The CSV form has the series only.
    """
    return respond(
        await dashboards.sales_of_seller(seller_id, PeriodRequest(requested.start, requested.end, grain)),
        SERIES_CSV,
    )


@router.get(
    "/sellers/{seller_id}/sales/change",
    tags=["sellers"],
    summary="Why the sales of a seller changed",
    response_model=SalesChange,
    responses=UNKNOWN_SELLER | CSV_RESPONSE,
)
async def seller_sales_change(
    dashboards: DashboardsDep,
    respond: ResponderDep,
    seller_id: SellerId,
    requested: PeriodDep,
    compare: Annotated[
        Compare, Query(description="Compare with the period just before, or the same one a year before.")
    ] = "previous",
    top: Annotated[int, Query(ge=1, le=100, description="How many products and categories to list.")] = 10,
) -> Response:
    """Return what the difference of net sales is made of. Its parts add up to it exactly.

    Prices and quantities are told apart product by product (Bennet), and orders, units per order and price
    as factors of gross sales (LMDI-I). The CSV form has the listed products and the others.
    """
    content = await dashboards.sales_change(seller_id, ChangeRequest(requested, compare, top))
    return respond(content, SALES_CHANGE_CSV)


@router.get(
    "/sellers/{seller_id}/products/top",
    tags=["sellers"],
    summary="A seller's best products",
    response_model=TopProducts,
    responses=UNKNOWN_SELLER | CSV_RESPONSE,
)
async def seller_top_products(
    dashboards: DashboardsDep,
    respond: ResponderDep,
    seller_id: SellerId,
    requested: PeriodDep,
    by: Annotated[
        By,
        Query(
            description="The figure by which products are ranked; `revenue`, the default, is the deprecated "
            "name of `net_sales`."
        ),
    ] = "revenue",
    limit: Annotated[int, Query(ge=1, le=100)] = 10,
) -> Response:
    """Return the products that sold best in a period."""
    return respond(await dashboards.top_products(seller_id, requested, by, limit), TOP_PRODUCTS_CSV)


@router.get(
    "/sellers/{seller_id}/tasks",
    tags=["sellers"],
    summary="What a seller has to do",
    response_model=SellerTasks,
    responses=UNKNOWN_SELLER,
)
async def seller_tasks(
    dashboards: DashboardsDep,
    respond: ResponderDep,
    seller_id: SellerId,
    limit: Annotated[int, Query(ge=1, le=200, description="The longest lists.")] = 20,
) -> Response:
    """Return the confirmed orders to ship, the longest waiting first, and the products that sell out soon."""
    return respond(await dashboards.tasks_of_seller(seller_id, limit))


@router.get(
    "/sellers/{seller_id}/orders",
    tags=["sellers"],
    summary="A seller's orders",
    response_model=Orders,
    responses=UNKNOWN_SELLER | CSV_RESPONSE,
)
async def seller_orders(
    dashboards: DashboardsDep,
    respond: ResponderDep,
    seller_id: SellerId,
    requested: PeriodDep,
    cursor: Cursor | None = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 20,
) -> Response:
    """Return orders with a line of this seller, the newest first, with this seller's lines and parcels only.

    Without a period, the list goes back to the first order. The CSV form has a row per order line.
    """
    return respond(await dashboards.orders_of_seller(seller_id, requested, cursor, limit), ORDERS_CSV)


@router.get(
    "/sellers",
    tags=["sellers"],
    summary="Find sellers",
    response_model=Sellers,
    responses=CSV_RESPONSE,
)
async def sellers(
    service: AnalyticsDep,
    respond: ResponderDep,
    q: SearchText = "",
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
) -> Response:
    """Return the sellers that match, the best-selling first. Without `q`, all sellers match."""
    return respond(await service.rankings.find_sellers(q, limit), SELLERS_CSV)


@router.get(
    "/marketplace/sales",
    tags=["marketplace"],
    summary="The sales of all sellers",
    response_model=MarketplaceSales,
    responses=CSV_RESPONSE,
)
async def marketplace_sales(
    dashboards: DashboardsDep, respond: ResponderDep, requested: PeriodDep, grain: GrainParam = None
) -> Response:
    """Return the sales of the whole marketplace, with active sellers and payments.

    Orders without lines count here, but for no seller. A payment counts at the time of its capture.
    """
    return respond(
        await dashboards.sales_of_marketplace(PeriodRequest(requested.start, requested.end, grain)),
        SERIES_CSV,
    )


@router.get(
    "/products/popular",
    tags=["products"],
    summary="The most popular products right now",
    response_model=PopularProducts,
    responses=CSV_RESPONSE,
)
async def popular_products(
    service: AnalyticsDep,
    respond: CachedResponderDep,
    ranking: Annotated[
        Ranking, Query(description="The half-life of a unit sold: 30 days for `popular`, 7 for `trending`.")
    ] = "popular",
    n: Annotated[int, Query(ge=1, le=200, description="The number of products.")] = 20,
) -> Response:
    """Return products by recency-weighted units sold, updated with every order."""
    asked = (ranking, n)
    return await respond.data(
        "popular_products", asked, lambda: service.rankings.popular(*asked), popular_tags, POPULAR_CSV
    )


@router.get("/live", tags=["marketplace"], summary="Follow new figures", include_in_schema=False)
async def live(service: AnalyticsDep) -> EventSourceResponse:
    """Send `progress` events, one at once and one whenever a table advances: `as_of`, and what advanced."""

    async def events() -> Any:
        async for as_of, advanced in service.context.watermarks.changes(LIVE_TABLES):
            progress = orjson.dumps({"as_of": service.context.local(as_of), "moved": advanced})
            yield ServerSentEvent(event="progress", data=progress.decode())

    return EventSourceResponse(events(), ping=15, headers={"Cache-Control": "no-store"})


async def _signals_request(
    period: PeriodDep,
    kind: Annotated[SignalKind | None, Query(description="Default: every kind.")] = None,
    cursor: Cursor | None = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 20,
) -> SignalsRequest:
    return SignalsRequest(period, kind, cursor, limit)


SignalsDep = Annotated[SignalsRequest, Depends(_signals_request)]


@router.get(
    "/sellers/{seller_id}/signals",
    tags=["sellers"],
    summary="What a seller must know of",
    response_model=SellerSignals,
    responses=UNKNOWN_SELLER | CSV_RESPONSE,
)
async def seller_signals(
    dashboards: DashboardsDep, respond: ResponderDep, seller_id: SellerId, asked: SignalsDep
) -> Response:
    """Return the signals of a seller that were raised in a period, the newest first.

    Without a period, all are listed. A period without an end ends with the present day. A signal is never
    taken back. The CSV form has no figures; the sentence has them.
    """
    return respond(await dashboards.signals_of_seller(seller_id, asked), SIGNALS_CSV)


@router.get(
    "/marketplace/signals",
    tags=["marketplace"],
    summary="What the marketplace must know of",
    response_model=Signals,
    responses=CSV_RESPONSE,
)
async def marketplace_signals(
    dashboards: DashboardsDep, respond: ResponderDep, asked: SignalsDep
) -> Response:
    """Return the signals of all sellers, and those of the marketplace itself, the newest first."""
    return respond(await dashboards.signals_of_marketplace(asked), SIGNALS_CSV)


def _parcel_rows(content: Any) -> Iterator[dict[str, Any]]:
    """Yield one row per product to pack, with the order's own fields repeated."""
    for parcel in content["parcels"]:
        for line in parcel["lines"]:
            yield {**parcel, **line}


PARCELS_CSV = CsvFormat(
    (*(name for name in DueParcel.__annotations__ if name != "lines"), *ParcelLine.__annotations__),
    _parcel_rows,
)
REVIEWS_CSV = csv_list("reviews", Review)

MAX_EXPORTED_REVIEWS = 10_000

Score = Annotated[int, Query(ge=1, le=5)]

lists_router = APIRouter(
    route_class=guarded(POLICIES),
    prefix="/v1/sellers/{seller_id}",
    tags=["sellers"],
    responses=BAD_PARAMETER | UNAVAILABLE | UNCHANGED,
    dependencies=[Depends(reject_repeated_parameters)],
)


@lists_router.get(
    "/parcels/due",
    summary="What a seller must ship",
    response_model=DueParcels,
    responses=UNKNOWN_SELLER | CSV_RESPONSE,
)
async def due_parcels(
    dashboards: DashboardsDep,
    respond: ResponderDep,
    seller_id: SellerId,
    limit: Annotated[int, Query(ge=1, le=MAX_PARCELS, description="The longest list.")] = 50,
) -> Response:
    """Return confirmed orders of which the seller has shipped nothing, the earliest promise first.

    The CSV form has a row for each product to pack.
    """
    return respond(await dashboards.due_parcels(seller_id, limit), PARCELS_CSV)


@lists_router.get(
    "/parcels/due/export.csv",
    summary="Download what a seller must ship",
    response_class=Response,
    responses=UNKNOWN_SELLER | CSV_RESPONSE,
)
async def due_parcels_export(request: Request, dashboards: DashboardsDep, seller_id: SellerId) -> Response:
    """Return the first 1,000 parcels to ship as a file, for a link in a page."""
    return download(
        request, PARCELS_CSV, await dashboards.due_parcels(seller_id, MAX_PARCELS), "parcels_to_ship"
    )


@lists_router.get(
    "/reviews",
    summary="A seller's reviews",
    response_model=Reviews,
    responses=UNKNOWN_SELLER | CSV_RESPONSE,
)
async def seller_reviews(
    dashboards: DashboardsDep,
    respond: ResponderDep,
    seller_id: SellerId,
    requested: PeriodDep,
    lowest: Score = 1,
    highest: Score = 5,
    cursor: Cursor | None = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
) -> Response:
    """Return the reviews of a period with these scores, the newest first. They do not say who wrote them.

    A review has its text once it is published. Send `from` and `to` with every page: without them, the period
    follows the newest sale.
    """
    asked = ReviewsRequest(requested, lowest, highest)
    return respond(await dashboards.reviews_of_seller(seller_id, asked, cursor, limit), REVIEWS_CSV)


@lists_router.get(
    "/reviews/export.csv",
    summary="Download a seller's reviews",
    response_class=Response,
    responses=UNKNOWN_SELLER | CSV_RESPONSE,
)
async def seller_reviews_export(
    request: Request,
    dashboards: DashboardsDep,
    seller_id: SellerId,
    requested: PeriodDep,
    lowest: Score = 1,
    highest: Score = 5,
    cursor: Cursor | None = None,
) -> Response:
    """Return the newest 10,000 reviews as a file, for a link in a page. The header `Link` has the others."""
    asked = ReviewsRequest(requested, lowest, highest)
    content = await dashboards.reviews_of_seller(seller_id, asked, cursor, MAX_EXPORTED_REVIEWS)
    return download(request, REVIEWS_CSV, content, "reviews")
