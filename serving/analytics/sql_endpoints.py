"""The route with which sellers run their own queries."""

import csv
import json
from io import StringIO
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Depends, Request
from pydantic import ValidationError
from starlette.responses import Response

from common.content_type import has_json_content_type
from serving.analytics.parameters import AnalyticsDep, SellerId
from serving.analytics.policy import POLICIES
from serving.analytics.schemas.sql import SqlRequest, SqlResult, is_numeric
from serving.analytics.service.seller_sql import SellerSql
from serving.gateway.described_routes import guarded
from serving.http_caching import PRIVATE_NO_STORE
from serving.openapi import NOT_JSON, json_request_body, openapi_problem
from serving.parameters import reject_repeated_parameters
from serving.problems import BadBody, NotJson
from serving.request_body import read_body
from serving.responses import (
    CSV,
    CSV_RESPONSE,
    JSON,
    UNAVAILABLE,
    UNKNOWN_SELLER,
    prefers_csv,
)

BODY_LIMIT = 128 * 1024
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
EXAMPLE = {
    "query": "SELECT product_id, sum(revenue) AS net_sales FROM sales WHERE placed_at >= {since:DateTime} "
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


async def _seller_sql(request: Request) -> SellerSql:
    seller_sql: SellerSql = request.app.state.seller_sql
    return seller_sql


SellerSqlDep = Annotated[SellerSql, Depends(_seller_sql)]


@router.post(
    "/sellers/{seller_id}/sql",
    summary="Run a query over a seller's rows",
    response_model=SqlResult,
    responses=UNKNOWN_SELLER | REFUSED | TOO_LARGE | NOT_JSON | UNAVAILABLE | CSV_RESPONSE,
    openapi_extra=json_request_body(SqlRequest, EXAMPLE),
)
async def seller_query(
    request: Request, analytics: AnalyticsDep, seller_sql: SellerSqlDep, seller_id: SellerId
) -> Response:
    """Run one SELECT of ClickHouse's SQL over views that have this seller's rows only.

    The views are `order_lines`, `products`, `recommendations`, `returns`, `reviews`, `sales`, `sellers`,
    `shipments` and `views`; docs/data-dictionary.md describes them. Limits: 10 s, 256 MB, 10,000 rows.
    """
    body = await _read_body(request)
    await analytics.context.require_seller(seller_id, [])
    result = await seller_sql.run(seller_id, body.query, body.parameters)
    headers = {"Cache-Control": PRIVATE_NO_STORE, "Vary": "Accept"}
    if prefers_csv(request.headers.get("Accept", "")):
        return Response(write_csv(result), headers=headers | csv_headers(result), media_type=CSV)
    return Response(orjson.dumps(result), headers=headers, media_type=JSON)


def write_csv(result: SqlResult) -> bytes:
    """Return a result as CSV (RFC 4180) in UTF-8: null is empty, lists are JSON.

    A spreadsheet runs a text as a formula if it begins with `=`, `+`, `-`, `@`, a tab or a carriage return.
    Shoppers write some of the texts. Therefore, such a text gets an apostrophe in front.
    """
    text = StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(_inert(column["name"]) for column in result["columns"])
    numeric = [is_numeric(column["type"]) for column in result["columns"]]
    for row in result["rows"]:
        writer.writerow(
            value if is_number else _csv_value(value) for value, is_number in zip(row, numeric, strict=True)
        )
    return text.getvalue().encode(errors="replace")


def csv_headers(result: SqlResult) -> dict[str, str]:
    """Return `as_of` and `truncated` as headers. CSV has no fields for them."""
    headers = {"Souk-Truncated": "true"} if result["truncated"] else {}
    if as_of := result["as_of"]:
        headers["Souk-As-Of"] = as_of.isoformat()
    return headers


def _csv_value(value: Any) -> Any:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | dict):
        return json.dumps(value, ensure_ascii=False)
    return _inert(value) if isinstance(value, str) else value


def _inert(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA) else text


async def _read_body(request: Request) -> SqlRequest:
    if not has_json_content_type(request.headers):
        raise NotJson(request.headers.get("Content-Type", ""))
    body = await read_body(request, BODY_LIMIT)
    try:
        return SqlRequest.model_validate_json(body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(map(str, first["loc"])) or "the body"
        example = '{"query": "SELECT …", "parameters": {}}'
        raise BadBody(f"{place}: {first['msg']}. Send {example}.") from error
