"""The routes under `/v1` about the customers of a seller. No answer has the id of a customer."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response

from common.ids import PRINTABLE
from serving.analytics.customers import (
    COHORT_COLUMNS,
    MAX_MONTHS,
    CohortMonth,
    CohortsRequest,
    CustomerCohorts,
    CustomerSegment,
    CustomerSegments,
    cohort_rows,
)
from serving.analytics.dependencies import DashboardsDep
from serving.analytics.policy import POLICIES
from serving.gateway.described_routes import guarded
from serving.kit.csv_writer import money_fields
from serving.kit.parameters import SellerId, reject_repeated_parameters
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

COHORTS_CSV = CsvFormat(COHORT_COLUMNS, cohort_rows, money_fields(CohortMonth))
SEGMENTS_CSV = csv_list("segments", CustomerSegment)

router = APIRouter(
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


@router.get(
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


@router.get(
    "/cohorts/export.csv",
    summary="Download a seller's customers by first order",
    response_class=Response,
    responses=UNKNOWN_SELLER | CSV_RESPONSE,
)
async def customer_cohorts_export(
    request: Request, dashboards: DashboardsDep, seller_id: SellerId, asked: CohortsDep
) -> Response:
    """Return the CSV form of the cohorts as a file, for a link in a page."""
    content = await dashboards.cohorts_of_seller(seller_id, asked)
    return download(request, COHORTS_CSV, content, "customer_cohorts")


@router.get(
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


@router.get(
    "/segments/export.csv",
    summary="Download a seller's customers by segment",
    response_class=Response,
    responses=UNKNOWN_SELLER | CSV_RESPONSE,
)
async def customer_segments_export(
    request: Request, dashboards: DashboardsDep, seller_id: SellerId
) -> Response:
    """Return the CSV form of the segments as a file, for a link in a page."""
    content = await dashboards.segments_of_seller(seller_id)
    return download(request, SEGMENTS_CSV, content, "customer_segments")
