"""The routes under `/v1/marketplace/analytics`: metrics of the catalogue for the whole marketplace."""

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from common.openapi import openapi_problem
from serving.analytics.dependencies import DashboardsDep
from serving.analytics.metric_endpoints import MetricsDep, csv_of, table_file
from serving.analytics.metric_schemas import MarketplaceMetrics
from serving.analytics.policy import POLICIES
from serving.gateway.described_routes import guarded
from serving.kit.parameters import reject_repeated_parameters
from serving.kit.responses import BAD_PARAMETER, CSV_RESPONSE, UNAVAILABLE, UNCHANGED, ResponderDep

UNKNOWN = openapi_problem(404, "The catalogue has no metric of this name.")

router = APIRouter(
    route_class=guarded(POLICIES),
    prefix="/v1/marketplace/analytics",
    tags=["metrics"],
    responses=BAD_PARAMETER | UNAVAILABLE | UNCHANGED,
    dependencies=[Depends(reject_repeated_parameters)],
)


@router.get(
    "/{metric}",
    summary="A metric of the marketplace",
    response_model=MarketplaceMetrics,
    responses=UNKNOWN | CSV_RESPONSE,
)
async def marketplace_metric(dashboards: DashboardsDep, respond: ResponderDep, asked: MetricsDep) -> Response:
    """Return the value of a metric over all sellers, its change, a series, and a split by a dimension.

    What several sellers share, such as an order or a shopper, counts once. A split by `seller` has the
    figures that the sellers see. A metric that is about single sellers is refused (its `marketplace` is null
    in `/v1/analytics/metrics/{metric}`). The CSV form is that of a seller's metric.
    """
    return respond(await dashboards.metrics_of_marketplace(asked), csv_of(asked))


@router.get(
    "/{metric}/export.csv",
    summary="Download a metric of the marketplace",
    response_class=Response,
    responses=UNKNOWN | CSV_RESPONSE,
)
async def marketplace_metric_export(
    request: Request, dashboards: DashboardsDep, asked: MetricsDep
) -> Response:
    """Return the CSV form of a metric as a file, for a link in a page."""
    return table_file(request, asked, await dashboards.metrics_of_marketplace(asked))
