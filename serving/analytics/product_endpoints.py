"""The routes under `/v1` about what a seller's products have to do with prices, and with each other."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response

from serving.analytics.dependencies import DashboardsDep
from serving.analytics.policy import POLICIES
from serving.analytics.product_insights import (
    MIN_ORDERS,
    PRICE_CHANGE_COLUMNS,
    PRICE_CHANGE_MONEY,
    WINDOW_DAYS,
    BoughtTogether,
    PairsRequest,
    PriceChanges,
    PriceChangesRequest,
    ProductPair,
    price_change_rows,
)
from serving.gateway.described_routes import guarded
from serving.kit.parameters import PeriodDep, SellerId, reject_repeated_parameters
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

PRICE_CHANGES_CSV = CsvFormat(PRICE_CHANGE_COLUMNS, price_change_rows, PRICE_CHANGE_MONEY)
PAIRS_CSV = csv_list("pairs", ProductPair)

Limit = Annotated[int, Query(ge=1, le=200)]

router = APIRouter(
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


@router.get(
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


@router.get(
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


@router.get(
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


@router.get(
    "/bought-together/export.csv",
    summary="Download a seller's products that are bought together",
    response_class=Response,
    responses=UNKNOWN_SELLER | CSV_RESPONSE,
)
async def seller_bought_together_export(
    request: Request, dashboards: DashboardsDep, seller_id: SellerId, asked: PairsDep
) -> Response:
    """Return the CSV form of the pairs as a file, for a link in a page."""
    content = await dashboards.bought_together_of_seller(seller_id, asked)
    return download(request, PAIRS_CSV, content, "bought_together")
