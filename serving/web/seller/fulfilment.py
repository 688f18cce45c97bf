"""`/sell/{seller_id}/fulfilment`: what to ship first, how long each step takes, and how often it is late.

Staff that packs parcels sees the parcels alone: the figures are for those who see the other pages.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from fastapi import Request
from starlette.responses import Response

from common.guarded_route import policy
from serving.analytics.dashboards import Dashboards
from serving.analytics.dependencies import DashboardsDep
from serving.analytics.metrics import Compare, MetricsRequest
from serving.gateway.gateway import identity_of
from serving.kit.domain import opened
from serving.kit.parameters import SellerId
from serving.web.formatter import Formatter
from serving.web.policy import OF_ALL_STAFF, OF_SELLER, page_router
from serving.web.renderer import PageRenderer
from serving.web.seller.choices import (
    PeriodChoice,
    PeriodChoiceDep,
    chosen_period,
    figures_page,
)
from serving.web.seller.metrics import figures_of
from serving.web.seller.panels import file_bounds, metric_table, sees_figures
from serving.web.translation import N_

SHOWN_PARCELS = 12
"""The parcels on the page. The file has all of them."""

STEPS: Mapping[str, str] = {
    "time_to_confirm": N_("Confirm"),
    "time_to_ship": N_("Ship"),
    "time_to_deliver": N_("Deliver"),
    "time_to_door": N_("From order to door"),
}
"""The beginning of the names of the metrics of a step → what happens in it."""

RATES = (
    "late_share",
    "parcels_shipped",
    "parcels_delivered",
    "order_cancellations",
    "seller_cancellation_rate",
)

METRICS = (*(f"{step}_{end}" for step in STEPS for end in ("median", "p90")), *RATES)

router = page_router(OF_SELLER)


@router.get("/sell/{seller_id}/fulfilment")
@policy(OF_ALL_STAFF)
async def seller_fulfilment(
    request: Request,
    dashboards: DashboardsDep,
    seller_id: SellerId,
    period: PeriodChoiceDep,
    compare: Compare = "previous",
) -> Response:
    """Return the page. Its links change one choice each and keep the other; it needs no script."""
    formatter = opened(request, PageRenderer).formatter
    principal = identity_of(request).principal
    due = await dashboards.due_parcels(seller_id, SHOWN_PARCELS)
    choices = period.choices(compare=compare)
    has_figures = sees_figures(principal, seller_id)
    figures = (
        await _figures(dashboards, seller_id, period, compare, formatter) if has_figures else {"shown": None}
    )
    shown = figures["shown"]
    return figures_page(
        request,
        "seller/fulfilment.html",
        dashboards,
        await dashboards.seller(seller_id),
        choices,
        stale=due["stale"] or bool(shown and shown["stale"]),
        has_figures=has_figures,
        due=due,
        steps=STEPS,
        rates=RATES,
        **figures,
    )


async def _figures(
    dashboards: Dashboards,
    seller_id: str,
    period: PeriodChoice,
    compare: Compare,
    formatter: Formatter,
) -> dict[str, Any]:
    requested = await chosen_period(dashboards, seller_id, period, formatter)
    shown = await dashboards.metrics_of_seller(seller_id, MetricsRequest(METRICS, requested, compare))
    _, cancelled = await metric_table(
        dashboards, seller_id, ("order_cancellations",), "cancelled_by", requested, formatter
    )
    return {
        "shown": shown,
        "figures": figures_of(shown, formatter),
        "cancelled": cancelled,
        "export": urlencode({"with": ",".join(METRICS[1:]), **file_bounds(shown)}),
    }
