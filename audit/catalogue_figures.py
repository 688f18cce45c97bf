"""Reads the values of metrics from the queries of the catalogue, with which the API makes its answers.

Tables of values have them as text: a missing value is empty.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence

import pyarrow as pa

from audit.grains import Division
from audit.reference.arithmetic import Value
from audit.reference.domains import Row
from audit.reference.totals import ALL_SELLERS
from audit.stores import Stores
from audit.table_comparison import KeyFilter
from clickhouse.metric_catalogue.definition import Metric
from clickhouse.metric_catalogue.queries import (
    WHOLE_PERIOD,
    sellers_query,
    series_query,
    split_query,
    totals_query,
)
from clickhouse.metric_catalogue.scope import MARKETPLACE
from clickhouse.metric_catalogue.values import value_of

Columns = Mapping[str, int | None]

_EVERY_SELLER = 2**32 - 1

KEY = ("seller_id", "period")
_NOTHING = frozenset((None, 0, "", "0", "0.0"))
"""Values that don't show that anything happened."""


def metric_table(
    names: Sequence[str], rows: Iterable[tuple[str, str, Mapping[str, Value | str]]]
) -> pa.Table:
    """Return the values of some metrics by seller and part of the time, without those of nothing."""
    columns: dict[str, list[str]] = {name: [] for name in (*KEY, *names)}
    for seller_id, period, values in rows:
        if any(values[name] not in _NOTHING for name in names):
            columns["seller_id"].append(seller_id)
            columns["period"].append(period)
            for name in names:
                value = values[name]
                columns[name].append("" if value is None else str(value))
    return pa.table({name: pa.array(column, pa.string()) for name, column in columns.items()})


def of_sellers(
    stores: Stores, metrics: Collection[Metric], division: Division, sellers: Collection[str] | None = None
) -> list[Row]:
    """Return the values of metrics, which can have different sources, by seller and part of the time.

    They are those of every seller, or of some.
    """
    keys = None if sellers is None else KeyFilter("seller_id", tuple(sellers))
    calendar = division.calendar(stores)
    parameters = division.parameters(stores)
    found: dict[tuple[str, str], dict[str, Value]] = defaultdict(lambda: _nothing(metrics))
    for of_source in _by_source(metrics):
        by_seller = of_source[0].source.sellers
        if division.part == "total" and by_seller is not None:
            sql = split_query(of_source, by_seller, of_product=False, scope=MARKETPLACE)
            for row in stores.clickhouse.query_sql(sql, parameters | {"top": _EVERY_SELLER}).to_pylist():
                if sellers is None or row["value"] in sellers:
                    found[row["value"], "total"] |= _values(of_source, row)
        else:
            for row in stores.clickhouse.query_sql(sellers_query(of_source), parameters, keys).to_pylist():
                part = calendar.starting(row["bucket"] * 1000)
                found[row["seller_id"], part] |= _values(of_source, row)
    return [(*key, values) for key, values in found.items()]


def of_marketplace(stores: Stores, metrics: Collection[Metric], division: Division) -> list[Row]:
    """Return the values of metrics of all sellers together, by part of the time."""
    calendar = division.calendar(stores)
    parameters = division.parameters(stores)
    found: dict[str, dict[str, Value]] = defaultdict(lambda: _nothing(metrics))
    for of_source in _by_source(metrics):
        if division.part == "total":
            sql = totals_query(of_source, of_product=False, scope=MARKETPLACE)
            [row] = stores.clickhouse.query_sql(sql, parameters).to_pylist()
            found["total"] |= _values(of_source, row)
        else:
            sql = series_query(of_source, of_product=False, scope=MARKETPLACE)
            for row in stores.clickhouse.query_sql(sql, parameters).to_pylist():
                if row["bucket"] != WHOLE_PERIOD:
                    found[calendar.starting(row["bucket"] * 1000)] |= _values(of_source, row)
    return [(ALL_SELLERS, part, values) for part, values in found.items()]


def _by_source(metrics: Collection[Metric]) -> list[list[Metric]]:
    found: dict[str, list[Metric]] = defaultdict(list)
    for metric in metrics:
        found[metric.source.name].append(metric)
    return list(found.values())


def _values(metrics: Sequence[Metric], row: Columns) -> dict[str, Value]:
    return {metric.name: value_of(metric, row) for metric in metrics}


def _nothing(metrics: Collection[Metric]) -> dict[str, Value]:
    return {metric.name: metric.empty_value for metric in metrics}
