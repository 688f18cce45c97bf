"""Writes a panel's query of metrics of the catalogue: the same rows and formulas as those of the API."""

from collections.abc import Iterable, Sequence
from textwrap import indent

from clickhouse.metric_catalogue.definition import Metric, read_catalogue
from clickhouse.metric_catalogue.queries import WHOLE_PERIOD, series_query, totals_query, value_sql
from clickhouse.metric_catalogue.values import MS_PER_HOUR

_MINOR_UNITS = "{minor_units:UInt32}"


def panels_of(domain: str) -> list[list[Metric]]:
    """Return the metrics of a domain that fit into one panel: those of one source with the same unit."""
    groups: dict[tuple[str, str], list[Metric]] = {}
    for metric in read_catalogue().values():
        if metric.domain == domain:
            groups.setdefault((metric.source.name, metric.unit), []).append(metric)
    return list(groups.values())


def metric_series(metrics: Sequence[Metric]) -> str:
    """Return the query of metrics of one source by bucket, with the parameters of the catalogue's queries.

    Its columns are `time` and the metrics; money has units of the currency.
    """
    series = indent(series_query(metrics, of_product=False), "    ")
    columns = ",\n".join(["    toDateTime(bucket, 'UTC') AS time", *_values(metrics)])
    return f"SELECT\n{columns}\nFROM (\n{series}\n) AS source\nWHERE bucket != {WHOLE_PERIOD}\nORDER BY time"


def metric_totals(metrics: Sequence[Metric]) -> str:
    """Return the query of metrics of one source over the whole period: one row."""
    totals = indent(totals_query(metrics, of_product=False), "    ")
    return "SELECT\n" + ",\n".join(_values(metrics)) + f"\nFROM (\n{totals}\n) AS source"


def _values(metrics: Iterable[Metric]) -> list[str]:
    return [f"    {_value(metric)} AS {metric.name}" for metric in metrics]


def _value(metric: Metric) -> str:
    """Return the value of a metric in SQL, from the columns of its query."""
    value = value_sql(metric, "source.")
    if metric.unit == "hours":
        return f"{value} / {MS_PER_HOUR}"
    return f"{value} / {_MINOR_UNITS}" if metric.unit == "money" else value
