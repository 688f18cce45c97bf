"""`/sell/{seller_id}/earnings`: what the marketplace owes a seller: earned, taken off, and still open."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Literal
from urllib.parse import urlencode

from fastapi import Request
from starlette.responses import Response

from clickhouse.metric_catalogue.definition import Metric, read_catalogue
from serving.analytics.dashboards import Dashboards
from serving.analytics.dependencies import DashboardsDep
from serving.analytics.metric_schemas import SellerMetrics
from serving.analytics.metrics import Compare, MetricsRequest
from serving.kit.analytics_context import PeriodRequest
from serving.kit.domain import opened
from serving.kit.parameters import Cursor, SellerId
from serving.kit.periods import Grain
from serving.web import presenters
from serving.web.formatter import Formatter
from serving.web.policy import OF_SELLER, page_router
from serving.web.renderer import PageRenderer
from serving.web.seller.choices import (
    DEFAULT_PRESET,
    PeriodChoice,
    PeriodChoiceDep,
    all_time,
    chosen_period,
    figures_page,
)
from serving.web.seller.metrics import figures_of, line_text, metric_text
from serving.web.seller.panels import file_bounds, metric_table

BALANCE = ("net_earnings", "earnings_delivered", "earnings_on_the_way", "earnings_to_ship")
"""What is owed to date, and how far the orders are of which it is made."""

STATEMENT: Mapping[str, str] = {
    "sales_income": "+",
    "cancelled_income": "−",
    "refunds_charged": "−",
    "commission": "−",
    "net_earnings": "=",
}
"""The metrics of which the net earnings are made, with their signs."""

GRAINS: Mapping[presenters.Preset, Grain] = {
    "today": "hour",
    "7d": "day",
    "30d": "day",
    "month": "day",
    "90d": "week",
    "12m": "month",
    "all": "month",
}
LINES = 15

Of = Literal["period", "date"]
"""The rows of the chosen period, or of all time to date."""

Shown = Literal[
    "net_earnings",
    "sales_income",
    "cancelled_income",
    "refunds_charged",
    "commission",
    "earnings_delivered",
    "earnings_on_the_way",
    "earnings_to_ship",
]

router = page_router(OF_SELLER)


@router.get("/sell/{seller_id}/earnings")
async def seller_earnings(
    request: Request,
    dashboards: DashboardsDep,
    seller_id: SellerId,
    period: PeriodChoiceDep,
    compare: Compare = "previous",
    show: Shown = "net_earnings",
    of: Of = "period",
    cursor: Cursor | None = None,
) -> Response:
    """Return the page. Its links change one choice each and keep the others; it needs no script."""
    formatter = opened(request, PageRenderer).formatter
    requested, to_date = await asyncio.gather(
        _period(dashboards, seller_id, period, formatter), all_time(dashboards, seller_id, formatter)
    )
    rows_of = to_date if of == "date" else requested
    details, balance, shown, (_, products), lines = await asyncio.gather(
        dashboards.seller(seller_id),
        dashboards.metrics_of_seller(seller_id, MetricsRequest(BALANCE, to_date, "none")),
        dashboards.metrics_of_seller(seller_id, MetricsRequest(tuple(STATEMENT), requested, compare)),
        metric_table(dashboards, seller_id, ("net_earnings", "commission"), "product", requested, formatter),
        dashboards.metric_rows_of_seller(seller_id, MetricsRequest((show,), rows_of), cursor, LINES),
    )
    choices = period.choices(compare=compare, show=show, of=of)
    answers = (balance, shown, lines)
    return figures_page(
        request,
        "seller/earnings.html",
        dashboards,
        details,
        choices,
        stale=any(each["stale"] for each in answers),
        shown=shown,
        balance=figures_of(balance, formatter),
        balance_until=balance["as_of"],
        statement=[(sign, *figures_of(shown, formatter)[name]) for name, sign in STATEMENT.items()],
        table=by_part(shown, formatter),
        products=products,
        chosen=read_catalogue()[show],
        lines=[(line, line_text(lines, line, formatter)) for line in lines["rows"]],
        lines_period=lines["period"],
        next_cursor=lines["next_cursor"],
        kinds=read_catalogue()[show].source.file.kinds,
        export=urlencode(
            {"with": ",".join(name for name in STATEMENT if name != "net_earnings"), "grain": shown["grain"]}
            | file_bounds(shown)
        ),
        rows_export=urlencode({name: lines["period"][name].isoformat() for name in ("from", "to")}),
        old=next((each for each in answers if each["stale"]), None),
    )


def by_part(shown: SellerMetrics, formatter: Formatter) -> list[tuple[str, list[str]]]:
    """Return each part of the period in which something was booked, the newest first, with its amounts."""
    metrics: list[Metric] = [read_catalogue()[name] for name in STATEMENT]
    return [
        (
            formatter.bucket(bucket["start"], bucket["end"], shown["grain"]),
            [metric_text(metric, bucket["values"][metric.name], formatter) for metric in metrics],
        )
        for bucket in reversed(shown["series"])
        if any(bucket["values"].values())
    ]


async def _period(
    dashboards: Dashboards, seller_id: str, period: PeriodChoice, formatter: Formatter
) -> PeriodRequest:
    """Return the bounds of the chosen period. All time ends today, so that it is what was earned to date."""
    if period.preset == "all" and not period.has_days:
        return await all_time(dashboards, seller_id, formatter)
    chosen = await chosen_period(dashboards, seller_id, period, formatter)
    return chosen if period.has_days else replace(chosen, grain=GRAINS[period.preset or DEFAULT_PRESET])
