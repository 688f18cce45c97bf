"""Reads the figures of metrics, which can have several sources: series, totals, and splits by a dimension."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from clickhouse.metric_catalogue import queries
from clickhouse.metric_catalogue.definition import Metric
from clickhouse.metric_catalogue.queries import series_query
from clickhouse.metric_catalogue.scope import MARKETPLACE, Scope
from clickhouse.metric_catalogue.source import SELLER, Dimension
from clickhouse.metric_catalogue.values import Value as Figure
from clickhouse.metric_catalogue.values import add_up, value_of
from serving.analytics.metric_schemas import (
    MetricBucket,
    MetricDefinition,
    MetricExplanation,
    MetricRest,
    MetricRow,
    MetricSplit,
    MetricTotal,
)
from serving.analytics.sales import bucket_bounds, change
from serving.kit.analytics_context import AnalyticsContext
from serving.kit.clickhouse import Row, Value
from serving.kit.names import UNNAMED, ProductName
from serving.kit.periods import Grain, Period, bucket_of

Columns = dict[str, int | None]
Parts = Mapping[str, Columns]
"""Value of a dimension → the columns of metrics."""


def definition(metric: Metric) -> MetricDefinition:
    """Return what the catalogue says about a metric."""
    return {
        "name": metric.name,
        "domain": metric.domain,
        "title": metric.title,
        "definition": metric.definition,
        "formula": metric.formula,
        "unit": metric.unit,
        "better": metric.better,
        "dimensions": list(metric.dimensions),
        "edge_cases": list(metric.edge_cases),
        "since": metric.since,
        "version": metric.version,
    }


def explanation(metric: Metric) -> MetricExplanation:
    """Return what the catalogue says about a metric, with its query."""
    return {
        **definition(metric),
        "source": metric.source.name,
        "tables": list(metric.source.tables),
        "cost": metric.source.file.cost,
        "sql": series_query([metric], of_product=False) if metric.is_of_sellers else None,
        "marketplace": {
            "dimensions": list(metric.marketplace_dimensions),
            "notes": list(metric.marketplace_notes),
            "sql": series_query([metric], of_product=False, scope=MARKETPLACE),
        }
        if metric.is_of_marketplace
        else None,
    }


def columns_of(metrics: Sequence[Metric], rows: Sequence[Row]) -> Columns:
    """Return each column of the metrics over all rows: its sum, or the value in the only row that there is.

    Raises:
        ValueError: there are several rows, and the values of a column do not add up.
    """
    if len(rows) > 1 and (others := [metric.name for metric in metrics if not metric.adds_up]):
        raise ValueError(f"{', '.join(others)} of several rows can't be added up")
    found: Columns = {}
    for metric in metrics:
        for name in metric.columns:
            values = [int(row[name]) for row in rows if row[name] is not None]
            found[name] = sum(values) if values or metric.quantile is None else None
    return found


def values(metrics: Sequence[Metric], columns: Columns) -> dict[str, Figure]:
    """Return the value of each metric."""
    return {metric.name: value_of(metric, columns) for metric in metrics}


def total(metric: Metric, now: Columns, before: Columns | None) -> MetricTotal:
    """Return the value of a metric and its change."""
    value = value_of(metric, now)
    compared = value_of(metric, before) if before is not None else None
    return {
        "name": metric.name,
        "title": metric.title,
        "unit": metric.unit,
        "version": metric.version,
        "value": value,
        "compared": compared,
        "change": change(value, compared),
    }


def by_start(
    metrics: Sequence[Metric], rows: Sequence[Row], starts: tuple[datetime, ...]
) -> list[dict[str, Figure]]:
    """Return the values of metrics by bucket. A row's `bucket` is the start of its bucket in Unix seconds."""
    by_bucket: list[list[Row]] = [[] for _ in starts]
    for row in rows:
        by_bucket[bucket_of(datetime.fromtimestamp(int(row["bucket"]), UTC), starts)].append(row)
    return [values(metrics, columns_of(metrics, own)) for own in by_bucket]


def series(
    names: Sequence[str],
    found: Sequence[Sequence[Mapping[str, Figure]]],
    starts: tuple[datetime, ...],
    period: Period,
    zone: ZoneInfo,
) -> list[MetricBucket]:
    """Return one bucket per start, empty ones included. `found` has the result of `by_start` by source."""
    buckets: list[MetricBucket] = []
    for number, (start, end) in enumerate(bucket_bounds(starts, period, zone)):
        of_all = {name: value for each in found for name, value in each[number].items()}
        buckets.append({"start": start, "end": end, "values": {name: of_all[name] for name in names}})
    return buckets


def parts(metrics: Sequence[Metric], rows: Sequence[Row]) -> Parts:
    """Return the columns for each listed value of a dimension."""
    return {str(row["value"]): columns_of(metrics, [row]) for row in rows if row["value"] is not None}


def split(
    sources: Sequence[tuple[Sequence[Metric], Parts, Parts | None]],
    listed: Sequence[str],
    order: Sequence[str],
    names: Mapping[str, str | None],
) -> list[MetricSplit]:
    """Return the figures of each listed value: of each source, its metrics, the parts now, and those before.

    `order` are the names of all metrics. Sums of a value without rows are 0, now or before.
    """

    def figures(value: str, *, before: bool) -> dict[str, Figure]:
        of_all: dict[str, Figure] = {}
        for metrics, now, then in sources:
            found = (then or {}) if before else now
            of_all |= values(metrics, found.get(value) or columns_of(metrics, []))
        return {name: of_all[name] for name in order}

    is_compared = all(then is not None for _, _, then in sources)
    return [
        {
            "value": value,
            "label": names.get(value),
            "values": figures(value, before=False),
            "compared": figures(value, before=True) if is_compared else None,
        }
        for value in listed
    ]


def rest(
    sources: Sequence[tuple[Sequence[Metric], Sequence[Row]]],
    order: Sequence[str],
    dimension: str,
    count: int,
) -> MetricRest:
    """Return the values of the `count` values of a dimension that are not listed.

    `sources` has for each its metrics, and the row of all these values together, if there are any. Metrics
    that are not additive have no value.
    """
    found: dict[str, Figure] = dict.fromkeys(order)
    for metrics, rows in sources:
        additive = [each for each in metrics if each.is_additive(each.dimension(dimension))]
        found |= values(additive, columns_of(additive, rows))
    return {"count": count, "values": found}


def metric_row(metric: Metric, row: Row, names: Mapping[str, ProductName], zone: ZoneInfo) -> MetricRow:
    """Return a row of which a metric is made, from its row of `rows_query`."""
    measures: Columns = {name: int(row[name]) for name in metric.row_measures if row[name] is not None}
    line = row.get("line_text")
    product_id = row.get("product_text") or None
    terms = (metric.quantile.measure,) if metric.quantile else metric.numerator
    return {
        "order_id": row.get("order_text") or None,
        "kind": row.get("kind_text") or None,
        "at": datetime.fromtimestamp(int(row["minute_s"]), zone),
        "line_number": int(line) if line else None,
        "product_id": product_id,
        "label": names.get(product_id or "", UNNAMED).name,
        "reference": row.get("reference_text") or None,
        "value": add_up(terms, measures),
        "denominator": add_up(metric.denominator, measures) if metric.denominator else None,
    }


PRODUCT = "product"
"""The dimension whose values have names in the catalogue of products."""


@dataclass(frozen=True, slots=True)
class FiguresRequest:
    """What is read: which metrics, of whom, how these are split, parameters of all queries, and periods.

    `by` is the dimension to split by, and `top` the number of its values to list if these are not known.
    `only` is a dimension that has the value of the parameter `only` in all rows.
    """

    names: tuple[str, ...]
    scope: Scope
    by: str | None
    top: int
    of_product: bool
    grain: Grain
    parameters: dict[str, Value]
    before: Period | None
    only: str | None = None


@dataclass(frozen=True, slots=True)
class Figures:
    """The figures of metrics of one source: rows of the series, and columns of the totals, now and before.

    `split` has the rows of the dimension's values now, if it was asked for.
    """

    metrics: Sequence[Metric]
    series: list[Row]
    now: Columns
    then: Columns | None
    split: list[Row]


async def read_figures(
    context: AnalyticsContext, metrics: Sequence[Metric], asked: FiguresRequest
) -> list[Figures]:
    """Return the figures of metrics by source, those of the first metric's source first."""
    first, *others = _by_source(metrics)
    if asked.by is None:
        return await asyncio.gather(*(_figures(context, each, asked) for each in [first, *others]))
    dimension = first[0].dimension(asked.by)
    top: dict[str, Value] = {"top": len(dimension.values) or asked.top}
    ranked = await _figures(context, first, asked, queries.FIRST_VALUES, top)
    values: dict[str, Value] = {"values": _listed(dimension, ranked.split)}
    known = (_figures(context, each, asked, queries.GIVEN_VALUES, values) for each in others)
    return [ranked, *await asyncio.gather(*known)]


async def _figures(
    context: AnalyticsContext,
    metrics: Sequence[Metric],
    asked: FiguresRequest,
    is_listed: str = "",
    listed: Mapping[str, Value] | None = None,
) -> Figures:
    """Return the series, the totals and the split of metrics of one source, and the totals before.

    `is_listed`, with its parameters, says which values of the dimension are listed.
    """
    only = _only(metrics, asked)
    totals = queries.totals_query(metrics, of_product=asked.of_product, scope=asked.scope, only=only)
    if asked.by is None:
        series = queries.series_query(metrics, of_product=asked.of_product, scope=asked.scope, only=only)
    else:
        series = queries.series_and_split_query(
            metrics,
            metrics[0].dimension(asked.by),
            of_product=asked.of_product,
            scope=asked.scope,
            is_listed=is_listed,
            only=only,
        )
    of_series: dict[str, Value] = {"grain": asked.grain, **(listed or {})}
    rows, then = await asyncio.gather(
        read_rows(context, series, asked.parameters | of_series),
        read_rows(context, totals, asked.parameters | bounds(asked.before)) if asked.before else _no_rows(),
    )
    split = [row for row in rows if row["bucket"] is None]
    by_bucket = [row for row in rows if row["bucket"] is not None]
    now = [row for row in by_bucket if int(row["bucket"]) == queries.WHOLE_PERIOD]
    buckets = [row for row in by_bucket if int(row["bucket"]) != queries.WHOLE_PERIOD]
    return Figures(
        metrics,
        buckets,
        columns_of(metrics, now or buckets),
        columns_of(metrics, then) if asked.before else None,
        split,
    )


async def read_split(
    context: AnalyticsContext, found: Sequence[Figures], asked: FiguresRequest
) -> tuple[list[MetricSplit], MetricRest | None]:
    """Return the figures of the values of a dimension, the first of them by the first metric."""
    if asked.by is None:
        return [], None
    dimension = found[0].metrics[0].dimension(asked.by)
    listed = _listed(dimension, found[0].split)
    now = [parts(each.metrics, each.split) for each in found]
    then: list[Parts | None] = [None] * len(found)
    if asked.before:
        compared = asked.parameters | bounds(asked.before)
        then = [*await asyncio.gather(*(_parts(context, each, compared, listed, asked) for each in found))]
    shown = split(
        [(each.metrics, part, before) for each, part, before in zip(found, now, then, strict=True)],
        listed,
        asked.names,
        await _names(context, asked.by, dimension, listed),
    )
    others = [[row for row in each.split if row["value"] is None] for each in found]
    count = sum(int(row["value_count"]) for row in others[0])
    others_together = rest(
        [(each.metrics, rows) for each, rows in zip(found, others, strict=True)],
        asked.names,
        asked.by,
        count,
    )
    return shown, others_together if count or any(others_together["values"].values()) else None


async def _parts(
    context: AnalyticsContext,
    figures: Figures,
    parameters: dict[str, Value],
    listed: list[str],
    asked: FiguresRequest,
) -> Parts:
    """Return the columns of metrics of one source for the listed values of the dimension."""
    metrics, dimension = figures.metrics, figures.metrics[0].dimension(asked.by or "")
    sql = queries.compared_query(
        metrics,
        dimension,
        of_product=asked.of_product,
        scope=asked.scope,
        only=_only(metrics, asked),
    )
    return parts(metrics, await read_rows(context, sql, parameters | {"values": listed}))


async def _names(
    context: AnalyticsContext, by: str, dimension: Dimension, values: Sequence[str]
) -> Mapping[str, str | None]:
    """Return the names of products or sellers; of another dimension, the texts for some of its values."""
    if by == SELLER:
        return dict(await context.names.of_sellers(values))
    if by != PRODUCT:
        return dimension.labels
    products = await context.product_names(values)
    return {product_id: product.name for product_id, product in products.items()}


async def read_rows(context: AnalyticsContext, sql: str, parameters: dict[str, Value]) -> list[Row]:
    """Return the rows of a query of `clickhouse.metric_catalogue.queries`."""
    return await context.clickhouse.rows_of_sql("seller_metrics", sql, parameters)


def _only(metrics: Sequence[Metric], asked: FiguresRequest) -> Dimension | None:
    """Return the dimension that restricts the rows of these metrics."""
    return metrics[0].dimension(asked.only) if asked.only else None


def _listed(dimension: Dimension, ranked: Sequence[Row]) -> list[str]:
    """Return the values of a dimension to list: all of them if they are known, or those that were ranked."""
    return list(dimension.values) or [str(row["value"]) for row in ranked if row["value"] is not None]


def bounds(period: Period) -> dict[str, Value]:
    """Return the parameters of a period."""
    return {"period_start": period.start, "period_end": period.end}


async def _no_rows() -> list[Row]:
    return []


async def totals_of_seller(
    context: AnalyticsContext, query: str, seller_id: str, metrics: Sequence[Metric], period: Period
) -> dict[str, Figure]:
    """Return the values of metrics of a seller over a period. `query` names the queries in metrics.

    Raises:
        ClickHouseUnavailable: ClickHouse does not answer.
    """
    parameters: dict[str, Value] = {
        "seller_id": seller_id,
        "currency": context.currency,
        "timezone": context.zone.key,
        **bounds(period),
    }
    found: dict[str, Figure] = {}
    for own in _by_source(metrics):
        sql = queries.totals_query(own, of_product=False)
        found |= values(own, columns_of(own, await context.clickhouse.rows_of_sql(query, sql, parameters)))
    return {metric.name: found[metric.name] for metric in metrics}


def _by_source(metrics: Sequence[Metric]) -> list[list[Metric]]:
    """Return the metrics of each source, that of the first metric first."""
    groups: dict[str, list[Metric]] = {}
    for metric in metrics:
        groups.setdefault(metric.source.name, []).append(metric)
    return list(groups.values())
