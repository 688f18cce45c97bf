"""`/sell/{seller_id}/reviews`: the score and its trend, the newest reviews, and the products behind them."""

import asyncio
from collections.abc import Mapping
from typing import Literal
from urllib.parse import urlencode

from fastapi import Request
from starlette.responses import Response

from clickhouse.metric_catalogue.definition import read_catalogue
from serving.analytics.dependencies import DashboardsDep
from serving.analytics.metric_schemas import SellerMetrics
from serving.analytics.metrics import Compare, MetricsRequest
from serving.analytics.reviews import ReviewsRequest
from serving.kit.domain import opened
from serving.kit.parameters import Cursor, SellerId
from serving.web.formatter import Formatter
from serving.web.policy import OF_SELLER, page_router
from serving.web.renderer import PageRenderer
from serving.web.seller.choices import (
    PeriodChoiceDep,
    all_time,
    chosen_period,
    figures_page,
)
from serving.web.seller.metrics import figures_of, metric_text
from serving.web.seller.panels import file_bounds, metric_table, source_metrics
from serving.web.translation import N_

METRICS = source_metrics("review_scores")
TREND = ("review_score", "reviews")
BY_PRODUCT = ("reviews", "review_score", "low_score_share")
SHOWN = 15

Scores = Literal["all", "low", "middle", "high"]
SCORES: Mapping[Scores, tuple[str, int, int]] = {
    "all": (N_("All"), 1, 5),
    "low": (N_("1 and 2"), 1, 2),
    "middle": ("3", 3, 3),
    "high": (N_("4 and 5"), 4, 5),
}
"""Which reviews are listed: the text of the choice, the lowest and the highest score."""

router = page_router(OF_SELLER)


@router.get("/sell/{seller_id}/reviews")
async def seller_reviews_page(
    request: Request,
    dashboards: DashboardsDep,
    seller_id: SellerId,
    period: PeriodChoiceDep,
    compare: Compare = "previous",
    scores: Scores = "all",
    cursor: Cursor | None = None,
) -> Response:
    """Return the page. Its links change one choice each and keep the others; it needs no script."""
    formatter = opened(request, PageRenderer).formatter
    requested, always = await asyncio.gather(
        chosen_period(dashboards, seller_id, period, formatter, "90d"),
        all_time(dashboards, seller_id, formatter),
    )
    _, lowest, highest = SCORES[scores]
    details, shown, (_, by_score), (_, by_product), listed = await asyncio.gather(
        dashboards.seller(seller_id),
        dashboards.metrics_of_seller(seller_id, MetricsRequest(METRICS, requested, compare)),
        metric_table(dashboards, seller_id, ("reviews",), "score", requested, formatter),
        metric_table(dashboards, seller_id, BY_PRODUCT, "product", requested, formatter),
        dashboards.reviews_of_seller(seller_id, ReviewsRequest(always, lowest, highest), cursor, SHOWN),
    )
    choices = period.choices("90d", compare=compare, scores=scores)
    return figures_page(
        request,
        "seller/reviews.html",
        dashboards,
        details,
        choices,
        stale=shown["stale"] or listed["stale"],
        shown=shown,
        scores=SCORES,
        figures=figures_of(shown, formatter),
        by_score=by_score,
        by_product=by_product,
        trend=trend(shown, formatter),
        listed=listed,
        export=urlencode(file_bounds(shown)),
        trend_export=urlencode({"with": TREND[1], **file_bounds(shown)}),
        reviews_export=urlencode(
            {"lowest": lowest, "highest": highest}
            | {name: listed["period"][name].isoformat() for name in ("from", "to")}
        ),
        old=next((each for each in (shown, listed) if each["stale"]), None),
    )


def trend(shown: SellerMetrics, formatter: Formatter) -> list[tuple[str, float, str, int, str]]:
    """Return for each part of the period its name, the score and the reviews, each as a number and as text.

    Parts without a review are left out. The newest part comes first.
    """
    score, reviews = (read_catalogue()[name] for name in TREND)
    return [
        (
            formatter.bucket(bucket["start"], bucket["end"], shown["grain"]),
            float(bucket["values"][score.name] or 0),
            metric_text(score, bucket["values"][score.name], formatter),
            int(bucket["values"][reviews.name] or 0),
            metric_text(reviews, bucket["values"][reviews.name], formatter),
        )
        for bucket in reversed(shown["series"])
        if bucket["values"][reviews.name]
    ]
