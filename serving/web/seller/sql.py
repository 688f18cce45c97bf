"""The page on which a seller writes queries over the rows of the own shop; it runs them without a script."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any

from fastapi import Query, Request
from starlette.responses import Response

from clickhouse.analytics.catalogue import AnalyticsView, read_views
from clickhouse.databases import ANALYTICS
from common.problems import Problem
from serving.analytics.dependencies import DashboardsDep
from serving.analytics.seller_sql import MAX_QUERY_LENGTH, QUERY_REFUSED, SqlResult, is_numeric
from serving.analytics.sql_endpoints import SellerSqlDep, csv_headers, table_headers, write_csv
from serving.gateway.gateway import identity_of
from serving.kit.domain import opened
from serving.kit.http_caching import PRIVATE_NO_STORE
from serving.kit.parameters import SellerId
from serving.kit.parquet_writer import PARQUET
from serving.kit.responses import CSV, download_headers
from serving.web.forms import read_form
from serving.web.policy import OF_SELLER, may_manage, page_router
from serving.web.renderer import PageRenderer
from serving.web.seller.choices import UNREGISTERED, handed_on
from serving.web.translation import gettext

FIRST_VIEW = "sales"
SHOWN_ROWS = 500
"""The rows that the page shows. The CSV file has all rows of the result."""
MAX_BARS = 40

router = page_router(OF_SELLER)


@dataclass(frozen=True, slots=True)
class Bar:
    """A row of the chart. `size` is the length of its bar."""

    label: str
    value: str
    size: float


@router.get("/sell/{seller_id}/sql")
async def seller_sql(
    request: Request,
    dashboards: DashboardsDep,
    seller_id: SellerId,
    view: Annotated[str, Query(pattern="^[a-z_]{1,40}$")] = FIRST_VIEW,
) -> Response:
    """Return the page with the example of a view in the editor."""
    await dashboards.analytics.context.require_seller(seller_id, [])
    views = views_of_sellers()
    query = example_of(views.get(view, views[FIRST_VIEW]))
    return await _page(request, dashboards, seller_id, query)


@router.post("/sell/{seller_id}/sql")
async def run_seller_sql(
    request: Request, dashboards: DashboardsDep, queries: SellerSqlDep, seller_id: SellerId
) -> Response:
    """Run the query of the form, and return the page with the result, or the result as a file."""
    await dashboards.analytics.context.require_seller(seller_id, [])
    form = await read_form(request)
    query = form.text("query")
    try:
        if not 0 < len(query) <= MAX_QUERY_LENGTH:
            raise QUERY_REFUSED(
                detail=gettext(
                    "Write a query of at most %(number)s characters.", number=f"{MAX_QUERY_LENGTH:,}"
                )
            )
        if form.text("format") == "parquet":
            file = await queries.run_to_parquet(seller_id, query, {})
            headers = download_headers("query.parquet") | table_headers(file.truncated, file.as_of)
            return Response(file.content, headers=headers, media_type=PARQUET)
        result = await queries.run(seller_id, query, {})
    except Problem as problem:
        return await _page(request, dashboards, seller_id, query, problem=problem)
    if form.text("format") == "csv":
        headers = download_headers("query.csv") | csv_headers(result)
        return Response(write_csv(result), headers=headers, media_type=CSV)
    return await _page(request, dashboards, seller_id, query, result)


async def _page(
    request: Request,
    dashboards: DashboardsDep,
    seller_id: str,
    query: str,
    result: SqlResult | None = None,
    problem: Problem | None = None,
) -> Response:
    pages = opened(request, PageRenderer)
    details = await dashboards.seller(seller_id)
    page = pages(
        "seller/sql.html",
        problem.status if problem else 200,
        seller=details or UNREGISTERED,
        tabs=handed_on(request),
        may_manage=may_manage(identity_of(request).principal, seller_id),
        seller_id=seller_id,
        views=views_of_sellers(),
        query=query,
        result=result,
        shown_rows=[[cell_text(value) for value in row] for row in result["rows"][:SHOWN_ROWS]]
        if result
        else [],
        is_number=[is_numeric(column["type"]) for column in result["columns"]] if result else [],
        bars=bars(result) if result else [],
        problem=problem,
        now=dashboards.analytics.context.clock(),
    )
    page.headers["Cache-Control"] = PRIVATE_NO_STORE
    return page


def views_of_sellers() -> dict[str, AnalyticsView]:
    """Return the views that sellers may query."""
    return {name: view for name, view in read_views().items() if view.is_of_sellers}


def example_of(view: AnalyticsView) -> str:
    """Return the example of a view, with the question as a comment, and names without the database."""
    return f"-- {view.question}\n{view.example.replace(f'{ANALYTICS}.', '')}"


def bars(result: SqlResult) -> list[Bar]:
    """Return the chart of a result: one bar per row, with the last column that has numbers; none if unfit.

    A result fits if it has 2 to `MAX_BARS` rows, another column before the numbers, and no number below zero.
    """
    numeric = [
        index for index, column in enumerate(result["columns"]) if index and is_numeric(column["type"])
    ]
    if not numeric or not 2 <= len(result["rows"]) <= MAX_BARS:
        return []
    at = numeric[-1]
    sizes = [_size(row[at]) for row in result["rows"]]
    if any(size is None or size < 0 for size in sizes) or not any(sizes):
        return []
    return [
        Bar(_label(row[:at], result, at), cell_text(row[at]), size or 0)
        for row, size in zip(result["rows"], sizes, strict=True)
    ]


def _label(values: Sequence[Any], result: SqlResult, at: int) -> str:
    """Return the values that name a row: those of the columns without numbers, else the first one."""
    named = [
        cell_text(value)
        for value, column in zip(values, result["columns"][:at], strict=True)
        if not is_numeric(column["type"])
    ]
    return " · ".join(named or [cell_text(values[0])])


def _size(value: Any) -> float | None:
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return None
    return float(number) if number.is_finite() else None


def cell_text(value: Any) -> str:
    """Return a value as the page shows it."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(map(cell_text, value)) if isinstance(value, list) else str(value)
