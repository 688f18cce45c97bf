"""`/sell/{seller_id}/recommendations`: how often offers were recommended, and what that led to."""

import asyncio
from urllib.parse import urlencode

from fastapi import Request
from starlette.responses import Response

from clickhouse.metric_catalogue.definition import read_catalogue
from common.problems import Problem
from serving.analytics.dependencies import DashboardsDep
from serving.analytics.metrics import Compare, MetricsRequest
from serving.kit.domain import opened
from serving.kit.parameters import SellerId
from serving.recommendations.dependencies import RecommendationsDomain
from serving.recommendations.experiment_schemas import RecommendationUplift
from serving.web.policy import OF_SELLER, page_router
from serving.web.renderer import PageRenderer
from serving.web.seller.choices import (
    PeriodChoiceDep,
    chosen_period,
    figures_page,
)
from serving.web.seller.metrics import figures_of
from serving.web.seller.panels import domain_metrics, file_bounds, metric_table

METRICS = domain_metrics("recommendations")
BY_PRODUCT = (
    "attributed_sales",
    "attributed_orders",
    "recommendation_impressions",
    "recommendation_clicks",
    "click_through_rate",
)
UPLIFT_DAYS = 28
"""The uplift is that of the last four weeks, whatever period the page shows: shorter ones say nothing."""

UPLIFT_TIMEOUT_S = 3.0
"""An uplift that takes longer is left out of the page."""

BY_SURFACE = ("recommendation_impressions", "recommendation_clicks", "click_through_rate")

router = page_router(OF_SELLER)


@router.get("/sell/{seller_id}/recommendations")
async def seller_recommendations(
    request: Request,
    dashboards: DashboardsDep,
    seller_id: SellerId,
    period: PeriodChoiceDep,
    compare: Compare = "previous",
) -> Response:
    """Return the page. Its links change one choice each and keep the other; it needs no script."""
    formatter = opened(request, PageRenderer).formatter
    requested = await chosen_period(dashboards, seller_id, period, formatter)
    details, uplift, shown, (_, by_product), (_, by_surface) = await asyncio.gather(
        dashboards.seller(seller_id),
        _uplift(request, seller_id),
        dashboards.metrics_of_seller(seller_id, MetricsRequest(METRICS, requested, compare)),
        metric_table(dashboards, seller_id, BY_PRODUCT, "product", requested, formatter),
        metric_table(dashboards, seller_id, BY_SURFACE, "surface", requested, formatter),
    )
    choices = period.choices(compare=compare)
    return figures_page(
        request,
        "seller/recommendations.html",
        dashboards,
        details,
        choices,
        stale=shown["stale"],
        shown=shown,
        uplift=uplift,
        figures=figures_of(shown, formatter),
        attributed=read_catalogue()["attributed_sales"],
        by_product=by_product,
        by_surface=by_surface,
        export=urlencode({"with": ",".join(METRICS[1:]), **file_bounds(shown)}),
    )


async def _uplift(request: Request, seller_id: str) -> RecommendationUplift | None:
    """Return what recommendations brought the seller; None if it can't be computed in time."""
    service = opened(request, RecommendationsDomain).uplift
    try:
        return await asyncio.wait_for(service.of_seller(seller_id, UPLIFT_DAYS), UPLIFT_TIMEOUT_S)
    except (Problem, TimeoutError):
        return None
