"""The routes that return metrics of the catalogue: of a seller, and of the whole marketplace."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request
from starlette.responses import Response

from clickhouse.metric_catalogue.definition import Unit, read_every_metric
from common.ids import PRINTABLE
from common.openapi import openapi_problem
from serving.analytics import metric_figures
from serving.analytics.dependencies import DashboardsDep
from serving.analytics.metric_schemas import (
    MarketplaceMetrics,
    MetricDefinitions,
    MetricExplanation,
    MetricRows,
    SellerMetrics,
)
from serving.analytics.metrics import Compare, MetricsRequest, Only, find_metric
from serving.analytics.policy import POLICIES
from serving.analytics.row_export import row_kinds
from serving.gateway.described_routes import guarded
from serving.kit.analytics_context import PeriodRequest
from serving.kit.parameters import Cursor, GrainParam, PeriodDep, SellerId, reject_repeated_parameters
from serving.kit.parquet_writer import ColumnKind
from serving.kit.problems import UNUSABLE_PARAMETER
from serving.kit.responses import (
    BAD_PARAMETER,
    CSV,
    CSV_RESPONSE,
    TABLE_RESPONSE,
    UNAVAILABLE,
    UNCHANGED,
    CsvFormat,
    ResponderDep,
    TableResponderDep,
    download,
    table_of_kinds,
)

MAX_METRICS = 150
"""The most metrics of one request."""

DIMENSION_NAMES = sorted(
    {
        name
        for metric in read_every_metric().values()
        for name in {*metric.dimensions, *metric.marketplace_dimensions}
    }
)

UNKNOWN = openapi_problem(404, "No seller has this id, or the catalogue has no metric of this name.")

MetricName = Annotated[
    str,
    Path(
        pattern="^[a-z0-9_]{1,40}$",
        description="A metric of the catalogue (`GET /v1/analytics/metrics`).",
        examples=["net_sales"],
    ),
]
ProductFilter = Annotated[
    str | None,
    Query(alias="product", min_length=1, max_length=128, pattern=PRINTABLE, description="Only this product."),
]


async def _metrics_request(
    metric: MetricName,
    requested: PeriodDep,
    grain: GrainParam = None,
    more: Annotated[
        str,
        Query(
            alias="with",
            max_length=MAX_METRICS * 41,
            pattern="^[a-z0-9_,]*$",
            description=f"More metrics, separated by commas; at most {MAX_METRICS} in all.",
            examples=["orders,units"],
        ),
    ] = "",
    compare: Annotated[
        Compare,
        Query(description="Compare with the period just before, with the same one a year before, or not."),
    ] = "previous",
    by: Annotated[
        str | None,
        Query(
            pattern="^[a-z_]{1,40}$",
            description="The dimension to split by: one that each of the metrics has (its `dimensions`), or "
            "`seller` for figures of the marketplace.",
            json_schema_extra={"enum": DIMENSION_NAMES},
        ),
    ] = None,
    top: Annotated[
        int,
        Query(
            ge=1,
            le=100,
            description="How many products or categories to list; the others are `rest`.",
        ),
    ] = 10,
    product_id: ProductFilter = None,
    only: Annotated[
        str | None,
        Query(
            alias="filter",
            max_length=200,
            pattern="^[a-z_]{1,40}:[^\\x00-\\x1f\\x7f]*$",
            description="Only rows in which a dimension has a value, as `dimension:value`: one that each of "
            "the metrics has. An order with several products counts if one of them does.",
            examples=["category:toys"],
        ),
    ] = None,
) -> MetricsRequest:
    names = (metric, *(name for name in more.split(",") if name))
    if len(names) > MAX_METRICS:
        raise UNUSABLE_PARAMETER(detail=f"Request at most {MAX_METRICS} metrics.")
    period = PeriodRequest(requested.start, requested.end, grain)
    restriction = Only(*only.split(":", 1)) if only else None
    return MetricsRequest(names, period, compare, by, top, product_id, restriction)


MetricsDep = Annotated[MetricsRequest, Depends(_metrics_request)]

NO_METRIC = openapi_problem(404, "The catalogue has no metric of this name.")

router = APIRouter(
    route_class=guarded(POLICIES),
    prefix="/v1",
    tags=["metrics"],
    responses=BAD_PARAMETER | UNAVAILABLE | UNCHANGED,
    dependencies=[Depends(reject_repeated_parameters)],
)


@router.get("/analytics/metrics", summary="The catalogue of metrics", response_model=MetricDefinitions)
async def metrics(respond: ResponderDep) -> Response:
    """Return what every metric means: its definition, formula, unit and edge cases."""
    return respond(
        {"metrics": [metric_figures.definition(metric) for metric in read_every_metric().values()]}
    )


@router.get(
    "/analytics/metrics/{metric}",
    summary="Explain a metric",
    response_model=MetricExplanation,
    responses=NO_METRIC,
)
async def explain_metric(respond: ResponderDep, metric: MetricName) -> Response:
    """Return the definition of a metric and the query that computes it."""
    return respond(metric_figures.explanation(find_metric(metric, of_marketplace=None)))


@router.get(
    "/sellers/{seller_id}/analytics/{metric}",
    summary="A metric of a seller",
    response_model=SellerMetrics,
    responses=UNKNOWN | TABLE_RESPONSE,
)
async def seller_metric(
    request: Request,
    dashboards: DashboardsDep,
    respond: TableResponderDep,
    seller_id: SellerId,
    asked: MetricsDep,
) -> Response:
    """Return the value of a metric in a period, its change, a series, and a split by a dimension.

    The CSV and the Parquet form have the split if `by` is given, with the rest as its last row, and else the
    series. In both, money is a decimal of the currency; Parquet's times are UTC. With `Cache-Control:
    no-store` in the request, the figures are never older ones, and not stored for outages.
    """
    is_stored = "no-store" not in request.headers.get("cache-control", "").lower()
    return respond(await dashboards.metrics_of_seller(seller_id, asked, is_stored), csv_of(asked))


@router.get(
    "/sellers/{seller_id}/analytics/{metric}/rows",
    summary="The rows behind a metric of a seller",
    response_model=MetricRows,
    responses=UNKNOWN | TABLE_RESPONSE,
)
async def seller_metric_rows(
    dashboards: DashboardsDep,
    respond: TableResponderDep,
    seller_id: SellerId,
    metric: MetricName,
    requested: PeriodDep,
    product_id: ProductFilter = None,
    cursor: Cursor | None = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
) -> Response:
    """Return the rows of which a metric is made, such as lines of orders, returns or parcels, newest first.

    Over all pages, `value` adds up to the metric, or to a ratio's numerator, unless the metric is a quantile
    or counts different shoppers or sessions. Send `from` and `to` with every page: without them, the period
    follows the newest sale.
    """
    content = await dashboards.metric_rows_of_seller(
        seller_id, MetricsRequest((metric,), requested, product_id=product_id), cursor, limit
    )
    return respond(content, table_of_kinds(row_kinds(find_metric(metric)), lambda page: page["rows"]))


def csv_of(asked: MetricsRequest) -> CsvFormat:
    """Return the form of metrics as a table: their split, with the rest last, or their series."""
    return _split_table(asked.metrics) if asked.by else _series_table(asked.metrics)


def table_file(
    request: Request, asked: MetricsRequest, content: MarketplaceMetrics, media_type: str = CSV
) -> Response:
    """Return the CSV or the Parquet form of metrics as a file to download."""
    name = "_".join((asked.metrics[0], *([f"by_{asked.by}"] if asked.by else [])))
    return download(request, csv_of(asked), content, name, media_type)


def _series_table(names: tuple[str, ...]) -> CsvFormat:
    def rows(content: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
        for bucket in content["series"]:
            yield {"start": bucket["start"], "end": bucket["end"], **bucket["values"]}

    kinds: dict[str, ColumnKind] = {"start": "time", "end": "time", **_kinds(names)}
    return table_of_kinds(kinds, rows)


def _split_table(names: tuple[str, ...]) -> CsvFormat:
    def rows(content: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
        for part in content["split"]:
            yield {"value": part["value"], "label": part["label"], **part["values"]}
        if rest := content["rest"]:
            label = f"{rest['count']} others" if rest["count"] else "others"
            yield {"value": "", "label": label, **rest["values"]}

    kinds: dict[str, ColumnKind] = {"value": "text", "label": "text", **_kinds(names)}
    return table_of_kinds(kinds, rows)


def _kinds(names: tuple[str, ...]) -> dict[str, ColumnKind]:
    """Return the kind of each metric's column."""
    every = read_every_metric()
    kinds: dict[Unit, ColumnKind] = {"money": "money", "count": "count"}
    return {name: kinds.get(every[name].unit, "number") for name in names}


marketplace_router = APIRouter(
    route_class=guarded(POLICIES),
    prefix="/v1/marketplace/analytics",
    tags=["metrics"],
    responses=BAD_PARAMETER | UNAVAILABLE | UNCHANGED,
    dependencies=[Depends(reject_repeated_parameters)],
)


@marketplace_router.get(
    "/{metric}",
    summary="A metric of the marketplace",
    response_model=MarketplaceMetrics,
    responses=NO_METRIC | CSV_RESPONSE,
)
async def marketplace_metric(dashboards: DashboardsDep, respond: ResponderDep, asked: MetricsDep) -> Response:
    """Return the value of a metric over all sellers, its change, a series, and a split by a dimension.

    What several sellers share, such as an order or a shopper, counts once. A split by `seller` has the
    figures that the sellers see. A metric that is about single sellers is refused (its `marketplace` is null
    in `/v1/analytics/metrics/{metric}`). The CSV form is that of a seller's metric.
    """
    return respond(await dashboards.metrics_of_marketplace(asked), csv_of(asked))


@marketplace_router.get(
    "/{metric}/export.csv",
    summary="Download a metric of the marketplace",
    response_class=Response,
    responses=NO_METRIC | CSV_RESPONSE,
)
async def marketplace_metric_export(
    request: Request, dashboards: DashboardsDep, asked: MetricsDep
) -> Response:
    """Return the CSV form of a metric as a file, for a link in a page."""
    return table_file(request, asked, await dashboards.metrics_of_marketplace(asked))
