"""The part of a seller's overview with the newest signals, which the page's script fetches."""

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from common.request_path import in_path
from common.signals import SignalKind
from serving.analytics.dependencies import DashboardsDep
from serving.analytics.signals import Signal, SignalsRequest
from serving.gateway.described_routes import guarded
from serving.kit.analytics_context import PeriodRequest
from serving.kit.domain import opened
from serving.kit.parameters import SellerId, reject_repeated_parameters
from serving.web.figures_state import not_stored_if
from serving.web.policy import POLICIES
from serving.web.renderer import PageRenderer
from serving.web.translation import N_

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

router = APIRouter(
    route_class=guarded(POLICIES), include_in_schema=False, dependencies=[Depends(reject_repeated_parameters)]
)


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
        "_signals.html",
        shown=shown,
        titles=TITLES,
        links=[link_of(signal, seller_id) for signal in shown["signals"]],
        now=dashboards.analytics.context.clock(),
    )
    return not_stored_if(shown["stale"], page)
