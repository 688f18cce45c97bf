"""Returns metrics of the catalogue, of a seller or of the marketplace: totals, series, splits, and rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from clickhouse.metric_catalogue import queries
from clickhouse.metric_catalogue.definition import Metric, read_every_metric
from clickhouse.metric_catalogue.scope import MARKETPLACE, ONE_SELLER, Scope
from clickhouse.metric_catalogue.source import Dimension
from common.cursor import decode_cursor, encode_cursor, moment_of
from common.problems import problem
from serving.analytics import metric_figures
from serving.analytics.metric_figures import (
    Figures,
    FiguresRequest,
    bounds,
    read_figures,
    read_rows,
    read_split,
)
from serving.analytics.metric_schemas import MarketplaceMetrics, MetricRows, SellerMetrics
from serving.analytics.row_export import RowExport, begin_export
from serving.analytics.sales import show_period
from serving.kit.analytics_context import AnalyticsContext, PeriodRequest
from serving.kit.clickhouse import Value
from serving.kit.periods import LATEST, Period, buckets, choose_grain, earlier_period
from serving.kit.problems import UNUSABLE_PARAMETER

UNKNOWN_METRIC = problem(
    404,
    "unknown-metric",
    "Unknown metric",
    "There is no metric {name!r}. GET /v1/analytics/metrics lists them.",
)

Compare = Literal["previous", "year", "none"]


@dataclass(frozen=True, slots=True)
class Only:
    """The name of a dimension, and the value that it has in the rows that are read."""

    dimension: str
    value: str


@dataclass(frozen=True, slots=True)
class MetricsRequest:
    """What is asked of metrics, which are given by name.

    `by` is the dimension to split by; its first `top` values by the first metric are listed, or all of a
    dimension whose values are known. Metrics can have different sources. `product_id` restricts everything to
    one product, and `only` to the rows in which a dimension has a value.
    """

    metrics: tuple[str, ...]
    period: PeriodRequest
    compare: Compare = "previous"
    by: str | None = None
    top: int = 10
    product_id: str | None = None
    only: Only | None = None


async def of_seller(context: AnalyticsContext, seller_id: str, request: MetricsRequest) -> SellerMetrics:
    """Return metrics of one seller, compared with an earlier period.

    Raises:
        UNKNOWN_METRIC: the catalogue has no metric of a name.
        UNUSABLE_PARAMETER: a metric is asked for twice, can't be split by the dimension, or can't be
            restricted to a product.
        UNKNOWN_SELLER: the seller never registered and never sold anything.
    """
    metrics = [find_metric(name) for name in request.metrics]
    _check(metrics, request)
    as_of = await context.watermarks.as_of(tables_of(metrics))
    period = await context.seller_period(seller_id, request.period)
    asked = _asked(context, request, ONE_SELLER, period, as_of, {"seller_id": seller_id})
    found = await read_figures(context, metrics, asked)
    await context.require_seller(seller_id, [row for each in found for row in each.series])
    return {"seller_id": seller_id, **await _content(context, metrics, request, asked, period, found, as_of)}


async def of_marketplace(context: AnalyticsContext, request: MetricsRequest) -> MarketplaceMetrics:
    """Return metrics of all sellers together, compared with an earlier period.

    Raises:
        UNKNOWN_METRIC: the catalogue has no metric of a name.
        UNUSABLE_PARAMETER: as `of_seller`, or a metric is about single sellers.
    """
    metrics = [find_metric(name, of_marketplace=True) for name in request.metrics]
    _check(metrics, request, of_marketplace=True)
    as_of = await context.watermarks.as_of(tables_of(metrics))
    period = await context.marketplace_period(request.period)
    asked = _asked(context, request, MARKETPLACE, period, as_of, {})
    return await _content(
        context, metrics, request, asked, period, await read_figures(context, metrics, asked), as_of
    )


def _asked(
    context: AnalyticsContext,
    request: MetricsRequest,
    scope: Scope,
    period: Period,
    as_of: datetime | None,
    whose: dict[str, Value],
) -> FiguresRequest:
    return FiguresRequest(
        request.metrics,
        scope,
        request.by,
        request.top,
        request.product_id is not None,
        request.period.grain or choose_grain(period),
        _parameters(context, whose, period, request.product_id)
        | ({"only": request.only.value} if request.only else {}),
        None if request.compare == "none" else earlier_period(request.compare, period, as_of, context.zone),
        request.only.dimension if request.only else None,
    )


async def _content(
    context: AnalyticsContext,
    metrics: Sequence[Metric],
    request: MetricsRequest,
    asked: FiguresRequest,
    period: Period,
    found: Sequence[Figures],
    as_of: datetime | None,
) -> MarketplaceMetrics:
    """Return the content of a response, with the split, which is read now."""
    zone = context.zone
    starts = buckets(period, asked.grain, zone)
    by_name = {metric.name: each for each in found for metric in each.metrics}
    split, rest = await read_split(context, found, asked)
    return {
        "currency": context.currency,
        "timezone": zone.key,
        "grain": asked.grain,
        "period": show_period(period, zone),
        "compare": request.compare,
        "compared_period": show_period(asked.before, zone) if asked.before else None,
        "totals": [
            metric_figures.total(metric, by_name[metric.name].now, by_name[metric.name].then)
            for metric in metrics
        ],
        "series": metric_figures.series(
            request.metrics,
            [metric_figures.by_start(each.metrics, each.series, starts) for each in found],
            starts,
            period,
            zone,
        ),
        "filter": {"dimension": request.only.dimension, "value": request.only.value}
        if request.only
        else None,
        "by": request.by,
        "split": split,
        "rest": rest,
        "as_of": context.local(as_of),
        "stale": False,
    }


async def rows_of_seller(
    context: AnalyticsContext, seller_id: str, request: MetricsRequest, cursor: str | None, limit: int
) -> MetricRows:
    """Return a page of the rows of which a metric is made, the newest first.

    Raises: as `of_seller`, and
        BadCursor: the cursor is not one of this list.
    """
    metric = find_metric(request.metrics[0])
    _check([metric], request)
    as_of = await context.watermarks.as_of(tables_of([metric]))
    period = await context.seller_period(seller_id, request.period)
    after_minute, after_row = _read_cursor(cursor, metric) if cursor else (LATEST, [])
    parameters = _parameters(context, {"seller_id": seller_id}, period, request.product_id)
    parameters |= {"after_minute": after_minute, "after_row": after_row, "limit": limit + 1}
    sql = queries.rows_query(metric, of_product=request.product_id is not None)
    rows = await read_rows(context, sql, parameters)
    await context.require_seller(seller_id, rows)
    has_more, rows = len(rows) > limit, rows[:limit]
    names = await context.product_names([row["product_text"] for row in rows if row.get("product_text")])
    return {
        "seller_id": seller_id,
        "metric": metric.name,
        "version": metric.version,
        "currency": context.currency,
        "value_unit": metric.numerator_unit,
        "denominator_unit": metric.denominator_unit,
        "period": show_period(period, context.zone),
        "rows": [metric_figures.metric_row(metric, row, names, context.zone) for row in rows],
        "next_cursor": encode_cursor(int(rows[-1]["minute_s"]), *rows[-1]["row"]) if has_more else None,
        "as_of": context.local(as_of),
        "stale": False,
    }


async def export_of_seller(context: AnalyticsContext, seller_id: str, request: MetricsRequest) -> RowExport:
    """Return all rows of which a metric is made, the newest first, in slices.

    Raises: as `of_seller`.
    """
    metric = find_metric(request.metrics[0])
    _check([metric], request)
    as_of = await context.watermarks.as_of(tables_of([metric]))
    period = await context.seller_period(seller_id, request.period)
    parameters = _parameters(context, {"seller_id": seller_id}, period, request.product_id)
    return await begin_export(context, metric, as_of, seller_id, parameters)


def _parameters(
    context: AnalyticsContext, whose: dict[str, Value], period: Period, product_id: str | None
) -> dict[str, Value]:
    return {
        **whose,
        "currency": context.currency,
        "timezone": context.zone.key,
        **bounds(period),
        **({} if product_id is None else {"product_id": product_id}),
    }


def find_metric(name: str, *, of_marketplace: bool | None = False) -> Metric:
    """Return the metric of a name, of which sellers or the marketplace have a figure; None: either of them.

    Raises:
        UNKNOWN_METRIC: there is none.
        UNUSABLE_PARAMETER: there is one, but only of the other.
    """
    metric = read_every_metric().get(name)
    if metric is None:
        raise UNKNOWN_METRIC(name=name)
    if of_marketplace is False and not metric.is_of_sellers:
        raise UNUSABLE_PARAMETER(
            detail=f"{name} is a figure of the whole marketplace. Ask for it under /v1/marketplace/analytics."
        )
    if of_marketplace and not metric.is_of_marketplace:
        raise UNUSABLE_PARAMETER(
            detail=f"{name} is a figure of single sellers. Ask for it under /v1/sellers/…/analytics."
        )
    return metric


def _check(metrics: Sequence[Metric], request: MetricsRequest, *, of_marketplace: bool = False) -> None:
    """Check what metrics are asked for.

    Raises:
        UNUSABLE_PARAMETER: see `of_seller` and `of_marketplace`.
    """
    if len(set(request.metrics)) < len(request.metrics):
        raise UNUSABLE_PARAMETER(detail="Request each metric once.")
    for metric in metrics:
        if request.product_id is not None and not metric.source.has_products:
            raise UNUSABLE_PARAMETER(
                detail=f"{metric.name} can't be restricted to a product. Leave product out."
            )
        dimensions = metric.marketplace_dimensions if of_marketplace else metric.dimensions
        if request.only is not None:
            _check_only(metric, request.only, dimensions)
        if request.by is not None and request.by not in dimensions:
            raise UNUSABLE_PARAMETER(
                detail=f"{metric.name} can't be split by {request.by!r}. Choose one of: "
                f"{', '.join(dimensions)}."
            )


def _check_only(metric: Metric, only: Only, dimensions: Mapping[str, Dimension]) -> None:
    """Check that the rows of a metric can be restricted to a value of a dimension."""
    dimension = dimensions.get(only.dimension)
    if dimension is None or dimension.splits_sellers:
        names = [name for name, each in dimensions.items() if not each.splits_sellers]
        raise UNUSABLE_PARAMETER(
            detail=f"{metric.name} can't be restricted by {only.dimension!r}. Choose one of: "
            f"{', '.join(names)}."
        )
    if dimension.values and only.value not in dimension.values:
        raise UNUSABLE_PARAMETER(
            detail=f"{only.dimension} has no value {only.value!r}. Choose one of: "
            f"{', '.join(dimension.values)}."
        )


def tables_of(metrics: Sequence[Metric]) -> list[str]:
    """Return the tables that the sources of metrics read, each once."""
    return list(dict.fromkeys(table for metric in metrics for table in metric.source.tables))


def _read_cursor(cursor: str, metric: Metric) -> tuple[datetime, list[str]]:
    minute, *row = decode_cursor(cursor, (int, *(str for _ in metric.source.file.row)))
    return moment_of(1_000 * int(minute)), [str(part) for part in row]
