"""The routes under `/v1` about a seller's customers, price changes, and products that are bought together.

No answer has the id of a customer.
"""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response

from common.ids import PRINTABLE
from serving.analytics.customers import (
    COHORTS_CSV,
    MAX_MONTHS,
    CohortsRequest,
    CustomerCohorts,
    CustomerSegment,
    CustomerSegments,
)
from serving.analytics.dependencies import DashboardsDep
from serving.analytics.policy import POLICIES
from serving.analytics.product_insights import (
    MIN_ORDERS,
    PRICE_CHANGES_CSV,
    WINDOW_DAYS,
    BoughtTogether,
    PairsRequest,
    PriceChanges,
    PriceChangesRequest,
    ProductPair,
)
from serving.gateway.described_routes import guarded
from serving.kit.parameters import PeriodDep, SellerId, reject_repeated_parameters
from serving.kit.responses import (
    BAD_PARAMETER,
    CSV_RESPONSE,
    UNAVAILABLE,
    UNCHANGED,
    UNKNOWN_SELLER,
    ResponderDep,
    csv_list,
    download,
)

SEGMENTS_CSV = csv_list("segments", CustomerSegment)

customers_router = APIRouter(
    route_class=guarded(POLICIES),
    prefix="/v1/sellers/{seller_id}/customers",
    tags=["sellers"],
    responses=BAD_PARAMETER | UNAVAILABLE | UNCHANGED,
    dependencies=[Depends(reject_repeated_parameters)],
)


async def _cohorts_request(
    months: Annotated[
        int, Query(ge=1, le=MAX_MONTHS, description="How many months of first orders to list.")
    ] = 12,
    until: Annotated[
        str | None,
        Query(
            pattern=r"^\d{4}-\d{2}$",
            description="The last month, inclusive. Default: the month of the seller's newest sale.",
            examples=["2018-08"],
        ),
    ] = None,
    timezone: Annotated[
        str | None,
        Query(
            max_length=64,
            pattern=PRINTABLE,
            description="The IANA time zone of the months. Default: the shop's.",
            examples=["America/Sao_Paulo"],
        ),
    ] = None,
) -> CohortsRequest:
    return CohortsRequest(months, until, timezone)


CohortsDep = Annotated[CohortsRequest, Depends(_cohorts_request)]


@customers_router.get(
    "/cohorts",
    summary="A seller's customers by first order",
    response_model=CustomerCohorts,
    responses=UNKNOWN_SELLER | CSV_RESPONSE,
)
async def customer_cohorts(
    dashboards: DashboardsDep, respond: ResponderDep, seller_id: SellerId, asked: CohortsDep
) -> Response:
    """Return the customers by the month of their first order, and what they bought in each month since.

    A customer is a shopper with a confirmed order that was not cancelled. A guest is a customer of their own
    in each browser. Orders of a person who was erased stay. Customers whose first order was in another
    currency are in no cohort. The CSV form has a row for each cohort and month.
    """
    return respond(await dashboards.cohorts_of_seller(seller_id, asked), COHORTS_CSV)


@customers_router.get(
    "/cohorts/export.csv",
    summary="Download a seller's customers by first order",
    response_class=Response,
    responses=UNKNOWN_SELLER | CSV_RESPONSE,
)
async def customer_cohorts_export(
    request: Request, dashboards: DashboardsDep, seller_id: SellerId, asked: CohortsDep
) -> Response:
    """Return the CSV form of the cohorts as a file, for a link in a page."""
    return download(
        request, COHORTS_CSV, await dashboards.cohorts_of_seller(seller_id, asked), "customer_cohorts"
    )


@customers_router.get(
    "/segments",
    summary="A seller's customers by segment",
    response_model=CustomerSegments,
    responses=UNKNOWN_SELLER | CSV_RESPONSE,
)
async def customer_segments(
    dashboards: DashboardsDep, respond: ResponderDep, seller_id: SellerId
) -> Response:
    """Return the customers by how recently, how often and for how much they bought (RFM), over all time.

    People who were erased are in no segment. The CSV form has a row for each segment.
    """
    return respond(await dashboards.segments_of_seller(seller_id), SEGMENTS_CSV)


@customers_router.get(
    "/segments/export.csv",
    summary="Download a seller's customers by segment",
    response_class=Response,
    responses=UNKNOWN_SELLER | CSV_RESPONSE,
)
async def customer_segments_export(
    request: Request, dashboards: DashboardsDep, seller_id: SellerId
) -> Response:
    """Return the CSV form of the segments as a file, for a link in a page."""
    return download(
        request, SEGMENTS_CSV, await dashboards.segments_of_seller(seller_id), "customer_segments"
    )


PAIRS_CSV = csv_list("pairs", ProductPair)

Limit = Annotated[int, Query(ge=1, le=200)]

products_router = APIRouter(
    route_class=guarded(POLICIES),
    prefix="/v1/sellers/{seller_id}/products",
    tags=["sellers"],
    responses=BAD_PARAMETER | UNAVAILABLE | UNCHANGED,
    dependencies=[Depends(reject_repeated_parameters)],
)


async def _price_changes_request(
    requested: PeriodDep,
    days: Annotated[
        int, Query(ge=1, le=90, description="The longest windows before and after a change, in days.")
    ] = WINDOW_DAYS,
    limit: Limit = 20,
) -> PriceChangesRequest:
    return PriceChangesRequest(requested, days, limit)


async def _pairs_request(
    requested: PeriodDep,
    min_orders: Annotated[
        int, Query(ge=2, le=1_000_000, description="Pairs in fewer orders are not listed.")
    ] = MIN_ORDERS,
    limit: Limit = 20,
) -> PairsRequest:
    return PairsRequest(requested, min_orders, limit)


PriceChangesDep = Annotated[PriceChangesRequest, Depends(_price_changes_request)]
PairsDep = Annotated[PairsRequest, Depends(_pairs_request)]


@products_router.get(
    "/price-changes",
    summary="A seller's price changes and what followed",
    response_model=PriceChanges,
    responses=UNKNOWN_SELLER | CSV_RESPONSE,
)
async def seller_price_changes(
    dashboards: DashboardsDep, respond: ResponderDep, seller_id: SellerId, asked: PriceChangesDep
) -> Response:
    """Return the price changes of a period, with what was sold in as many whole days before and after each.

    The windows before and after are equally long, and end at another change of the price, at a listing or a
    delisting, and now. It is a comparison and not an experiment: `notes` says what biases it.
    """
    return respond(await dashboards.price_changes_of_seller(seller_id, asked), PRICE_CHANGES_CSV)


@products_router.get(
    "/price-changes/export.csv",
    summary="Download a seller's price changes and what followed",
    response_class=Response,
    responses=UNKNOWN_SELLER | CSV_RESPONSE,
)
async def seller_price_changes_export(
    request: Request, dashboards: DashboardsDep, seller_id: SellerId, asked: PriceChangesDep
) -> Response:
    """Return the CSV form of the price changes as a file, for a link in a page."""
    content = await dashboards.price_changes_of_seller(seller_id, asked)
    return download(request, PRICE_CHANGES_CSV, content, "price_changes")


@products_router.get(
    "/bought-together",
    summary="A seller's products that are bought together",
    response_model=BoughtTogether,
    responses=UNKNOWN_SELLER | CSV_RESPONSE,
)
async def seller_bought_together(
    dashboards: DashboardsDep, respond: ResponderDep, seller_id: SellerId, asked: PairsDep
) -> Response:
    """Return pairs of the seller's own products in the same confirmed orders, the most frequent first.

    An order that was cancelled does not count. An order with more than 100 products of the seller makes no
    pairs. What the order has of other sellers is not considered.
    """
    return respond(await dashboards.bought_together_of_seller(seller_id, asked), PAIRS_CSV)


@products_router.get(
    "/bought-together/export.csv",
    summary="Download a seller's products that are bought together",
    response_class=Response,
    responses=UNKNOWN_SELLER | CSV_RESPONSE,
)
async def seller_bought_together_export(
    request: Request, dashboards: DashboardsDep, seller_id: SellerId, asked: PairsDep
) -> Response:
    """Return the CSV form of the pairs as a file, for a link in a page."""
    return download(
        request, PAIRS_CSV, await dashboards.bought_together_of_seller(seller_id, asked), "bought_together"
    )
