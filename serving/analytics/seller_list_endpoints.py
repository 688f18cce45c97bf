"""The routes under `/v1` with lists of a seller: the parcels to ship, and the reviews."""

from collections.abc import Iterator
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response

from serving.analytics.dependencies import DashboardsDep
from serving.analytics.policy import POLICIES
from serving.analytics.reviews import Review, Reviews, ReviewsRequest
from serving.analytics.tasks import MAX_PARCELS, DueParcel, DueParcels, ParcelLine
from serving.gateway.described_routes import guarded
from serving.kit.parameters import Cursor, PeriodDep, SellerId, reject_repeated_parameters
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

PARCEL_COLUMNS = (
    *(name for name in DueParcel.__annotations__ if name != "lines"),
    *ParcelLine.__annotations__,
)


def _parcel_rows(content: Any) -> Iterator[dict[str, Any]]:
    """Yield one row per product to pack, with the order's own fields repeated."""
    for parcel in content["parcels"]:
        for line in parcel["lines"]:
            yield {**parcel, **line}


PARCELS_CSV = CsvFormat(PARCEL_COLUMNS, _parcel_rows)
REVIEWS_CSV = csv_list("reviews", Review)

MAX_EXPORTED_REVIEWS = 10_000

Score = Annotated[int, Query(ge=1, le=5)]

router = APIRouter(
    route_class=guarded(POLICIES),
    prefix="/v1/sellers/{seller_id}",
    tags=["sellers"],
    responses=BAD_PARAMETER | UNAVAILABLE | UNCHANGED,
    dependencies=[Depends(reject_repeated_parameters)],
)


@router.get(
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


@router.get(
    "/parcels/due/export.csv",
    summary="Download what a seller must ship",
    response_class=Response,
    responses=UNKNOWN_SELLER | CSV_RESPONSE,
)
async def due_parcels_export(request: Request, dashboards: DashboardsDep, seller_id: SellerId) -> Response:
    """Return the first 1,000 parcels to ship as a file, for a link in a page."""
    content = await dashboards.due_parcels(seller_id, MAX_PARCELS)
    return download(request, PARCELS_CSV, content, "parcels_to_ship")


@router.get(
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


@router.get(
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
