"""Compares every metric of the marketplace, for every month, with a plain computation from facts."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

import pyarrow as pa

from audit.comparison import ComparisonSpec
from audit.comparisons.facts_vs_seller_metrics import NAME as QUERIES
from audit.comparisons.facts_vs_seller_metrics import (
    SOURCES_OF_MARKETPLACE,
    days_of,
    end_of_months_ms,
    parameters,
)
from audit.seller_metrics.figures import SellerMonths, Value
from audit.seller_metrics.marketplace import months_of_marketplace
from audit.sources.api import ApiRequest, Row
from audit.sources.sales_api import DayRange, bucket_name
from audit.stores import Stores
from audit.table_comparison import KeyFilter, Sides, TableComparison
from clickhouse.metric_catalogue.definition import read_every_metric
from clickhouse.metric_catalogue.queries import series_query
from clickhouse.metric_catalogue.scope import MARKETPLACE
from clickhouse.metric_catalogue.values import value_of

NAME = "facts_vs_marketplace_metrics"
KEY = ("bucket",)
SPEC = ComparisonSpec(NAME, "every metric of the marketplace by month", "facts", "metrics", "months", KEY)
API = ComparisonSpec(NAME, "metrics of the marketplace by month", "facts", "API", "months", KEY)

METRICS = {name: metric for name, metric in read_every_metric().items() if metric.is_of_marketplace}
OVERLAPPING = frozenset(
    metric.source.name
    for metric in METRICS.values()
    if any(measure.over_sellers == "overlaps" for measure in metric.source.measures.values())
)
"""Sources in which rows of several sellers are compared with each other."""

SCHEMA = pa.schema([("bucket", pa.string()), *((name, pa.string()) for name in METRICS)])
"""Values are text, because a ratio can be missing: it is empty then."""


def run(stores: Stores) -> Iterator[TableComparison]:
    """Compare the months of the marketplace: with the queries of the catalogue, and with the API."""
    reader = _Reader(stores)
    yield TableComparison(SPEC, reader.metrics)
    yield TableComparison(API, reader.api)


def expected(months: SellerMonths) -> pa.Table:
    """Return the metrics of each month in which anything happened."""
    return _table({month: values for _, month, values in months.values(METRICS)})


class _Reader:
    """Reads both comparisons. They share the computation from facts, the first time."""

    def __init__(self, stores: Stores) -> None:
        self._stores = stores
        self._computed: pa.Table | None = None

    def metrics(self, _keys: KeyFilter | None) -> Sides:
        """Read the values of all metrics from the queries of the catalogue."""
        facts = self._computed = self._facts()
        days = days_of(self._stores)
        return Sides(facts, _metrics(self._stores, days) if days else facts)

    def api(self, _keys: KeyFilter | None) -> Sides:
        """Read what the API says: the metrics of one source in each request."""
        computed, self._computed = self._computed, None
        facts = self._facts() if computed is None else computed
        days = days_of(self._stores)
        if days is None:
            return Sides(facts, facts)
        query = {"from": str(days.first), "to": str(days.last), "grain": "month", "compare": "none"}
        requests = [
            ApiRequest(f"/v1/marketplace/analytics/{first}", query | {"with": ",".join(others)})
            for first, *others in _by_source().values()
        ]
        found: dict[str, dict[str, Value]] = defaultdict(dict)
        for row in self._stores.api.fetch(requests, _rows_of):
            found[row["bucket"]] |= row["values"]
        return Sides(facts, _table(found))

    def _facts(self) -> pa.Table:
        stores = self._stores

        def rows(source: str) -> list[dict[str, Any]]:
            query = f"{QUERIES}/{source}"
            found: list[dict[str, Any]] = stores.clickhouse.query(
                query, {"currency": stores.currency}
            ).to_pylist()
            return found

        until_ms = end_of_months_ms(stores)
        return expected(
            months_of_marketplace(SOURCES_OF_MARKETPLACE, OVERLAPPING, rows, stores.timezone, until_ms)
        )


def _metrics(stores: Stores, days: DayRange) -> pa.Table:
    found: dict[str, dict[str, Value]] = defaultdict(dict)
    for names in _by_source().values():
        metrics = [METRICS[name] for name in names]
        sql = series_query(metrics, of_product=False, scope=MARKETPLACE)
        for row in stores.clickhouse.query_sql(sql, parameters(stores, days)).to_pylist():
            if row["bucket"]:
                month = f"{datetime.fromtimestamp(row['bucket'], stores.timezone):%Y-%m}"
                found[month] |= {metric.name: value_of(metric, row) for metric in metrics}
    return _table(found)


def _by_source() -> Mapping[str, list[str]]:
    names: dict[str, list[str]] = defaultdict(list)
    for name, metric in METRICS.items():
        names[metric.source.name].append(name)
    return names


def _rows_of(answer: Any) -> Iterable[Row]:
    for bucket in answer["series"]:
        yield {"bucket": bucket_name(bucket, "month"), "values": bucket["values"]}


def _table(found: Mapping[str, Mapping[str, Value]]) -> pa.Table:
    """Return a row for each month in which a value is not 0. A missing value is that of nothing."""
    rows = []
    for month, values in found.items():
        if any(values.values()):
            all_values = {name: values.get(name, metric.empty_value) for name, metric in METRICS.items()}
            shown = {name: "" if value is None else str(value) for name, value in all_values.items()}
            rows.append({"bucket": month, **shown})
    return pa.Table.from_pylist(rows, SCHEMA)
