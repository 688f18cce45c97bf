"""Shapes the columns of metrics into totals, a series, a split and rows. Pure."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from clickhouse.metric_catalogue.definition import Metric
from clickhouse.metric_catalogue.queries import series_query
from clickhouse.metric_catalogue.scope import MARKETPLACE
from clickhouse.metric_catalogue.values import Value, add_up, value_of
from serving.analytics.presenters.sales import bucket_bounds, change
from serving.analytics.schemas.metrics import (
    MetricBucket,
    MetricDefinition,
    MetricExplanation,
    MetricRest,
    MetricRow,
    MetricSplit,
    MetricTotal,
)
from serving.kit.names import UNNAMED, ProductName
from serving.kit.periods import Period, bucket_of

Row = Mapping[str, Any]
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


def values(metrics: Sequence[Metric], columns: Columns) -> dict[str, Value]:
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
) -> list[dict[str, Value]]:
    """Return the values of metrics by bucket. A row's `bucket` is the start of its bucket in Unix seconds."""
    by_bucket: list[list[Row]] = [[] for _ in starts]
    for row in rows:
        by_bucket[bucket_of(datetime.fromtimestamp(int(row["bucket"]), UTC), starts)].append(row)
    return [values(metrics, columns_of(metrics, own)) for own in by_bucket]


def series(
    names: Sequence[str],
    found: Sequence[Sequence[Mapping[str, Value]]],
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

    def figures(value: str, *, before: bool) -> dict[str, Value]:
        of_all: dict[str, Value] = {}
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
    found: dict[str, Value] = dict.fromkeys(order)
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
