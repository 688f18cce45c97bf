"""Shapes the sums of metrics' measures into totals, a series, a split and rows. Pure."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from clickhouse.metric_catalogue.definition import Dimension, Metric
from clickhouse.metric_catalogue.queries import series_query
from clickhouse.metric_catalogue.values import Value, add_up, value_of
from serving.analytics.periods import Period, bucket_of
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
from serving.catalogue.service import UNNAMED, ProductName

Row = Mapping[str, Any]
Sums = dict[str, int]


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
        "source": metric.source.table,
        "sql": series_query([metric], of_product=False),
    }


def added_up(metrics: Sequence[Metric], rows: Sequence[Row]) -> Sums:
    """Return the sum of each measure of the metrics over all rows."""
    return {
        name: sum(int(row[name]) for row in rows)
        for name in dict.fromkeys(name for metric in metrics for name in metric.measures)
    }


def values(metrics: Sequence[Metric], sums: Mapping[str, int]) -> dict[str, Value]:
    """Return the value of each metric."""
    return {metric.name: value_of(metric, sums) for metric in metrics}


def total(metric: Metric, now: Sums, before: Sums | None) -> MetricTotal:
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


def series(
    metrics: Sequence[Metric],
    rows: Sequence[Row],
    starts: tuple[datetime, ...],
    period: Period,
    zone: ZoneInfo,
) -> list[MetricBucket]:
    """Return one bucket per start, empty ones included. A row's `bucket` is its start in Unix seconds."""
    by_bucket: list[list[Row]] = [[] for _ in starts]
    for row in rows:
        by_bucket[bucket_of(datetime.fromtimestamp(int(row["bucket"]), UTC), starts)].append(row)
    return [
        {"start": start, "end": end, "values": values(metrics, added_up(metrics, own))}
        for (start, end), own in zip(bucket_bounds(starts, period, zone), by_bucket, strict=True)
    ]


def split(
    metrics: Sequence[Metric],
    dimension: Dimension,
    rows: Sequence[Row],
    compared: Sequence[Row] | None,
    names: Mapping[str, ProductName],
) -> list[MetricSplit]:
    """Return the figures of each value of a dimension. Those of a value without rows are 0, now or before."""
    nothing = added_up(metrics, [])
    now = {row["value"]: added_up(metrics, [row]) for row in rows if row["value"] is not None}
    before = {row["value"]: added_up(metrics, [row]) for row in compared or ()}
    return [
        {
            "value": value,
            "label": names.get(value, UNNAMED)[0],
            "values": values(metrics, now.get(value, nothing)),
            "compared": None if compared is None else values(metrics, before.get(value, nothing)),
        }
        for value in (dimension.values or now)
    ]


def rest(metrics: Sequence[Metric], rows: Sequence[Row], dimension: Dimension) -> MetricRest | None:
    """Return the values of all values of the dimension that are not listed; None if there are none."""
    for row in rows:
        if row["value"] is None:
            additive = [metric for metric in metrics if metric.is_additive(dimension)]
            unknown: dict[str, Value] = {metric.name: None for metric in metrics}
            return {
                "count": int(row["value_count"]),
                "values": unknown | values(additive, added_up(additive, [row])),
            }
    return None


def metric_row(metric: Metric, row: Row, names: Mapping[str, ProductName], zone: ZoneInfo) -> MetricRow:
    """Return a row that a metric adds up, from its row of `rows_query`."""
    sums = added_up([metric], [row])
    identity = dict(zip(metric.source.row, row["row"], strict=True))
    return {
        "order_id": identity["order_id"],
        "kind": identity["kind"],
        "at": datetime.fromtimestamp(int(row["minute_s"]), zone),
        "line_number": int(identity["line_number"]),
        "product_id": row["product_id"],
        "label": names.get(row["product_id"], UNNAMED)[0],
        "value": add_up(metric.numerator, sums),
        "denominator": add_up(metric.denominator, sums) if metric.denominator else None,
    }
