"""Adds all pages to the application; the routes of the start page and of the API reference."""

import asyncio
from typing import Annotated
from urllib.parse import urlencode

import orjson
from fastapi import APIRouter, Depends, FastAPI, Query, Request
from starlette.responses import Response

from common.demo_mode import is_demo
from common.ids import PRINTABLE
from common.problems import ErrorDescription, problem_response
from common.request_path import address_of
from common.settings import Settings
from serving.analytics.dashboards import Analytics, Dashboards
from serving.analytics.dependencies import AnalyticsDep, DashboardsDep
from serving.analytics.rankings import PopularProducts, SellerFound
from serving.analytics.sales import MARKETPLACE_TABLES
from serving.gateway.described_routes import guarded
from serving.gateway.gateway import identity_of, renewal
from serving.kit.analytics_context import utc_minute
from serving.kit.domain import OpenDomains, opened
from serving.kit.parameters import reject_repeated_parameters
from serving.kit.problems import ClickHouseUnavailable, RedisUnavailable
from serving.kit.rankings import Ranking
from serving.web import language_pages, presenters
from serving.web.admin import pages as admin
from serving.web.api_reference import reference
from serving.web.figures_state import are_catching_up, not_stored_if
from serving.web.people.demo import DemoAvailability, may_be_offered_demo
from serving.web.people.pages import ROUTERS as PEOPLE
from serving.web.policy import MARKETPLACE_READERS, POLICIES
from serving.web.problem_texts import problem_text
from serving.web.renderer import WEB_DIR, PageRenderer, VersionedFiles, vendor_folder
from serving.web.seller import alert_change as seller_alert_change
from serving.web.seller import alerts as seller_alerts
from serving.web.seller import change as seller_change
from serving.web.seller import customers as seller_customers
from serving.web.seller import earnings as seller_earnings
from serving.web.seller import fulfilment as seller_fulfilment
from serving.web.seller import live as seller_live
from serving.web.seller import metrics as seller_metrics
from serving.web.seller import overview as seller_overview
from serving.web.seller import recommendations as seller_recommendations
from serving.web.seller import replies as seller_replies
from serving.web.seller import reviews as seller_reviews
from serving.web.seller import signals as seller_signals
from serving.web.seller import sql as seller_sql
from serving.web.seller import views as seller_views
from serving.web.seller_admin import application as seller_application
from serving.web.seller_admin import costs as seller_costs
from serving.web.seller_admin import settings as seller_settings
from serving.web.storefront import pages as storefront
from serving.web.storefront import reviews, tiles, visitor

MAX_SELLERS = 5
"""The largest number of sellers in a search result."""

POPULAR_PRODUCTS = 8

router = APIRouter(
    route_class=guarded(POLICIES), include_in_schema=False, dependencies=[Depends(reject_repeated_parameters)]
)
Text = Annotated[str, Query(max_length=80, pattern=PRINTABLE)]


STATIC_FILES = frozenset({"/static", "/vendor", tiles.PATH})
"""Mounts and a route that everybody may read, also while the gateway refuses requests."""


def mount(app: FastAPI, settings: Settings, domains: OpenDomains) -> PageRenderer:
    """Add the pages and their static files to the application, and return what renders them.

    The renderer is there before the stores are open, because refused requests get a page, too.
    """
    pages = domains.add(PageRenderer(settings))
    domains.add(DemoAvailability(lambda: is_demo(settings)))
    sellers = (
        seller_application.router,
        router,
        language_pages.router,
        seller_overview.router,
        seller_metrics.router,
        seller_change.router,
        seller_customers.router,
        seller_signals.router,
        seller_live.router,
        seller_earnings.router,
        seller_fulfilment.router,
        seller_reviews.router,
        seller_replies.router,
        seller_recommendations.router,
        seller_sql.router,
        seller_alerts.router,
        seller_alert_change.router,
        seller_views.router,
        seller_settings.router,
        seller_costs.router,
    )  # /sell/apply before /sell/{seller_id}
    for each in (*sellers, storefront.router, reviews.router, visitor.router, *PEOPLE, *admin.ROUTERS):
        app.include_router(each)
    app.router.routes.append(tiles.route(pages.version))
    app.mount("/static", VersionedFiles(WEB_DIR / "static", pages.version), name="static")
    app.mount("/vendor", VersionedFiles(vendor_folder(settings), pages.version, check_dir=False), "vendor")
    return pages


def accepts_page(path: str, accept: str) -> bool:
    """Return whether a problem is a page for a client that sends this header `Accept`."""
    return "text/html" in accept and not path.startswith(("/v1/", "/ready"))


def render_problem(request: Request, described: ErrorDescription) -> Response:
    """Return a problem as a page if the client accepts HTML, else as `application/problem+json`."""
    path = request.url.path
    if not accepts_page(path, request.headers.get("Accept", "")):
        return problem_response(request, described)
    # If only the period is invalid, the page links back to the seller.
    is_of_seller = path.startswith("/sell/") and described.status == 422
    seller_path = address_of(request).partition("?")[0] if is_of_seller else None
    response = _pages(request)(
        "problem.html",
        described.status,
        problem=described,
        detail=problem_text(described.kind, described.detail),
        seller_path=seller_path,
        in_shop=path.startswith("/shop"),
        sign_in_path=_sign_in_path(request) if described.status in (401, 403) else None,
    )
    response.headers.update(described.headers)
    return response


def _sign_in_path(request: Request) -> str:
    """Return the address of the sign-in, which leads back to the page of a `GET` request."""
    target = {"next": address_of(request)} if request.method == "GET" else {}
    return "/sign-in" + (f"?{urlencode(target)}" if target else "")


def _reads_marketplace(request: Request) -> bool:
    """Return whether the sender may see what every seller earned."""
    principal = identity_of(request).principal
    return principal is not None and bool(principal.roles & MARKETPLACE_READERS)


def _own_sellers(request: Request) -> frozenset[str]:
    """Return the sellers whose pages the sender may open."""
    principal = identity_of(request).principal
    return frozenset(principal.sellers) if principal else frozenset()


def _pages(request: Request) -> PageRenderer:
    return opened(request, PageRenderer)


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
            may_be_offered_demo(request),
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
        "all", utc_minute(span.first), utc_minute(span.newest), service.context.clock(), pages.formatter
    )
    sales, found, popular, look_as = await asyncio.gather(
        dashboards.sales_of_marketplace(requested),
        _find_sellers(dashboards, q),
        _popular(service, ranking),
        may_be_offered_demo(request),
    )
    page = pages(
        "start.html",
        q=q,
        sales=sales,
        empty=span.newest is None,
        chart=presenters.chart(sales, pages.formatter),
        note=presenters.net_sales_note(sales["totals"], pages.formatter),
        follows=MARKETPLACE_TABLES,
        found=found,
        figures=True,
        look_as=look_as,
        own_sellers=frozenset(),
        popular=popular,
        ranking=ranking,
        now=service.context.clock(),
        catching_up=are_catching_up(request, sales["as_of"]),
    )
    return not_stored_if(sales["stale"], page)


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
        look_as=not figures and await may_be_offered_demo(request),
        own_sellers=_own_sellers(request),
    )


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


async def _popular(service: Analytics, ranking: Ranking) -> PopularProducts | None:
    try:
        return await service.rankings.popular(ranking, POPULAR_PRODUCTS)
    except RedisUnavailable:
        return None  # the rest of the start page does not need Redis
