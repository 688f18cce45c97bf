"""The seller's overview, and the lists that its script fetches."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from urllib.parse import urlencode

from fastapi import Request
from starlette.responses import Response

from common.request_path import in_path
from common.signals import SignalKind
from serving.analytics.dashboards import Dashboards
from serving.analytics.dependencies import DashboardsDep
from serving.analytics.orders import ORDER_TABLES
from serving.analytics.rankings import PRODUCT_TABLES
from serving.analytics.sales import SELLER_TABLES
from serving.analytics.sales_schemas import SellerSales
from serving.analytics.signals import Signal, SignalsRequest
from serving.analytics.tasks import TASK_TABLES
from serving.gateway.gateway import identity_of
from serving.kit.analytics_context import PeriodRequest, SalesSpan, utc_minute
from serving.kit.domain import opened
from serving.kit.parameters import (
    Cursor,
    PeriodDep,
    SellerId,
)
from serving.kit.periods import Grain
from serving.ops.dependencies import OpsDomain
from serving.web import presenters
from serving.web.policy import OF_SELLER, OF_STAFF, admits, may_manage, page_router
from serving.web.renderer import PageRenderer, not_stored_if
from serving.web.seller.choices import DEFAULT_PRESET, UNREGISTERED, PeriodChoiceDep, handed_on
from serving.web.translation import N_

ORDERS_PER_PAGE = 10
TOP_PRODUCTS = 8
TASKS = 5

router = page_router(OF_SELLER)


@router.get("/sell/{seller_id}")
async def seller(
    request: Request,
    dashboards: DashboardsDep,
    seller_id: SellerId,
    chosen: PeriodChoiceDep,
    grain: Grain | None = None,
) -> Response:
    """Return a seller's page. By default, it shows the 30 days up to the seller's newest sale.

    `until` is the last day, inclusive; `to` is the exclusive end, as in the API. The page has the figures.
    Its script fetches the lists (`seller_products`, `seller_orders`), which take several times as long.
    While ClickHouse does not answer, the page has the last figures, and says so.
    """
    pages = opened(request, PageRenderer)
    period: presenters.Preset = chosen.preset or DEFAULT_PRESET
    now = dashboards.analytics.context.clock()

    def period_of_preset(span: SalesSpan) -> PeriodRequest:
        first, newest = utc_minute(span.first), utc_minute(span.newest)
        return replace(presenters.preset_period(period, first, newest, now, pages.formatter), grain=grain)

    if chosen.has_days:
        requested = replace(chosen.days(pages.formatter), grain=grain)
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
        "seller/overview.html",
        seller=details or UNREGISTERED,
        registered=registered,
        newest=utc_minute(span.newest) if span else None,
        sales=sales,
        tiles=presenters.figure_tiles(sales, pages.formatter),
        sparks=presenters.sparklines(sales, chart["drawn"]),
        chart=chart,
        table_metrics=presenters.TABLE_METRICS,
        table=presenters.table(sales, chart["names"], chart["drawn"], pages.formatter),
        follows=(*SELLER_TABLES, *PRODUCT_TABLES, *ORDER_TABLES, *TASK_TABLES),
        period_query=_period_query(shown["from"].isoformat(), shown["to"].isoformat()),
        tabs=handed_on(request),
        selection=urlencode(chosen.choices()),
        period=None if chosen.has_days else period,
        grains=presenters.grains(shown["from"], shown["to"]),
        now=now,
        catching_up=opened(request, OpsDomain).freshness.is_catching_up(sales["as_of"]),
        may_manage=may_manage(identity_of(request).principal, seller_id),
    )
    return not_stored_if(sales["stale"], page)


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
    top = await dashboards.top_products(seller_id, requested, "net_sales", TOP_PRODUCTS)
    return not_stored_if(top["stale"], opened(request, PageRenderer)("seller/_top_products.html", top=top))


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
    template = "seller/_orders.html" if cursor is None else "seller/_order_rows.html"
    period_query = _period_query(requested.start, requested.end)
    return not_stored_if(
        orders["stale"], opened(request, PageRenderer)(template, orders=orders, period_query=period_query)
    )


@router.get("/sell/{seller_id}/tasks")
async def seller_tasks(request: Request, dashboards: DashboardsDep, seller_id: SellerId) -> Response:
    """Return only the lists of the orders to ship and of the products to reorder."""
    tasks = await dashboards.tasks_of_seller(seller_id, TASKS)
    page = opened(request, PageRenderer)(
        "seller/_tasks.html",
        tasks=tasks,
        is_staff=admits(OF_STAFF, identity_of(request).principal, seller_id),
        now=dashboards.analytics.context.clock(),
    )
    return not_stored_if(tasks["stale"], page)


def _period_query(start: str | None, end: str | None) -> str:
    """Return the query string of a period, with which the page fetches its lists."""
    bounds = {"from": start, "to": end}
    return urlencode({name: bound for name, bound in bounds.items() if bound})


NEWEST = 5

TITLES: dict[SignalKind, str] = {
    "payment_failures": N_("Payments fail"),
    "conversion_fall": N_("Fewer visitors buy"),
    "review_flood": N_("Many reviews"),
    "low_review_flood": N_("Many bad reviews"),
    "stock_end": N_("Stock ends before the next delivery"),
    "cancellation_wave": N_("Many cancellations"),
}

METRICS: dict[SignalKind, str] = {
    "payment_failures": "order_to_paid_rate",
    "conversion_fall": "visit_conversion_rate",
    "review_flood": "reviews",
    "low_review_flood": "review_score",
    "stock_end": "days_of_supply",
    "cancellation_wave": "cancellation_rate",
}
"""The metric of the catalogue that shows more about a signal without a product."""


def link_of(signal: Signal, seller_id: str) -> str:
    """Return the page of what a signal is about: the product, else the seller's metric."""
    if signal["subject_kind"] == "product":
        return f"/shop/products/{in_path(signal['subject_id'])}"
    return f"/sell/{in_path(seller_id)}/metrics?metric={METRICS[signal['kind']]}"


@router.get("/sell/{seller_id}/signals")
async def seller_signals(request: Request, dashboards: DashboardsDep, seller_id: SellerId) -> Response:
    """Return only the list of a seller's newest signals."""
    pages = opened(request, PageRenderer)
    shown = await dashboards.signals_of_seller(seller_id, SignalsRequest(PeriodRequest(), limit=NEWEST))
    page = pages(
        "seller/_signals.html",
        shown=shown,
        titles=TITLES,
        links=[link_of(signal, seller_id) for signal in shown["signals"]],
        now=dashboards.analytics.context.clock(),
    )
    return not_stored_if(shown["stale"], page)
