"""Streams the rows of which a metric of a seller is made, as a file, slice after slice of whole minutes.

Each slice is a short query of its own. Thus, neither this process nor ClickHouse has all rows in memory, and
a slow client occupies no thread of ClickHouse.
"""

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc

from clickhouse.metric_catalogue import queries
from clickhouse.metric_catalogue.definition import Metric
from clickhouse.metric_catalogue.source import MeasureUnit
from serving.analytics.metric_schemas import MetricRow
from serving.kit.analytics_context import AnalyticsContext
from serving.kit.clickhouse import Row, Value
from serving.kit.csv_writer import CURRENCY, csv_columns, csv_lines
from serving.kit.parquet_writer import ColumnKind, money_column, money_columns

COLUMNS = tuple(MetricRow.__annotations__)


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
    at_ms = pc.multiply(pc.cast(found["minute_s"], pa.int64()), 1_000)
    products = _text(found, "product")
    labels = pa.array(list(names.values()), pa.string())
    places = pc.index_in(products, value_set=pa.array(list(names), pa.string()))
    terms = (metric.quantile.measure,) if metric.quantile else metric.numerator
    nothing = pa.nulls(found.num_rows, pa.int64())
    columns = {
        "order_id": _text(found, "order"),
        "kind": _text(found, "kind"),
        "at": pc.cast(at_ms, pa.timestamp("ms", tz="UTC")),
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


SLICE_ROWS = 100_000
"""Rows of a slice: about 15 MB of memory while it is read."""

NAMES_AT_ONCE = 500
"""Products whose names are looked up at once: more ids would make the address of the query too long."""

_ALL = (1 << 32) - 1
_NAME = "seller_metric_export"


@dataclass
class RowExport:
    """All rows behind a metric in a period, the newest first."""

    metric: Metric
    as_of: datetime | None
    context: AnalyticsContext
    parameters: Mapping[str, Value]
    slices: Sequence[Row]
    first: "pa.Table | None" = None
    """The rows of the first slice, so that a failure is known before the response begins."""
    _names: dict[str, str | None] = field(default_factory=dict)

    async def tables(self) -> AsyncGenerator["pa.Table"]:
        """Yield the rows of each slice (`presenters.row_export.metric_rows`).

        Raises:
            ClickHouseUnavailable: ClickHouse does not answer.
        """
        first, self.first = self.first, None
        if first is not None:
            yield first
        for each in self.slices[1:]:
            yield await self.read(each)

    async def read(self, each: Row) -> "pa.Table":
        """Return the rows of a slice."""
        start, end = (datetime.fromtimestamp(int(each[name]), UTC) for name in ("start_s", "end_s"))
        bounds: dict[str, Value] = {"period_start": start, "period_end": end}
        first_page: dict[str, Value] = {"after_minute": end, "after_row": [], "limit": _ALL}
        sql = queries.rows_query(self.metric, of_product="product_id" in self.parameters)
        content = await self.context.clickhouse.arrow_of_sql(
            _NAME, sql, {**self.parameters, **bounds, **first_page}
        )
        found = await asyncio.to_thread(_table, content)
        await self._look_up(product_ids(found))
        return await asyncio.to_thread(metric_rows, self.metric, found, self._names)

    async def _look_up(self, product_ids: Sequence[str]) -> None:
        missing = [each for each in product_ids if each not in self._names]
        for at in range(0, len(missing), NAMES_AT_ONCE):
            names = await self.context.product_names(missing[at : at + NAMES_AT_ONCE])
            self._names |= {each: names[each].name for each in names}


async def begin_export(
    context: AnalyticsContext,
    metric: Metric,
    as_of: datetime | None,
    seller_id: str,
    parameters: Mapping[str, Value],
    slice_rows: int = SLICE_ROWS,
) -> RowExport:
    """Divide the rows into slices, and read the first one.

    Raises:
        UNKNOWN_SELLER: the seller never registered and never sold anything.
        ClickHouseUnavailable: ClickHouse does not answer.
    """
    sql = queries.slices_query(metric, of_product="product_id" in parameters)
    slices = await context.clickhouse.rows_of_sql(_NAME, sql, {**parameters, "slice_rows": slice_rows})
    await context.require_seller(seller_id, slices)
    export = RowExport(metric, as_of, context, parameters, slices)
    if slices:
        export.first = await export.read(slices[0])
    return export


def _table(content: bytes) -> "pa.Table":
    with pa.ipc.open_stream(content) as reader:
        return reader.read_all()
