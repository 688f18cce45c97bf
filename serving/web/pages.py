"""The routes of the start page, the seller's page and the API reference."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Annotated
from urllib.parse import urlencode

import orjson
from fastapi import APIRouter, Depends, FastAPI, Query, Request
from starlette.responses import Response

from common.ids import PRINTABLE
from common.problems import ErrorDescription, problem_response
from common.settings import Settings
from serving.analytics.parameters import AnalyticsDep, Cursor, DashboardsDep, PeriodDep, SellerId, period_end
from serving.analytics.periods import Grain
from serving.analytics.popular import Ranking
from serving.analytics.schemas.products import PopularProducts
from serving.analytics.schemas.sales import SellerSales
from serving.analytics.schemas.sellers import SellerFound
from serving.analytics.service import Analytics
from serving.analytics.service.context import PeriodRequest, SalesSpan, utc_minute
from serving.analytics.service.dashboards import Dashboards
from serving.analytics.service.orders import ORDER_TABLES
from serving.analytics.service.rankings import PRODUCT_TABLES
from serving.analytics.service.sales import MARKETPLACE_TABLES, SELLER_TABLES
from serving.analytics.service.tasks import TASK_TABLES
from serving.clickhouse import Row
from serving.gateway.described_routes import guarded
from serving.gateway.gateway import identity_of, renewal
from serving.http_caching import PRIVATE_NO_STORE
from serving.ops.figures_freshness import FiguresFreshness
from serving.parameters import reject_repeated_parameters
from serving.problems import ClickHouseUnavailable, RedisUnavailable
from serving.web import presenters, seller_change, seller_metrics, seller_sql
from serving.web.admin import pages as admin
from serving.web.api_reference import reference
from serving.web.people.demo import DemoAvailability, is_demo_offered
from serving.web.people.pages import ROUTERS as PEOPLE
from serving.web.policy import MARKETPLACE_READERS, POLICIES
from serving.web.renderer import WEB_DIR, PageRenderer, VersionedFiles, vendor_folder
from serving.web.seller_admin import application as seller_application
from serving.web.seller_admin import settings as seller_settings
from serving.web.seller_admin.policy import may_manage
from serving.web.storefront import pages as storefront
from serving.web.storefront import visitor

MAX_SELLERS = 5
"""The largest number of sellers in a search result."""

ORDERS_PER_PAGE = 10
TOP_PRODUCTS = 8
TASKS = 5
POPULAR_PRODUCTS = 8

DEFAULT_PRESET: presenters.Preset = "30d"
"""The period that a seller's page opens with."""

UNREGISTERED: Row = dict.fromkeys(("name", "city", "state"))
"""The name and place of a seller that never registered."""

router = APIRouter(
    route_class=guarded(POLICIES), include_in_schema=False, dependencies=[Depends(reject_repeated_parameters)]
)
Text = Annotated[str, Query(max_length=80, pattern=PRINTABLE)]
Bound = Annotated[str, Query(max_length=40, pattern=PRINTABLE)]
To = Annotated[str, Query(alias="to", max_length=40, pattern=PRINTABLE)]
From = Annotated[str, Query(alias="from", max_length=40, pattern=PRINTABLE)]


STATIC_FILES = frozenset({"/static", "/vendor"})
"""Mounts that everybody may read."""


def mount(app: FastAPI, settings: Settings) -> None:
    """Add the pages and their static files to the application."""
    app.state.pages = pages = PageRenderer(settings)
    app.state.demo = DemoAvailability()
    sellers = (
        seller_application.router,
        router,
        seller_metrics.router,
        seller_change.router,
        seller_sql.router,
        seller_settings.router,
    )  # /sell/apply before /sell/{seller_id}
    for each in (*sellers, storefront.router, visitor.router, *PEOPLE, *admin.ROUTERS):
        app.include_router(each)
    app.mount("/static", VersionedFiles(WEB_DIR / "static", pages.version), name="static")
    app.mount("/vendor", VersionedFiles(vendor_folder(settings), pages.version, check_dir=False), "vendor")


def render_problem(request: Request, described: ErrorDescription) -> Response:
    """Return a problem as a page if the client accepts HTML, else as `application/problem+json`."""
    path = request.url.path
    accepts_page = "text/html" in request.headers.get("Accept", "") and not path.startswith(
        ("/v1/", "/ready")
    )
    if not accepts_page:
        return problem_response(request, described)
    # If only the period is invalid, the page links back to the seller.
    seller_path = path if path.startswith("/sell/") and described.status == 422 else None
    response = _pages(request)(
        "problem.html",
        described.status,
        problem=described,
        seller_path=seller_path,
        in_shop=path.startswith("/shop"),
        sign_in_path=_sign_in_path(request) if described.status in (401, 403) else None,
    )
    response.headers.update(described.headers)
    return response


def _sign_in_path(request: Request) -> str:
    """Return the address of the sign-in, which leads back to the page of a `GET` request."""
    query = f"?{request.url.query}" if request.url.query else ""
    target = {"next": request.url.path + query} if request.method == "GET" else {}
    return "/sign-in" + (f"?{urlencode(target)}" if target else "")


def _is_catching_up(request: Request, as_of: datetime | None) -> bool:
    freshness: FiguresFreshness = request.app.state.freshness
    return freshness.is_catching_up(as_of)


def _reads_marketplace(request: Request) -> bool:
    """Return whether the sender may see what every seller earned."""
    principal = identity_of(request).principal
    return principal is not None and bool(principal.roles & MARKETPLACE_READERS)


def _own_sellers(request: Request) -> frozenset[str]:
    """Return the sellers whose pages the sender may open."""
    principal = identity_of(request).principal
    return frozenset(principal.sellers) if principal else frozenset()


def _pages(request: Request) -> PageRenderer:
    pages: PageRenderer = request.app.state.pages
    return pages


@router.get("/")
async def start(
    request: Request,
    service: AnalyticsDep,
    dashboards: DashboardsDep,
    q: Text = "",
    ranking: Ranking = "popular",
) -> Response:
    """Return the start page: sellers and popular products. Analysts also see the marketplace's figures.

    In the demo, on the machine on which it runs, it offers to look around as somebody else.
    """
    if redirect := renewal(request):
        return redirect
    pages = _pages(request)
    if not _reads_marketplace(request):
        found, popular, look_as = await asyncio.gather(
            _find_sellers(dashboards, q),
            _popular(service, ranking),
            is_demo_offered(request),
        )
        return pages(
            "welcome.html",
            q=q,
            found=found,
            figures=False,
            look_as=look_as,
            own_sellers=_own_sellers(request),
            popular=popular,
            ranking=ranking,
        )
    span = await dashboards.marketplace_span()
    requested = presenters.preset_period(
        "all", utc_minute(span.first), utc_minute(span.newest), pages.formatter
    )
    sales, found, popular, look_as = await asyncio.gather(
        dashboards.sales_of_marketplace(requested),
        _find_sellers(dashboards, q),
        _popular(service, ranking),
        is_demo_offered(request),
    )
    page = pages(
        "start.html",
        q=q,
        sales=sales,
        empty=span.newest is None,
        chart=presenters.chart(sales, pages.formatter),
        note=presenters.revenue_note(sales["totals"], pages.formatter),
        follows=MARKETPLACE_TABLES,
        found=found,
        figures=True,
        look_as=look_as,
        own_sellers=frozenset(),
        popular=popular,
        ranking=ranking,
        now=service.context.clock(),
        catching_up=_is_catching_up(request, sales["as_of"]),
    )
    return _not_stored_if(sales["stale"], page)


@router.get("/sellers")
async def sellers(request: Request, dashboards: DashboardsDep, q: Text = "") -> Response:
    """Return only the list of found sellers, for the search while typing."""
    found = await _find_sellers(dashboards, q)
    figures = _reads_marketplace(request)
    return _pages(request)(
        "_seller_rows.html",
        q=q,
        found=found,
        figures=figures,
        look_as=not figures and await is_demo_offered(request),
        own_sellers=_own_sellers(request),
    )


@router.get("/sell/{seller_id}")
async def seller(
    request: Request,
    dashboards: DashboardsDep,
    seller_id: SellerId,
    period: presenters.Preset = DEFAULT_PRESET,
    start: From = "",
    until: Bound = "",
    end: To = "",
    grain: Grain | None = None,
) -> Response:
    """Return a seller's page. By default, it shows the 30 days up to the seller's newest sale.

    `until` is the last day, inclusive; `to` is the exclusive end, as in the API. The page has the figures.
    Its script fetches the lists (`seller_products`, `seller_orders`), which take several times as long.
    While ClickHouse does not answer, the page has the last figures, and says so.
    """
    pages = _pages(request)
    custom = bool(start or until or end)
    bounds = {"from": start, "until": until, "to": end}
    selection = urlencode(
        {name: bound for name, bound in bounds.items() if bound} if custom else {"period": period}
    )

    def period_of_preset(span: SalesSpan) -> PeriodRequest:
        first, newest = utc_minute(span.first), utc_minute(span.newest)
        return replace(presenters.preset_period(period, first, newest, pages.formatter), grain=grain)

    if end:
        requested = PeriodRequest(start or None, period_end(end, until or None), grain)
        figures = dashboards.sales_of_seller(seller_id, requested)
    elif custom:
        requested = replace(presenters.custom_period(start, until, pages.formatter), grain=grain)
        figures = dashboards.sales_of_seller(seller_id, requested)
    elif period == DEFAULT_PRESET:
        figures = dashboards.sales_of_seller(seller_id, PeriodRequest(grain=grain))
    else:
        figures = _sales_of_preset(dashboards, seller_id, period_of_preset)
    details, sales = await asyncio.gather(dashboards.seller(seller_id), figures)
    # The page shows the date of the newest sale only if the period has no sale.
    span = None if sales["totals"]["orders"] else await dashboards.seller_span(seller_id)
    shown = sales["period"]
    registered = utc_minute(details["registered_at"]) if details else None
    chart = presenters.chart(sales, pages.formatter, registered)
    page = pages(
        "seller.html",
        seller=details or UNREGISTERED,
        registered=registered,
        newest=utc_minute(span.newest) if span else None,
        sales=sales,
        tiles=presenters.figure_tiles(sales, pages.formatter),
        sparks=presenters.sparklines(sales, chart["drawn"]),
        chart=chart,
        table=presenters.table(sales, chart["names"], chart["drawn"], pages.formatter),
        follows=(*SELLER_TABLES, *PRODUCT_TABLES, *ORDER_TABLES, *TASK_TABLES),
        period_query=_period_query(shown["from"].isoformat(), shown["to"].isoformat()),
        selection=selection,
        period=None if custom else period,
        last_day=(shown["to"] - timedelta(minutes=1)).date().isoformat(),
        grains=presenters.grains(shown["from"], shown["to"]),
        now=dashboards.analytics.context.clock(),
        catching_up=_is_catching_up(request, sales["as_of"]),
        may_manage=may_manage(identity_of(request).principal, seller_id),
    )
    return _not_stored_if(sales["stale"], page)


async def _sales_of_preset(
    dashboards: Dashboards, seller_id: str, period_of_preset: Callable[[SalesSpan], PeriodRequest]
) -> SellerSales:
    """Return a seller's sales in a period that depends on when the seller first and last sold something.

    If that was looked up before, the period has probably not changed. Then the lookup and the sales of the
    likely period are queried at the same time. If the period has changed, the sales are queried again.
    """
    cached = dashboards.analytics.context.cached_span(seller_id)
    if cached is None:
        span = await dashboards.seller_span(seller_id)
        return await dashboards.sales_of_seller(seller_id, period_of_preset(span))
    likely = period_of_preset(cached)
    span, sales = await asyncio.gather(
        dashboards.seller_span(seller_id), dashboards.sales_of_seller(seller_id, likely)
    )
    requested = period_of_preset(span)
    return sales if requested == likely else await dashboards.sales_of_seller(seller_id, requested)


@router.get("/sell/{seller_id}/products")
async def seller_products(
    request: Request, dashboards: DashboardsDep, seller_id: SellerId, requested: PeriodDep
) -> Response:
    """Return only the list of a seller's best products."""
    top = await dashboards.top_products(seller_id, requested, "revenue", TOP_PRODUCTS)
    return _not_stored_if(top["stale"], _pages(request)("_top_products.html", top=top))


@router.get("/sell/{seller_id}/orders")
async def seller_orders(
    request: Request,
    dashboards: DashboardsDep,
    seller_id: SellerId,
    requested: PeriodDep,
    cursor: Cursor | None = None,
) -> Response:
    """Return only the list of a seller's newest orders; with a cursor, only the rows that follow."""
    orders = await dashboards.orders_of_seller(seller_id, requested, cursor, ORDERS_PER_PAGE)
    template = "_orders.html" if cursor is None else "_order_rows.html"
    period_query = _period_query(requested.start, requested.end)
    return _not_stored_if(
        orders["stale"], _pages(request)(template, orders=orders, period_query=period_query)
    )


@router.get("/sell/{seller_id}/tasks")
async def seller_tasks(request: Request, dashboards: DashboardsDep, seller_id: SellerId) -> Response:
    """Return only the lists of the orders to ship and of the products to reorder."""
    tasks = await dashboards.tasks_of_seller(seller_id, TASKS)
    now = dashboards.analytics.context.clock()
    return _not_stored_if(tasks["stale"], _pages(request)("_tasks.html", tasks=tasks, now=now))


def _period_query(start: str | None, end: str | None) -> str:
    """Return the query string of a period, with which the page fetches its lists."""
    bounds = {"from": start, "to": end}
    return urlencode({name: bound for name, bound in bounds.items() if bound})


@router.get("/docs")
async def docs(request: Request) -> Response:
    """Return the API reference, made from the OpenAPI description."""
    return _pages(request)("docs.html", api=reference(request.app.openapi()))


@router.get("/openapi.json")
async def openapi(request: Request) -> Response:
    """Return the OpenAPI description of the API."""
    return Response(orjson.dumps(request.app.openapi()), media_type="application/json")


async def _find_sellers(dashboards: Dashboards, text: str) -> list[SellerFound] | None:
    """Return the sellers that match; None if ClickHouse does not answer, and the last ones are not known."""
    try:
        if text.strip():
            found = await dashboards.analytics.rankings.find_sellers(text, MAX_SELLERS)
        else:
            found = await dashboards.best_sellers(MAX_SELLERS)
    except ClickHouseUnavailable:
        return None
    return found["sellers"]


def _not_stored_if(stale: bool, page: Response) -> Response:
    """Return a page; if its figures are stale, nobody stores it."""
    if stale:
        page.headers["Cache-Control"] = PRIVATE_NO_STORE
    return page


async def _popular(service: Analytics, ranking: Ranking) -> PopularProducts | None:
    try:
        return await service.rankings.popular(ranking, POPULAR_PRODUCTS)
    except RedisUnavailable:
        return None  # the rest of the start page does not need Redis
