"""The routes under `/v1` with which sellers download metrics, and all rows behind a metric, as files."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from common.openapi import Responses, openapi_problem
from serving.analytics.dependencies import AnalyticsDep, AnalyticsDomain, DashboardsDep
from serving.analytics.metric_endpoints import UNKNOWN, MetricName, MetricsDep, ProductFilter, table_file
from serving.analytics.metrics import MetricsRequest, export_of_seller
from serving.analytics.policy import POLICIES
from serving.analytics.row_export import RowExport, csv_header, csv_table, row_kinds, with_decimals
from serving.gateway.described_routes import guarded
from serving.kit.csv_writer import csv_lines
from serving.kit.domain import opened
from serving.kit.parameters import PeriodDep, SellerId, reject_repeated_parameters
from serving.kit.parquet_writer import PARQUET, ParquetFile, schema_of
from serving.kit.responses import BAD_PARAMETER, CSV, CSV_RESPONSE, UNAVAILABLE, download_headers

EXPORTS_OF_SELLER, EXPORTS = 2, 4
"""The largest number of exports of rows at a time, for each seller and in all, in a process."""

PARQUET_RESPONSE: Responses = {
    200: {"content": {PARQUET: {"schema": {"type": "string", "format": "binary"}}}}
}
TOO_MANY = openapi_problem(429, "Too many requests, or too many exports are running.")

router = APIRouter(
    route_class=guarded(POLICIES),
    prefix="/v1",
    tags=["metrics"],
    responses=BAD_PARAMETER | UNAVAILABLE,
    dependencies=[Depends(reject_repeated_parameters)],
)


@router.get(
    "/sellers/{seller_id}/analytics/{metric}/export.csv",
    summary="Download a metric of a seller",
    response_class=Response,
    responses=UNKNOWN | CSV_RESPONSE,
)
async def seller_metric_export(
    request: Request, dashboards: DashboardsDep, seller_id: SellerId, asked: MetricsDep
) -> Response:
    """Return the CSV form of a metric as a file, for a link in a page."""
    return table_file(request, asked, await dashboards.metrics_of_seller(seller_id, asked))


@router.get(
    "/sellers/{seller_id}/analytics/{metric}/export.parquet",
    summary="Download a metric of a seller as Parquet",
    response_class=Response,
    responses=UNKNOWN | PARQUET_RESPONSE,
)
async def seller_metric_parquet(
    request: Request, dashboards: DashboardsDep, seller_id: SellerId, asked: MetricsDep
) -> Response:
    """Return the Parquet form of a metric as a file. Money is a decimal of the currency, times are UTC."""
    return table_file(request, asked, await dashboards.metrics_of_seller(seller_id, asked), PARQUET)


@router.get(
    "/sellers/{seller_id}/analytics/{metric}/rows/export.csv",
    summary="Download all rows behind a metric of a seller",
    response_class=Response,
    responses=UNKNOWN | CSV_RESPONSE | TOO_MANY,
)
async def seller_metric_rows_export(
    request: Request,
    analytics: AnalyticsDep,
    seller_id: SellerId,
    metric: MetricName,
    requested: PeriodDep,
    product_id: ProductFilter = None,
) -> Response:
    """Return all rows of a period, the newest first, in any number.

    If the connection breaks, rows are missing.
    """
    asked = MetricsRequest((metric,), requested, product_id=product_id)
    return await _export(request, analytics, seller_id, asked, CSV, "csv", _csv_parts)


@router.get(
    "/sellers/{seller_id}/analytics/{metric}/rows/export.parquet",
    summary="Download all rows behind a metric of a seller as Parquet",
    response_class=Response,
    responses=UNKNOWN | PARQUET_RESPONSE | TOO_MANY,
)
async def seller_metric_rows_parquet(
    request: Request,
    analytics: AnalyticsDep,
    seller_id: SellerId,
    metric: MetricName,
    requested: PeriodDep,
    product_id: ProductFilter = None,
) -> Response:
    """Return all rows of a period, the newest first, in any number. Money is a decimal, times are UTC."""
    asked = MetricsRequest((metric,), requested, product_id=product_id)
    return await _export(request, analytics, seller_id, asked, PARQUET, "parquet", _parquet_parts)


class _ExportResponse(StreamingResponse):
    """A file whose parts are made while it is sent. `end` is called when the response has ended."""

    def __init__(self, parts: AsyncIterator[bytes], end: Callable[[], None], **options: object) -> None:
        super().__init__(parts, **options)  # type: ignore[arg-type]
        self._end = end

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._end()


async def _export(
    request: Request,
    analytics: AnalyticsDep,
    seller_id: str,
    asked: MetricsRequest,
    media_type: str,
    extension: str,
    parts: Callable[[RowExport], AsyncIterator[bytes]],
) -> Response:
    end = opened(request, AnalyticsDomain).export_slots.take(seller_id)
    try:
        export = await export_of_seller(analytics.context, seller_id, asked)
    except BaseException:
        end()
        raise
    headers = download_headers(f"{asked.metrics[0]}_rows.{extension}")
    if export.as_of is not None:
        headers["Souk-As-Of"] = export.as_of.astimezone(export.context.zone).isoformat()
    return _ExportResponse(parts(export), end, headers=headers, media_type=media_type)


async def _csv_parts(export: RowExport) -> AsyncIterator[bytes]:
    yield csv_lines([csv_header(export.metric)])
    context = export.context
    async with aclosing(export.tables()) as tables:
        async for rows in tables:
            yield await asyncio.to_thread(csv_table, export.metric, rows, context.zone, context.currency)


async def _parquet_parts(export: RowExport) -> AsyncIterator[bytes]:
    currency = export.context.currency
    schema = schema_of(row_kinds(export.metric), currency, export.as_of)
    file = ParquetFile(schema)
    async with aclosing(export.tables()) as tables:
        async for rows in tables:
            yield await asyncio.to_thread(
                lambda rows: file.add(with_decimals(export.metric, rows, schema, currency)), rows
            )
    yield file.end()
