"""Shapes rows behind a metric, as ClickHouse returns them in Arrow, into the columns of `MetricRow`. Pure."""

from collections.abc import Mapping, Sequence
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc

from clickhouse.metric_catalogue.definition import Metric
from serving.analytics.schemas.metrics import MeasureUnit, MetricRow
from serving.kit.csv_writer import CURRENCY, csv_columns, csv_lines
from serving.kit.parquet_writer import ColumnKind, money_column, money_columns

COLUMNS = tuple(MetricRow.__annotations__)

_MS_PER_S = 1_000


def row_kinds(metric: Metric) -> dict[str, ColumnKind]:
    """Return the kind of each column of the rows behind a metric."""
    kinds: dict[str, ColumnKind] = dict.fromkeys(COLUMNS, "text")
    kinds |= {"at": "time", "line_number": "count"}
    return kinds | {
        "value": _kind(metric.numerator_unit),
        "denominator": _kind(metric.denominator_unit or "count"),
    }


def product_ids(found: "pa.Table") -> list[str]:
    """Return the products that rows of `rows_query` are about, each once."""
    return [each for each in pc.unique(_text(found, "product")).to_pylist() if each is not None]


def metric_rows(metric: Metric, found: "pa.Table", names: Mapping[str, str | None]) -> "pa.Table":
    """Return rows of `rows_query` with the columns of `MetricRow`; money has minor units, times are UTC.

    `names` has the name of each product that has one.
    """
    at = pc.multiply(pc.cast(found["minute_s"], pa.int64()), _MS_PER_S)
    products = _text(found, "product")
    labels = pa.array(list(names.values()), pa.string())
    places = pc.index_in(products, value_set=pa.array(list(names), pa.string()))
    terms = (metric.quantile.measure,) if metric.quantile else metric.numerator
    nothing = pa.nulls(found.num_rows, pa.int64())
    columns = {
        "order_id": _text(found, "order"),
        "kind": _text(found, "kind"),
        "at": pc.cast(at, pa.timestamp("ms", tz="UTC")),
        "line_number": pc.cast(_text(found, "line"), pa.int64()),
        "product_id": products,
        "label": labels.take(places),
        "reference": _text(found, "reference"),
        "value": _sum(found, terms),
        "denominator": _sum(found, metric.denominator) if metric.denominator else nothing,
    }
    return pa.table({name: columns[name] for name in COLUMNS})


def with_decimals(metric: Metric, rows: "pa.Table", schema: "pa.Schema", currency: str) -> "pa.Table":
    """Return `metric_rows` with money as decimals, in the columns of `schema`."""
    kinds = row_kinds(metric)
    columns = [
        money_column(rows[name].combine_chunks(), currency) if kinds[name] == "money" else rows[name]
        for name in rows.column_names
    ]
    return pa.Table.from_arrays(columns, schema=schema)


def csv_header(metric: Metric) -> list[str]:
    """Return the header of `csv_table`."""
    return csv_columns(COLUMNS, money_columns(row_kinds(metric)))


def csv_table(metric: Metric, rows: "pa.Table", zone: ZoneInfo, currency: str) -> bytes:
    """Return `metric_rows` as lines of CSV, with times in a zone and money in units of the currency."""
    columns = {name: rows[name].to_pylist() for name in rows.column_names}
    local = {at: at.astimezone(zone) for at in set(columns["at"])}
    columns["at"] = [local[at] for at in columns["at"]]
    if money := money_columns(row_kinds(metric)):
        columns |= {name: money_column(rows[name].combine_chunks(), currency).to_pylist() for name in money}
        columns[CURRENCY] = [currency] * rows.num_rows
    return csv_lines(zip(*columns.values(), strict=True))


def _text(found: "pa.Table", name: str) -> "pa.Array":
    """Return a column of texts, in which an empty one is null; only nulls if the rows have no such column."""
    if f"{name}_text" not in found.column_names:
        return pa.nulls(found.num_rows, pa.string())
    text = pc.cast(found[f"{name}_text"].combine_chunks(), pa.string())
    return pc.if_else(pc.equal(text, ""), None, text)


def _sum(found: "pa.Table", terms: Sequence[str]) -> "pa.Array":
    """Return the sum of the terms of a metric in each row."""
    total = pa.array([0], pa.int64())[0]
    for term in terms:
        measure = pc.fill_null(found[term.removeprefix("-")], 0)
        total = pc.subtract(total, measure) if term.startswith("-") else pc.add(total, measure)
    return total


def _kind(unit: MeasureUnit) -> ColumnKind:
    return "money" if unit == "money" else "count"
