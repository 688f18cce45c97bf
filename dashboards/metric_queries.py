"""Writes a panel's query of metrics of the catalogue: the same rows and formulas as those of the API."""

from collections.abc import Iterable, Mapping, Sequence
from textwrap import indent

from clickhouse.metric_catalogue.definition import Metric, Unit, read_catalogue
from clickhouse.metric_catalogue.queries import (
    WHOLE_PERIOD,
    series_query,
    split_query,
    totals_query,
    value_sql,
)
from clickhouse.metric_catalogue.scope import ONE_SELLER, Scope
from clickhouse.metric_catalogue.values import MS_PER_HOUR, SCALE

UNITS: Mapping[Unit, str] = {"count": "short", "number": "short", "share": "percentunit", "hours": "h"}
"""Unit of a metric → Grafana's id of it. Money has the shop's currency."""

_MINOR_UNITS = "{minor_units:UInt32}"


def panels_of(domain: str) -> list[list[Metric]]:
    """Return the metrics of a domain that fit into one panel: those of one source with the same unit."""
    groups: dict[tuple[str, str], list[Metric]] = {}
    for metric in read_catalogue().values():
        if metric.domain == domain:
            groups.setdefault((metric.source.name, metric.unit), []).append(metric)
    return list(groups.values())


def metric_series(metrics: Sequence[Metric], scope: Scope = ONE_SELLER) -> str:
    """Return the query of metrics of one source by bucket, with the parameters of the catalogue's queries.

    Its columns are `time` and the metrics; money has units of the currency.
    """
    columns = ["toDateTime(bucket, 'UTC') AS time", *_values(metrics)]
    series = series_query(metrics, of_product=False, scope=scope)
    return _select(columns, series, f"\nWHERE bucket != {WHOLE_PERIOD}\nORDER BY time")


def metric_totals(metrics: Sequence[Metric], scope: Scope = ONE_SELLER) -> str:
    """Return the query of metrics of one source over the whole period: one row."""
    return _select(_values(metrics), totals_query(metrics, of_product=False, scope=scope))


def metric_split(metrics: Sequence[Metric], dimension: str, scope: Scope, without: str) -> str:
    """Return the query of metrics of one source by the first values of a dimension, ranked as by the API.

    Its columns are the dimension, where `without` stands for the empty value, and the metrics. Parameter
    besides: `top`.
    """
    split = split_query(metrics, metrics[0].dimension(dimension), of_product=False, scope=scope)
    value = f"if(assumeNotNull(value) = '', '{without}', assumeNotNull(value)) AS {dimension}"
    return _select([value, *_values(metrics)], split, "\nWHERE isNotNull(value)\nORDER BY first_rank")


def _select(columns: Iterable[str], query: str, rest: str = "") -> str:
    """Return a SELECT of the rows of a query. Analysts may write SETTINGS at the end of the whole only."""
    rows, settings, values = query.partition("\nSETTINGS ")
    listed = ",\n".join(f"    {column}" for column in columns)
    return f"SELECT\n{listed}\nFROM (\n{indent(rows, '    ')}\n) AS source{rest}{settings}{values}"


def _values(metrics: Iterable[Metric]) -> list[str]:
    return [f"{_value(metric)} AS {metric.name}" for metric in metrics]


def _value(metric: Metric) -> str:
    """Return the value of a metric in SQL, from the columns of its query."""
    value = value_sql(metric, "source.")
    if metric.unit == "hours":
        return f"{value} / {MS_PER_HOUR}"
    if metric.numerator_unit == "ten_thousandths":
        return f"{value} / {SCALE}"
    return f"{value} / {_MINOR_UNITS}" if metric.unit == "money" else value
