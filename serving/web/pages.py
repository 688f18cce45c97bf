"""The pages beside the shop's: the start page, a seller's page, and the API's description."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, FastAPI, Query, Request
from starlette.responses import Response

from common.ids import PRINTABLE
from common.problems import Described, as_json
from common.settings import Settings
from serving.analytics.parameters import AskedPeriod, Cursor, SellerId, Service, each_once
from serving.analytics.periods import Grain
from serving.analytics.popular import Ranking
from serving.analytics.schemas.products import PopularProducts
from serving.analytics.schemas.sales import SellerSales
from serving.analytics.service import Analytics
from serving.analytics.service.orders import ORDER_TABLES
from serving.analytics.service.rankings import PRODUCT_TABLES
from serving.analytics.service.sales import MARKETPLACE_TABLES, SELLER_TABLES
from serving.analytics.service.shop import Asked, Span, utc_minute
from serving.clickhouse import Row
from serving.problems import RedisUnavailable
from serving.web import views
from serving.web.reference import reference
from serving.web.rendering import HERE, Pages, Versioned, vendor_folder
from serving.web.storefront import pages as storefront

FOUND = 5
"""Sellers that a search shows."""
ORDERS = 10
PRODUCTS = 8
POPULAR = 8

OPENS_ON: views.Preset = "30d"
"""What a seller's page shows: the period that is left open."""

UNREGISTERED: Row = dict.fromkeys(("name", "city", "state"))
"""What is known of a seller who was only ever seen in a sale."""

router = APIRouter(include_in_schema=False, dependencies=[Depends(each_once)])
Text = Annotated[str, Query(max_length=80, pattern=PRINTABLE)]
Bound = Annotated[str, Query(max_length=40, pattern=PRINTABLE)]
From = Annotated[str, Query(alias="from", max_length=40, pattern=PRINTABLE)]


def mount(app: FastAPI, settings: Settings) -> None:
    """Add the pages and their files to the app."""
    app.state.pages = Pages(settings)
    app.include_router(router)
    app.include_router(storefront.router)
    app.mount("/static", Versioned(directory=HERE / "static"), name="static")
    app.mount("/vendor", Versioned(directory=vendor_folder(settings), check_dir=False), name="vendor")


def show_problem(request: Request, described: Described) -> Response:
    """A page for someone who looks at pages, `application/problem+json` for every program."""
    path = request.url.path
    wants_page = "text/html" in request.headers.get("Accept", "") and not path.startswith(("/v1/", "/ready"))
    if not wants_page:
        return as_json(request, described)
    # A seller's page keeps the seller when only its period can't be shown.
    own = path if path.startswith("/sell/") and described.status == 422 else None
    response = _pages(request)(
        "problem.html", described.status, problem=described, own=own, in_shop=path.startswith("/shop")
    )
    response.headers.update(described.headers)
    return response


def _pages(request: Request) -> Pages:
    pages: Pages = request.app.state.pages
    return pages


@router.get("/")
async def start(request: Request, service: Service, q: Text = "", ranking: Ranking = "popular") -> Response:
    """Leads to the shop, finds sellers; shows the whole marketplace and what is popular."""
    pages = _pages(request)
    span = await service.shop.span()
    asked = views.preset_period("all", utc_minute(span.first), utc_minute(span.newest), pages.write)
    sales, found, popular = await asyncio.gather(
        service.sales.of_marketplace(asked),
        service.rankings.find_sellers(q, FOUND),
        _popular(service, ranking),
    )
    return pages(
        "start.html",
        q=q,
        sales=sales,
        empty=span.newest is None,
        chart=views.chart(sales, pages.write),
        follows=MARKETPLACE_TABLES,
        found=found["sellers"],
        popular=popular,
        ranking=ranking,
        now=service.shop.clock(),
    )


@router.get("/sellers")
async def sellers(request: Request, service: Service, q: Text = "") -> Response:
    """The list of found sellers alone, for the search as one types."""
    found = await service.rankings.find_sellers(q, FOUND)
    return _pages(request)("_sellers.html", q=q, found=found["sellers"])


@router.get("/sell/{seller_id}")
async def seller(
    request: Request,
    service: Service,
    seller_id: SellerId,
    period: views.Preset = OPENS_ON,
    start: From = "",
    until: Bound = "",
    grain: Grain | None = None,
) -> Response:
    """A seller's page: opens on the newest 30 days that have sales; `until` is the last day, included.

    It has the figures; its lists (`seller_products`, `seller_orders`) are fetched by it when it is there, for
    they take several times as long.
    """
    pages = _pages(request)
    custom = bool(start or until)
    kept = urlencode({"from": start, "until": until} if custom else {"period": period})

    def chosen(sold: Span) -> Asked:
        first, newest = utc_minute(sold.first), utc_minute(sold.newest)
        return replace(views.preset_period(period, first, newest, pages.write), grain=grain)

    if custom:
        asked = replace(views.custom_period(start, until, pages.write), grain=grain)
        figures = service.sales.of_seller(seller_id, asked)
    elif period == OPENS_ON:
        figures = service.sales.of_seller(seller_id, Asked(grain=grain))
    else:
        figures = _of_preset(service, seller_id, chosen)
    who, sales = await asyncio.gather(service.shop.registered(seller_id), figures)
    # The newest sale is told where there is none to be seen, so only then is it looked up.
    sold = None if sales["totals"]["orders"] else await service.shop.sold(seller_id)
    shown = sales["period"]
    chart = views.chart(sales, pages.write)
    return pages(
        "seller.html",
        seller=who or UNREGISTERED,
        registered=utc_minute(who["registered_at"]) if who else None,
        newest=utc_minute(sold.newest) if sold else None,
        sales=sales,
        tiles=views.tiles(sales, pages.write),
        sparks=views.sparklines(sales),
        chart=chart,
        table=views.table(sales, chart["names"], pages.write),
        follows=(*SELLER_TABLES, *PRODUCT_TABLES, *ORDER_TABLES),
        of_period=_of_period(shown["from"].isoformat(), shown["to"].isoformat()),
        kept=kept,
        period=None if custom else period,
        last_day=(shown["to"] - timedelta(minutes=1)).date().isoformat(),
        grains=views.grains(shown["from"], shown["to"]),
        now=service.shop.clock(),
    )


async def _of_preset(service: Analytics, seller_id: str, chosen: Callable[[Span], Asked]) -> SellerSales:
    """What a seller sold in a period that is chosen by when they sold something.

    When that was is looked up. Of one of whom it was before, the period is likely the same: both are asked at
    once, and the sales once more where it is not.
    """
    seen = service.shop.seen(seller_id)
    if seen is None:
        return await service.sales.of_seller(seller_id, chosen(await service.shop.sold(seller_id)))
    likely = chosen(seen)
    sold, found = await asyncio.gather(
        service.shop.sold(seller_id), service.sales.of_seller(seller_id, likely)
    )
    asked = chosen(sold)
    return found if asked == likely else await service.sales.of_seller(seller_id, asked)


@router.get("/sell/{seller_id}/products")
async def seller_products(
    request: Request, service: Service, seller_id: SellerId, asked: AskedPeriod
) -> Response:
    """The list of the seller's best products alone."""
    top = await service.rankings.top_products(seller_id, asked, "revenue", PRODUCTS)
    return _pages(request)("_top.html", top=top)


@router.get("/sell/{seller_id}/orders")
async def seller_orders(
    request: Request,
    service: Service,
    seller_id: SellerId,
    asked: AskedPeriod,
    cursor: Cursor | None = None,
) -> Response:
    """The list of the seller's newest orders alone; with a cursor the rows that follow."""
    orders = await service.orders.of_seller(seller_id, asked, cursor, ORDERS)
    template = "_orders.html" if cursor is None else "_order_rows.html"
    return _pages(request)(template, orders=orders, of_period=_of_period(asked.start, asked.end))


def _of_period(start: str | None, end: str | None) -> str:
    """The query by which a list, and the rows that follow, are of the period of what they belong to."""
    bounds = {"from": start, "to": end}
    return urlencode({name: bound for name, bound in bounds.items() if bound})


@router.get("/docs")
async def docs(request: Request) -> Response:
    """The API in words, from its own OpenAPI description."""
    return _pages(request)("docs.html", api=reference(request.app.openapi()))


async def _popular(service: Analytics, ranking: Ranking) -> PopularProducts | None:
    try:
        return await service.rankings.popular(ranking, POPULAR)
    except RedisUnavailable:
        return None  # the rest of the start page needs no Redis
