"""The page of a seller's metrics: those of a domain compared, and one split, over time, and row by row."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import urlencode

from babel.dates import get_day_names
from fastapi import Query, Request
from starlette.responses import Response

from clickhouse.metric_catalogue.definition import Metric, read_catalogue, read_domains
from clickhouse.metric_catalogue.values import MS_PER_HOUR, SCALE, Value
from serving.analytics.dashboards import Dashboards
from serving.analytics.dependencies import DashboardsDep
from serving.analytics.metric_schemas import MetricRow, MetricRows, SellerMetrics
from serving.analytics.metrics import Compare, MetricsRequest, find_metric
from serving.analytics.product_insights import BoughtTogether, PairsRequest, PriceChanges, PriceChangesRequest
from serving.analytics.sales import change
from serving.kit.analytics_context import PeriodRequest
from serving.kit.clickhouse import unless_unavailable
from serving.kit.domain import opened
from serving.kit.parameters import Cursor, SellerId
from serving.web.formatter import Formatter
from serving.web.policy import (
    OF_SELLER,
    page_router,
)
from serving.web.presenters import metric_title
from serving.web.renderer import PageRenderer
from serving.web.seller.choices import (
    PeriodChoiceDep,
    chosen_period,
    figures_page,
)
from serving.web.seller.views import saved_views
from serving.web.translation import translated

DOMAIN = "products"
"""The domain of metrics whose page has the sections."""

ROWS = 10


@dataclass(frozen=True, slots=True)
class ProductInsights:
    """The content of the sections. `is_shown` is False on pages without them; None can't be computed."""

    is_shown: bool
    prices: PriceChanges | None = None
    together: BoughtTogether | None = None

    @property
    def is_old(self) -> bool:
        """Whether a section is missing, or has figures of earlier."""
        return self.is_shown and any(each is None or each["stale"] for each in (self.prices, self.together))


async def product_insights(
    dashboards: Dashboards, seller_id: str, period: PeriodRequest, domain: str
) -> ProductInsights:
    """Return the sections of the page of a domain over a period."""
    if domain != DOMAIN:
        return ProductInsights(is_shown=False)
    prices, together = await asyncio.gather(
        unless_unavailable(
            dashboards.price_changes_of_seller(seller_id, PriceChangesRequest(period, limit=ROWS))
        ),
        unless_unavailable(dashboards.bought_together_of_seller(seller_id, PairsRequest(period, limit=ROWS))),
    )
    return ProductInsights(True, prices, together)


STEPS = ("visits_viewed", "visits_carted", "visits_ordered", "visits_paid")
"""The metrics of the steps, in their order."""


@dataclass(frozen=True, slots=True)
class FunnelStep:
    """A step. `visits` is the length of its bar; `share` is of the step before, empty for the first step."""

    metric: str
    title: str
    visits: int
    value: str
    share: str


def steps_of(shown: SellerMetrics, formatter: Formatter) -> list[FunnelStep]:
    """Return the steps of the funnel; none if the metrics are others, or there was no visit."""
    values = {total["name"]: int(total["value"] or 0) for total in shown["totals"]}
    if not set(STEPS) <= values.keys() or not values[STEPS[0]]:
        return []
    steps: list[FunnelStep] = []
    for name in STEPS:
        before = steps[-1].visits if steps else 0
        share = formatter.percent(values[name] / before) if before else ""
        steps.append(
            FunnelStep(
                name,
                metric_title(name),
                values[name],
                formatter.number(values[name]),
                share,
            )
        )
    return steps


LINES = 12
TOP = 10
"""The numbers of rows and of values of a dimension, such as products, that the page lists."""

TREND_WIDTH, TREND_HEIGHT = 600, 120
"""The size of the drawing of a metric's line."""

router = page_router(OF_SELLER)


@dataclass(frozen=True, slots=True)
class Figure:
    """A metric's value as text, with the one before and the change. `reason` says why there is no value."""

    value: str
    before: str
    change: float | None
    tone: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Part:
    """One value of a dimension. `size` is the length of its bar; `product_id` is empty for the others."""

    label: str
    product_id: str
    size: float
    figure: Figure


@dataclass(frozen=True, slots=True)
class Trend:
    """A line over the buckets of a period in `TREND_WIDTH` × `TREND_HEIGHT`, and the texts beside it.

    `zero` is the height of the value 0 from the top, `highest` the largest value.
    """

    points: str
    zero: float
    highest: str
    first: str
    last: str


@router.get("/sell/{seller_id}/metrics")
async def seller_metrics(
    request: Request,
    dashboards: DashboardsDep,
    seller_id: SellerId,
    period: PeriodChoiceDep,
    compare: Compare = "previous",
    metric: Annotated[str, Query(pattern="^[a-z0-9_]{0,40}$")] = "",
    by: Annotated[str, Query(pattern="^[a-z_]{0,40}$")] = "",
    cursor: Cursor | None = None,
) -> Response:
    """Return the page. Its links change one choice each and keep the others; it needs no script.

    Without a metric, it is the first one of the catalogue. A dimension that the metric does not have is
    replaced by the first one that it has; a metric that can't be split has no parts.
    """
    formatter = opened(request, PageRenderer).formatter
    chosen = find_metric(metric or next(iter(read_catalogue())))
    by = by if by in chosen.dimensions else next(iter(chosen.dimensions), "")
    of_domain = _first_metrics()
    requested = await chosen_period(dashboards, seller_id, period, formatter)
    to_split = MetricsRequest((chosen.name,), requested, compare, by or None, TOP)
    together = tuple(each.name for each in read_catalogue().values() if each.domain == chosen.domain)
    details, views, insights, shown, parts, lines = await asyncio.gather(
        dashboards.seller(seller_id),
        saved_views(request),
        product_insights(dashboards, seller_id, requested, chosen.domain),
        dashboards.metrics_of_seller(seller_id, MetricsRequest(together, requested, compare)),
        dashboards.metrics_of_seller(seller_id, to_split),
        dashboards.metric_rows_of_seller(seller_id, MetricsRequest((chosen.name,), requested), cursor, LINES),
    )
    choices = period.choices(compare=compare, metric=chosen.name, by=by)
    is_old = any(each["stale"] for each in (shown, parts, lines)) or insights.is_old
    return figures_page(
        request,
        "seller/metrics.html",
        dashboards,
        details,
        choices,
        stale=is_old,
        shown=shown,
        dimensions=chosen.dimensions,
        domains=[
            (domain, of_domain[name], name) for name, domain in read_domains().items() if name in of_domain
        ],
        chosen=chosen,
        figures=figures_of(shown, formatter),
        funnel=steps_of(shown, formatter),
        split=split(chosen, parts, by, formatter),
        series=series(chosen, shown, formatter),
        trend=trend(chosen, shown, formatter),
        lines=[(line, line_text(lines, line, formatter)) for line in lines["rows"]],
        old=next((each for each in (shown, parts, lines) if each["stale"]), None),
        next_cursor=lines["next_cursor"],
        kinds=chosen.source.file.kinds,
        export=_export(shown),
        views=views,
        insights=insights,
    )


def figures_of(shown: SellerMetrics, formatter: Formatter) -> dict[str, tuple[Metric, Figure]]:
    """Return the metrics with their values, in the order of the catalogue."""
    figures = {}
    for total in shown["totals"]:
        metric = read_catalogue()[total["name"]]
        figure = figure_of(metric, total["value"], total["compared"], total["change"], formatter)
        figures[metric.name] = metric, figure
    return figures


def split(metric: Metric, shown: SellerMetrics, by: str, formatter: Formatter) -> dict[str, Any]:
    """Return the parts of the chosen metric, and the rest as text; `largest` scales the bars."""
    parts = []
    for part in shown["split"]:
        value = part["values"][metric.name]
        before = part["compared"][metric.name] if part["compared"] is not None else None
        product_id = part["value"] if by == "product" else ""
        label = (part["label"] if product_id else "") or label_of(metric, by, part["value"], formatter)
        figure = figure_of(metric, value, before, change(value, before), formatter)
        parts.append(Part(label, product_id, max(0, value or 0), figure))
    rest = shown["rest"]
    return {
        "parts": parts,
        "largest": max((part.size for part in parts), default=0) or 1,
        "rest": None
        if rest is None
        else {"count": rest["count"], "value": metric_text(metric, rest["values"][metric.name], formatter)},
    }


def series(metric: Metric, shown: SellerMetrics, formatter: Formatter) -> list[tuple[str, str]]:
    """Return the name and the value of every bucket, the newest first."""
    return [
        (
            formatter.bucket(bucket["start"], bucket["end"], shown["grain"]),
            metric_text(metric, bucket["values"][metric.name], formatter),
        )
        for bucket in reversed(shown["series"])
    ]


def trend(metric: Metric, shown: SellerMetrics, formatter: Formatter) -> Trend | None:
    """Return the line of a metric over the buckets; None with fewer than two values.

    A bucket without a value, such as a ratio of nothing, is left out of the line.
    """
    values = [bucket["values"][metric.name] for bucket in shown["series"]]
    known = [(place, float(value)) for place, value in enumerate(values) if value is not None]
    if len(known) < 2:
        return None
    low, high = min(0.0, *(value for _, value in known)), max(0.0, *(value for _, value in known))
    height, width = high - low or 1.0, len(values) - 1

    def level(value: float) -> float:
        return TREND_HEIGHT * (high - value) / height

    points = " ".join(f"{TREND_WIDTH * place / width:.1f},{level(value):.1f}" for place, value in known)
    first, last = shown["series"][0], shown["series"][-1]
    return Trend(
        points,
        round(level(0.0), 1),
        metric_text(metric, max(value for value in values if value is not None), formatter),
        formatter.bucket(first["start"], first["end"], shown["grain"]),
        formatter.bucket(last["start"], last["end"], shown["grain"]),
    )


def _first_metrics() -> dict[str, str]:
    """Return domain → its first metric."""
    first: dict[str, str] = {}
    for metric in read_catalogue().values():
        first.setdefault(metric.domain, metric.name)
    return first


def _export(shown: SellerMetrics) -> str:
    """Return the query of the file with the chosen metric, over the same period."""
    bounds = {"from": shown["period"]["from"].isoformat(), "to": shown["period"]["to"].isoformat()}
    return urlencode(bounds | {"compare": "none"})


def figure_of(
    metric: Metric, value: Value, before: Value, changed: float | None, formatter: Formatter
) -> Figure:
    """Return the value of a metric as text, with the one before, and how good the change is."""
    tone = "flat"
    if changed and metric.better != "neither":
        tone = "good" if (changed > 0) is (metric.better == "more") else "bad"
    texts = metric_text(metric, value, formatter), metric_text(metric, before, formatter)
    return Figure(*texts, changed, tone, "" if value is not None else why_empty(metric))


def why_empty(metric: Metric) -> str:
    """Return when a metric has no value, as its definition says it; empty if it always has one."""
    return next((case for case in metric.edge_cases if case.startswith("Empty")), "")


def metric_text(metric: Metric, value: Value, formatter: Formatter) -> str:
    """Return the value of a metric as text; a dash if there is none."""
    if value is None:
        return "–"
    if metric.unit == "money":
        return formatter.money(int(value))
    if metric.unit == "share":
        return formatter.share(value)
    if metric.unit == "hours":
        return formatter.hours(value)
    return formatter.number(value)


def line_text(lines: MetricRows, line: MetricRow, formatter: Formatter) -> str:
    """Return what a line adds to a metric; for a ratio, to both of its sums."""
    shown: Mapping[str, Callable[[int], str]] = {
        "money": formatter.money,
        "count": formatter.number,
        "milliseconds": lambda value: formatter.hours(value / MS_PER_HOUR),
        "ten_thousandths": lambda value: formatter.number(value / SCALE),
    }
    value = shown[lines["value_unit"]](line["value"])
    unit, denominator = lines["denominator_unit"], line["denominator"]
    return value if unit is None or denominator is None else f"{value} ÷ {shown[unit](denominator)}"


def label_of(metric: Metric, by: str, value: str, formatter: Formatter) -> str:
    """Return a value of a dimension as people read it."""
    labels = metric.dimensions[by].labels
    if value in labels:
        return translated(labels[value])
    if by == "weekday":
        days: Mapping[int, str] = get_day_names("wide", locale=formatter.locale)
        return days[int(value) - 1]
    if by == "hour":
        return f"{value}:00"
    if by == "category":
        return formatter.category_label(value)
    return value
