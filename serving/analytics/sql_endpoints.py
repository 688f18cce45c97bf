"""The route with which sellers run their own queries."""

from datetime import datetime
from typing import Annotated

import orjson
from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from common.openapi import NOT_JSON, json_request_body, openapi_problem
from serving.analytics.dependencies import AnalyticsDep, AnalyticsDomain
from serving.analytics.policy import POLICIES
from serving.analytics.seller_sql import SellerSql, SqlRequest, SqlResult, is_numeric
from serving.gateway.described_routes import guarded
from serving.kit.csv_writer import csv_lines
from serving.kit.domain import part_of
from serving.kit.http_caching import PRIVATE_NO_STORE
from serving.kit.parameters import SellerId, reject_repeated_parameters
from serving.kit.parquet_writer import PARQUET
from serving.kit.request_body import read_model
from serving.kit.responses import (
    CSV,
    JSON,
    TABLE_RESPONSE,
    UNAVAILABLE,
    UNKNOWN_SELLER,
    FormatParam,
    requested_type,
)

BODY_LIMIT = 128 * 1024
SHAPE = '{"query": "SELECT …", "parameters": {}}'
EXAMPLE = {
    "query": "SELECT product_id, sum(net_sales) AS net_sales FROM sales WHERE placed_at >= {since:DateTime} "
    "GROUP BY product_id ORDER BY net_sales DESC LIMIT 10",
    "parameters": {"since": "2018-08-01 00:00:00"},
}
REFUSED = openapi_problem(
    422, "The query is invalid, reads what sellers may not read, or needs too much; the detail says which."
)
TOO_LARGE = openapi_problem(413, "The body exceeds 128 KB.")

router = APIRouter(
    route_class=guarded(POLICIES),
    prefix="/v1",
    tags=["sql"],
    dependencies=[Depends(reject_repeated_parameters)],
)


SellerSqlDep = Annotated[SellerSql, Depends(part_of(AnalyticsDomain, lambda domain: domain.seller_sql))]


@router.post(
    "/sellers/{seller_id}/sql",
    summary="Run a query over a seller's rows",
    response_model=SqlResult,
    responses=UNKNOWN_SELLER | REFUSED | TOO_LARGE | NOT_JSON | UNAVAILABLE | TABLE_RESPONSE,
    openapi_extra=json_request_body(SqlRequest, EXAMPLE),
)
async def seller_query(
    request: Request,
    analytics: AnalyticsDep,
    seller_sql: SellerSqlDep,
    seller_id: SellerId,
    requested: FormatParam = None,
) -> Response:
    """Run one SELECT of ClickHouse's SQL over views that have this seller's rows only.

    docs/data-dictionary.md describes the views. Limits: 10 s, 256 MB, 10,000 rows.
    """
    body = await read_model(request, SqlRequest, BODY_LIMIT, SHAPE)
    await analytics.context.require_seller(seller_id, [])
    media_type = requested_type(request, requested, (JSON, CSV, PARQUET))
    headers = {"Cache-Control": PRIVATE_NO_STORE, "Vary": "Accept"}
    if media_type == PARQUET:
        file = await seller_sql.run_to_parquet(seller_id, body.query, body.parameters)
        return Response(
            file.content, headers=headers | table_headers(file.truncated, file.as_of), media_type=PARQUET
        )
    result = await seller_sql.run(seller_id, body.query, body.parameters)
    if media_type == CSV:
        return Response(write_csv(result), headers=headers | csv_headers(result), media_type=CSV)
    return Response(orjson.dumps(result), headers=headers, media_type=JSON)


def write_csv(result: SqlResult) -> bytes:
    """Return a result as CSV (RFC 4180) in UTF-8: null is empty, lists are JSON."""
    columns = result["columns"]
    header = csv_lines([[column["name"] for column in columns]])
    return header + csv_lines(result["rows"], [is_numeric(column["type"]) for column in columns])


def csv_headers(result: SqlResult) -> dict[str, str]:
    """Return `as_of` and `truncated` of a result as headers."""
    return table_headers(result["truncated"], result["as_of"])


def table_headers(truncated: bool, as_of: datetime | None) -> dict[str, str]:
    """Return `as_of` and `truncated` as headers. A table has no fields for them."""
    headers = {"Souk-Truncated": "true"} if truncated else {}
    return headers | ({"Souk-As-Of": as_of.isoformat()} if as_of else {})
