"""`/admin/recommendation-health`: who is shown, and how lists drift, by day."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Literal
from urllib.parse import urlencode

from fastapi import Query, Request
from starlette.responses import Response

from serving.kit.analytics_context import PeriodRequest
from serving.kit.domain import opened
from serving.recommendations.dependencies import RecommendationsDomain
from serving.recommendations.health import (
    KNOWN_STRATEGIES,
    HealthRequest,
)
from serving.recommendations.health_schemas import Groups, HealthFigures, RecommendationHealth
from serving.web.admin.page import admin_page, admin_router
from serving.web.formatter import Formatter
from serving.web.presenters import PRESETS, preset_period
from serving.web.renderer import PageRenderer
from serving.web.translation import N_

WIDTH, HEIGHT = 240.0, 56.0
"""The size of a picture, in units of its view box."""

MARGIN = 4.0


@dataclass(frozen=True, slots=True)
class LineChart:
    """The lines of a picture as points of SVG, a dot for each day without neighbours, and its zero line.

    `lowest` and `highest` are the bounds of the figures; None if no day has one.
    """

    lines: Sequence[str]
    dots: Sequence[tuple[float, float]]
    zero: float
    lowest: float | None
    highest: float | None


def line_chart(values: Sequence[float | None]) -> LineChart:
    """Return the picture of the figures of days, on an axis that has zero."""
    known = [value for value in values if value is not None]
    low, high = min(known, default=0.0), max(known, default=0.0)
    bottom, top = min(0.0, low), max(0.0, high)
    span = (top - bottom) or 1.0

    def place(index: int, value: float) -> tuple[float, float]:
        x = MARGIN + index * (WIDTH - 2 * MARGIN) / max(1, len(values) - 1)
        return round(x, 1), round(HEIGHT - MARGIN - (value - bottom) / span * (HEIGHT - 2 * MARGIN), 1)

    runs: list[list[tuple[float, float]]] = [[]]
    for index, value in enumerate(values):
        if value is None:
            runs.append([])
        else:
            runs[-1].append(place(index, value))
    return LineChart(
        [" ".join(f"{x},{y}" for x, y in run) for run in runs if len(run) > 1],
        [run[0] for run in runs if len(run) == 1],
        place(0, 0.0)[1],
        low if known else None,
        high if known else None,
    )


TOP = 12
"""The number of sellers and categories on the page."""

SURFACES: Mapping[str, str] = {
    "": N_("All pages"),
    "home": N_("Home page"),
    "product": N_("Product pages"),
    "cart": N_("Cart"),
    "order": N_("Page of an order"),
    "email": N_("Mails"),
}
REASONS: Mapping[str, str] = {
    "no_model": N_("No model is published"),
    "loading": N_("The model was being read"),
    "incomplete": N_("The model lacks values"),
    "damaged": N_("The model is damaged"),
    "other_catalogue": N_("The model is of another shop"),
    "no_history": N_("The visitor has no history"),
    "no_candidates": N_("Nothing was found"),
    "no_redis": N_("Redis did not answer"),
}
TROUBLES = frozenset(REASONS) - {"no_history", "no_candidates"}
"""Reasons that are troubles of the platform. The others are usual for new visitors and new products."""

DIMENSIONS: Mapping[str, tuple[str, str]] = {
    "price_band": (N_("By price"), N_("Price")),
    "category": (N_("By category"), N_("Category")),
    "seller": (N_("By seller"), N_("Seller")),
}
"""Dimension → the title of its table, and that of the first column."""


@dataclass(frozen=True, slots=True)
class HealthMeasure:
    """A figure of the page: its title, what it means, its value of a day or the period, and its text."""

    title: str
    meaning: str
    of: Callable[[HealthFigures], float | None]
    text: Callable[[Formatter, float], str] = Formatter.share


def _milliseconds(formatter: Formatter, value: float | None) -> str:
    return "–" if value is None else f"{formatter.number(round(value, 1))} ms"


def _decimals(formatter: Formatter, value: float) -> str:
    return formatter.number(round(value, 2))


MEASURES: Sequence[HealthMeasure] = (
    HealthMeasure(
        N_("Click rate"), N_("clicked lists per list in view"), lambda one: one["seen"]["click_rate"]
    ),
    HealthMeasure(
        N_("Coverage"), N_("of the products on offer were shown"), lambda one: one["shown"]["coverage"]
    ),
    HealthMeasure(
        N_("Concentration (Gini)"),
        N_("0: all products alike, near 1: one product alone"),
        lambda one: one["shown"]["gini"],
        _decimals,
    ),
    HealthMeasure(
        N_("Popularity"),
        N_("more visits than a product of the catalogue"),
        lambda one: one["shown"]["popularity_lift"],
    ),
    HealthMeasure(
        N_("Variety of a list"), N_("of its pairs differ in category"), lambda one: one["seen"]["diversity"]
    ),
    HealthMeasure(
        N_("Largest category"),
        N_("of what a visitor was shown on a day"),
        lambda one: one["seen"]["largest_category"],
    ),
    HealthMeasure(
        N_("Popular products alone"),
        N_("of personal answers had nothing else"),
        lambda one: one["answered"]["popular_only_share"],
    ),
    HealthMeasure(
        N_("Time of an answer"),
        N_("99 of 100 answers were faster"),
        lambda one: one["answered"]["p99_ms"],
        _milliseconds,
    ),
)


@dataclass(frozen=True, slots=True)
class DrawnMeasure:
    """A figure with its text for the period, and its picture over the days."""

    title: str
    meaning: str
    text: str
    chart: LineChart
    lowest: str
    highest: str


router = admin_router()


@router.get("/recommendation-health")
async def recommendation_health_page(
    request: Request,
    period: Literal["7d", "30d", "90d"] = "30d",
    surface: Literal["", "home", "product", "cart", "order", "email"] = "",
    strategy: Annotated[str, Query(max_length=60)] = "",
    arm: Annotated[str, Query(max_length=130, description="`experiment/arm`.")] = "",
) -> Response:
    """Return the page. Its links change the period and keep the other choices; it needs no script."""
    service = opened(request, RecommendationsDomain).health
    pages = opened(request, PageRenderer)
    experiment, _, arm_name = arm.partition("/")
    now = service.context.clock()
    bounds = preset_period(period, None, now, now, pages.formatter)
    asked = HealthRequest(
        PeriodRequest(bounds.start, bounds.end),
        surface or None, strategy or None, experiment or None, arm_name or None, TOP,
    )  # fmt: skip
    health = await service.read(asked)
    choices = {"period": period, "surface": surface, "strategy": strategy, "arm": arm}
    arms = [(f"{name}/{each}", f"{name} · {each}") for name, of in service.arms().items() for each in of]
    return admin_page(
        request,
        "recommendation_health.html",
        "recommendation-health",
        health=health,
        measures=[drawn(each, health, pages.formatter) for each in MEASURES],
        groups=[
            _by_band(each)
            for each in sorted(health["groups"], key=lambda one: [*DIMENSIONS].index(one["dimension"]))
        ],
        dimensions=DIMENSIONS,
        reasons=REASONS,
        troubles=TROUBLES,
        trouble_share=trouble_share,
        milliseconds=lambda value: _milliseconds(pages.formatter, value),
        choices=choices,
        link=lambda **changed: f"?{urlencode(choices | changed)}",
        presets={key: PRESETS[key] for key in ("7d", "30d", "90d")},
        surfaces=list(SURFACES.items()),
        strategies=[("", N_("All strategies")), *((name, name) for name in KNOWN_STRATEGIES)],
        arms=[("", N_("All visitors")), *arms],
        now=service.context.clock(),
    )


def drawn(measure: HealthMeasure, health: RecommendationHealth, formatter: Formatter) -> DrawnMeasure:
    """Return a figure as the page shows it."""
    value = measure.of(health["total"])
    chart = line_chart([measure.of(day) for day in health["days"]])
    texts = [
        "–" if each is None else measure.text(formatter, each)
        for each in (value, chart.lowest, chart.highest)
    ]
    return DrawnMeasure(measure.title, measure.meaning, texts[0], chart, texts[1], texts[2])


def trouble_share(figures: HealthFigures) -> float:
    """Return the share of answers that the most frequent trouble of the platform kept a source away from."""
    lacking = figures["answered"]["lacking"]
    return max((one["share"] for one in lacking if one["reason"] in TROUBLES), default=0.0)


def _by_band(groups: Groups) -> Groups:
    """Return the groups of prices in the order of prices, and those of other dimensions unchanged."""
    if groups["dimension"] != "price_band":
        return groups
    return {**groups, "values": sorted(groups["values"], key=lambda one: one["value"] or "9")}
