"""The page about a seller's customers: who is new, who comes back and when, and whom to do what for."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import Query, Request
from starlette.responses import Response

from serving.analytics.customer_segments import SEGMENTS
from serving.analytics.customers import Cohort, CohortMonth, CohortsRequest, CustomerCohorts, MeanRetention
from serving.analytics.dependencies import DashboardsDep
from serving.analytics.metrics import Compare, MetricsRequest
from serving.analytics.months import Month
from serving.kit.clickhouse import unless_unavailable
from serving.kit.domain import opened
from serving.kit.parameters import SellerId
from serving.web.formatter import Formatter
from serving.web.policy import OF_SELLER, page_router
from serving.web.renderer import PageRenderer
from serving.web.seller.choices import (
    PeriodChoiceDep,
    chosen_period,
    figures_page,
)
from serving.web.seller.metrics import figures_of
from serving.web.translation import N_

METRICS = (
    "customers",
    "new_customers",
    "returning_customer_share",
    "repeat_rate",
    "orders_per_customer",
    "time_between_orders_median",
    "time_between_orders_p90",
)
"""The metrics of the period that the page lists."""

LEVELS = 5
"""The number of colours of the heat map."""

MONTHS: Sequence[Literal[6, 12, 24]] = (6, 12, 24)
Shown = Literal["retention", "value"]
FIGURES: dict[Shown, str] = {"retention": N_("Came back"), "value": N_("Value to date")}

ADVICE = {segment.name: segment.advice for segment in SEGMENTS}

router = page_router(OF_SELLER)


@dataclass(frozen=True, slots=True)
class Cell:
    """A figure of a cohort in one month as text. `level` is its colour, from 0 to `LEVELS`."""

    text: str
    level: int
    complete: bool


@dataclass(frozen=True, slots=True)
class CohortRow:
    """A cohort as a row of the heat map."""

    label: str
    customers: int
    cells: list[Cell]


@router.get("/sell/{seller_id}/customers")
async def seller_customers(
    request: Request,
    dashboards: DashboardsDep,
    seller_id: SellerId,
    period: PeriodChoiceDep,
    compare: Compare = "previous",
    months: Annotated[int, Query(ge=MONTHS[0], le=MONTHS[-1])] = 12,
    show: Shown = "retention",
) -> Response:
    """Return the page. Its links change one choice each and keep the others; it needs no script.

    If the cohorts or the segments can't be computed, their card says so, and the rest of the page is shown.
    """
    formatter = opened(request, PageRenderer).formatter
    requested = await chosen_period(dashboards, seller_id, period, formatter)
    details, shown, cohorts, segments = await asyncio.gather(
        dashboards.seller(seller_id),
        dashboards.metrics_of_seller(seller_id, MetricsRequest(METRICS, requested, compare)),
        unless_unavailable(dashboards.cohorts_of_seller(seller_id, CohortsRequest(months))),
        unless_unavailable(dashboards.segments_of_seller(seller_id)),
    )
    answers = (shown, cohorts, segments)
    choices = period.choices(compare=compare, months=months, show=show)
    # A page that lacks a card must not be shown again once the card's figures can be computed.
    return figures_page(
        request,
        "seller/customers.html",
        dashboards,
        details,
        choices,
        stale=any(each is None or each["stale"] for each in answers),
        shown=shown,
        figures=figures_of(shown, formatter),
        old=next((each for each in answers if each is not None and each["stale"]), None),
        as_of=_earliest(answers),
        shown_figures=FIGURES,
        month_choices=MONTHS,
        map=None if cohorts is None else heat_map(cohorts, show, formatter),
        segments=segments,
        advice=ADVICE,
        largest=max((each["customers"] for each in segments["segments"]), default=0) if segments else 0,
    )


def heat_map(cohorts: CustomerCohorts, show: Shown, formatter: Formatter) -> dict[str, Any]:
    """Return the rows and the columns of the heat map; `mean` is the row over all cohorts.

    The retention of a cohort's own month is always 1, so that it has no column.
    """
    skipped = 1 if show == "retention" else 0
    shown = [[_figure(month, show) for month in cohort["months"][skipped:]] for cohort in cohorts["cohorts"]]
    largest = max((value for row in shown for value in row if value), default=0)
    return {
        "rows": [
            _row(cohort, values, skipped, largest, show, formatter)
            for cohort, values in zip(cohorts["cohorts"], shown, strict=True)
        ],
        "numbers": range(skipped, skipped + max((len(row) for row in shown), default=0)),
        "mean": _means(cohorts["mean_retention"], largest, formatter) if show == "retention" else [],
    }


def _row(
    cohort: Cohort,
    values: Sequence[float | None],
    skipped: int,
    largest: float,
    show: Shown,
    formatter: Formatter,
) -> CohortRow:
    cells = [
        Cell(_text(value, show, formatter), level(value, largest), month["complete"])
        for month, value in zip(cohort["months"][skipped:], values, strict=True)
    ]
    return CohortRow(_month(cohort["month"], formatter), cohort["customers"], cells)


def _means(means: Sequence[MeanRetention], largest: float, formatter: Formatter) -> list[Cell]:
    return [
        Cell(
            _text(mean["retention"], "retention", formatter),
            level(mean["retention"], largest),
            complete=True,
        )
        for mean in means
    ]


def level(value: float | None, largest: float) -> int:
    """Return the colour of a value: 0 for nothing, else 1 to `LEVELS` in equal steps up to the largest."""
    if value is None or value <= 0 or largest <= 0:
        return 0
    return min(LEVELS, int(LEVELS * value / largest) + 1)


def _figure(month: CohortMonth, show: Shown) -> float | None:
    return month["retention"] if show == "retention" else month["cumulated_per_customer"]


def _text(value: float | None, show: Shown, formatter: Formatter) -> str:
    if value is None:
        return "–"
    return formatter.percent(value) if show == "retention" else formatter.money(int(value))


def _month(name: str, formatter: Formatter) -> str:
    month = Month.parse(name, "month")
    return formatter.axis(datetime(month.year, month.number, 1, 12, tzinfo=formatter.zone), "month")


def _earliest(answers: Sequence[Any]) -> datetime | None:
    """Return the moment up to which all figures are complete; None if one of them has none."""
    moments: list[datetime | None] = [each["as_of"] for each in answers if each is not None]
    known = [moment for moment in moments if moment is not None]
    return min(known) if len(known) == len(moments) else None
