"""Adds all pages to the application; the start page, the API reference, and the choice of a language."""

import asyncio
from typing import Annotated
from urllib.parse import urlencode

import orjson
from fastapi import FastAPI, Query, Request
from starlette.responses import RedirectResponse, Response

from common.demo_mode import is_demo
from common.host_check import host_name, is_loopback
from common.ids import PRINTABLE
from common.problems import ErrorDescription, problem_response
from common.request_path import address_of
from common.settings import Settings
from serving.analytics.dashboards import Analytics, Dashboards
from serving.analytics.dependencies import AnalyticsDep, DashboardsDep
from serving.analytics.rankings import PopularProducts, SellerFound
from serving.analytics.sales import MARKETPLACE_TABLES
from serving.gateway.gateway import identity_of, renewal
from serving.gateway.sign_in_redirect import DEFAULT, page_of_form
from serving.kit.analytics_context import utc_minute
from serving.kit.domain import OpenDomains, opened
from serving.kit.http_caching import PRIVATE_NO_STORE
from serving.kit.problems import ClickHouseUnavailable, RedisUnavailable
from serving.kit.rankings import Ranking
from serving.ops.dependencies import OpsDomain
from serving.web import presenters
from serving.web.account.demo import DemoAvailability, may_be_offered_demo
from serving.web.account.pages import ROUTERS as ACCOUNT
from serving.web.admin.pages import ROUTERS as ADMIN
from serving.web.api_reference import reference
from serving.web.forms import BadField, read_form
from serving.web.language import COOKIE, COOKIE_MAX_AGE_S, LANGUAGES
from serving.web.policy import ANYBODY, MARKETPLACE_READERS, page_router
from serving.web.renderer import WEB_DIR, PageRenderer, VersionedFiles, not_stored_if, vendor_folder
from serving.web.seller.pages import ROUTERS as SELLERS
from serving.web.storefront import tiles
from serving.web.storefront.pages import ROUTERS as SHOP
from serving.web.texts import problem_text
from serving.web.translation import gettext

MAX_SELLERS = 5
"""The largest number of sellers in a search result."""

POPULAR_PRODUCTS = 8

router = page_router(ANYBODY)
Text = Annotated[str, Query(max_length=80, pattern=PRINTABLE)]


STATIC_FILES = frozenset({"/static", "/vendor", tiles.PATH})
"""Mounts and a route that everybody may read, also while the gateway refuses requests."""


def mount(app: FastAPI, settings: Settings, domains: OpenDomains) -> PageRenderer:
    """Add the pages and their static files to the application, and return what renders them.

    The renderer is there before the stores are open, because refused requests get a page, too.
    """
    pages = domains.add(PageRenderer(settings))
    domains.add(DemoAvailability(lambda: is_demo(settings)))
    for each in (router, *SELLERS, *SHOP, *ACCOUNT, *ADMIN):
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
    response = opened(request, PageRenderer)(
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
    pages = opened(request, PageRenderer)
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
        catching_up=opened(request, OpsDomain).freshness.is_catching_up(sales["as_of"]),
    )
    return not_stored_if(sales["stale"], page)


@router.get("/sellers")
async def sellers(request: Request, dashboards: DashboardsDep, q: Text = "") -> Response:
    """Return only the list of found sellers, for the search while typing."""
    found = await _find_sellers(dashboards, q)
    figures = _reads_marketplace(request)
    return opened(request, PageRenderer)(
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
    return opened(request, PageRenderer)("docs.html", api=reference(request.app.openapi()))


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


@router.post("/language")
async def choose_page_language(request: Request) -> Response:
    """Store the language in a cookie, and go back to the page with the form.

    Raises:
        BadField: the language is not one of the pages.
    """
    language = (await read_form(request)).text("language")
    if language not in LANGUAGES:
        raise BadField(gettext("The pages are in %(languages)s.", languages=", ".join(LANGUAGES.values())))
    response = RedirectResponse(page_of_form(request) or DEFAULT, 303, {"Cache-Control": PRIVATE_NO_STORE})
    secure = not is_loopback(host_name(request.headers.get("host", "")))
    response.set_cookie(
        COOKIE, language, max_age=COOKIE_MAX_AGE_S, httponly=True, samesite="lax", secure=secure
    )
    return response
