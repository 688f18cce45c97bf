"""Compares every metric of the catalogue, for every seller and month, with a plain computation from facts."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime, time
from typing import Any
from zlib import crc32

import pyarrow as pa

from audit.comparison import ComparisonSpec
from audit.comparisons.aggregates_vs_seller_api import read_sellers
from audit.seller_metrics import (
    customer_orders,
    earning_lines,
    earning_stages,
    funnel_visits,
    parcel_steps,
    product_interest,
    profit_lines,
    recommendations,
    return_lines,
    review_scores,
    sales_lines,
    search_clicks,
    searches,
    stock_ends,
    stock_hours,
)
from audit.seller_metrics.figures import SellerMonths, SourceMonths, Value
from audit.sources.api import ApiRequest, Row
from audit.sources.sales_api import DayRange, bucket_name
from audit.stores import Stores
from audit.table_comparison import KeyFilter, Sides, TableComparison
from clickhouse.metric_catalogue.definition import read_catalogue
from clickhouse.metric_catalogue.queries import sellers_query
from clickhouse.metric_catalogue.values import value_of

NAME = "facts_vs_seller_metrics"
KEY = ("seller_id", "bucket")
SPEC = ComparisonSpec(NAME, "every metric of every seller by month", "facts", "metrics", "seller months", KEY)
API = ComparisonSpec(NAME, "metrics of sellers by month", "facts", "API", "seller months", KEY)

EVERY = 20
"""Of one in so many sellers, the API is asked for every metric; of the others, for those of sales. The values
of all metrics of all sellers come from the queries that the API runs, for all sellers at once."""

Add = Callable[[Iterable[Mapping[str, Any]], SourceMonths], None]
"""Adds the rows of a query to months."""

SOURCES: Mapping[str, Add] = {
    "sales_lines": sales_lines.add,
    "return_lines": return_lines.add,
    "earning_lines": earning_lines.add,
    "earning_stages": earning_stages.add,
    "profit_lines": profit_lines.add,
    "parcel_steps": parcel_steps.add,
    "review_scores": review_scores.add,
    "product_interest": product_interest.add,
    "stock_ends": stock_ends.add,
    "stock_hours": stock_hours.add,
    "customer_orders": customer_orders.add,
    "recommendations": recommendations.add,
    "funnel_visits": funnel_visits.add,
    "search_clicks": search_clicks.add,
}
"""Source of the catalogue → the plain computation of its measures, from the query of the same name."""

SOURCES_OF_MARKETPLACE: Mapping[str, Add] = {**SOURCES, "searches": searches.add}
"""The same, with the sources of metrics that only the marketplace has."""

WITH_ROWS_OF_NO_SELLER = frozenset(("recommendations", "funnel_visits", "search_clicks"))
"""Sources whose query can't be limited to some sellers: some of its rows name no seller."""

METRICS = tuple(read_catalogue())
FIRST_SOURCE = tuple(
    name for name, metric in read_catalogue().items() if metric.source is read_catalogue()[METRICS[0]].source
)
NOTHING: Mapping[str, Value] = {name: metric.empty_value for name, metric in read_catalogue().items()}
SCHEMA = pa.schema(
    [("seller_id", pa.string()), ("bucket", pa.string()), *((name, pa.string()) for name in METRICS)]
)
"""Values are text, because a ratio can be missing: it is empty then."""


def run(stores: Stores) -> Iterator[TableComparison]:
    """Compare the months of every seller: with the queries of the catalogue, and with the API."""
    reader = _Reader(stores)
    yield TableComparison(SPEC, reader.metrics)
    yield TableComparison(API, reader.api)


def expected(months: SellerMonths) -> pa.Table:
    """Return the metrics of each seller and month in which anything happened."""
    return pa.Table.from_pylist([_row(*of_month) for of_month in months.values(read_catalogue())], SCHEMA)


def rows_of(answer: Any) -> Iterator[Row]:
    """Yield the months of an answer in which anything happened. Metrics that were not asked for are 0."""
    for bucket in answer["series"]:
        if any(bucket["values"].values()):
            yield _row(answer["seller_id"], bucket_name(bucket, "month"), {**NOTHING, **bucket["values"]})


def metrics_to_ask(sellers: Iterable[str]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield each seller with the metrics that the API is asked for: see `EVERY`."""
    for seller_id in sellers:
        yield seller_id, METRICS if crc32(seller_id.encode()) % EVERY == 0 else FIRST_SOURCE


class _Reader:
    """Reads both comparisons. They share the computation from facts, the first time."""

    def __init__(self, stores: Stores) -> None:
        self._stores = stores
        self._computed: pa.Table | None = None

    def metrics(self, keys: KeyFilter | None) -> Sides:
        """Read the values of all metrics of all sellers from the queries of the catalogue."""
        facts = self._facts(keys)
        if keys is None:
            self._computed = facts
        days = days_of(self._stores)
        return Sides(facts, _metrics(self._stores, days) if days else facts)

    def api(self, keys: KeyFilter | None) -> Sides:
        """Read what the API says about each seller: see `EVERY`."""
        stores, computed, self._computed = self._stores, self._computed, None
        facts = computed if computed is not None and keys is None else self._facts(keys)
        days = days_of(stores)
        if days is None:
            return Sides(facts, facts)
        sellers = dict(metrics_to_ask(read_sellers(stores, keys)["seller_id"].to_pylist()))
        query = {"from": str(days.first), "to": str(days.last), "grain": "month", "compare": "none"}
        requests = [
            ApiRequest(f"/v1/sellers/{id_}/analytics/{first}", query | {"with": ",".join(others)})
            for id_, (first, *others) in sellers.items()
        ]
        answers = stores.api.fetch(requests, rows_of)
        asked = [
            NO_ROW | {name: row[name] for name in (*KEY, *sellers[row["seller_id"]])}
            for row in facts.to_pylist()
            if any(row[name] not in ZEROS for name in sellers.get(row["seller_id"], ()))
        ]
        return Sides(pa.Table.from_pylist(asked, SCHEMA), pa.Table.from_pylist(answers, SCHEMA))

    def _facts(self, keys: KeyFilter | None) -> pa.Table:
        months = SellerMonths(self._stores.timezone, end_of_months_ms(self._stores))
        for source, add in SOURCES.items():
            of_sellers = None if source in WITH_ROWS_OF_NO_SELLER else keys
            query = f"{NAME}/{source}"
            rows = self._stores.clickhouse.query(query, {"currency": self._stores.currency}, of_sellers)
            add(rows.to_pylist(), months.of_source(source))
        return expected(months)


def _metrics(stores: Stores, days: DayRange) -> pa.Table:
    found: dict[tuple[str, str], dict[str, Value]] = defaultdict(lambda: dict(NOTHING))
    for source in SOURCES:
        metrics = [metric for metric in read_catalogue().values() if metric.source.name == source]
        for row in stores.clickhouse.query_sql(sellers_query(metrics), parameters(stores, days)).to_pylist():
            month = f"{datetime.fromtimestamp(row['bucket'], stores.timezone):%Y-%m}"
            found[row["seller_id"], month] |= {metric.name: value_of(metric, row) for metric in metrics}
    rows = [_row(*key, values) for key, values in found.items() if any(values.values())]
    return pa.Table.from_pylist(rows, SCHEMA)


def days_of(stores: Stores) -> DayRange | None:
    """Return the months in which anything happened; None if nothing did."""
    span = stores.clickhouse.query(f"{NAME}/span", {"timezone": stores.timezone.key}).to_pylist()
    return DayRange.of_months(span[0]["first_month"], span[0]["last_month"]) if span else None


def end_of_months_ms(stores: Stores) -> int:
    """Return the end of the last month, or now if it has not ended, as Unix milliseconds; 0 without facts."""
    days = days_of(stores)
    if days is None:
        return 0
    end = datetime.combine(days.last, time.min, stores.timezone)
    return min(int(end.timestamp() * 1000), stores.clickhouse.now_ms())


def parameters(stores: Stores, days: DayRange) -> dict[str, str]:
    """Return the parameters of a query of the catalogue, by month."""
    first, last = (
        datetime.combine(day, time.min, stores.timezone).astimezone(UTC) for day in (days.first, days.last)
    )
    return {
        "currency": stores.currency,
        "timezone": stores.timezone.key,
        "grain": "month",
        "period_start": f"{first:%F %T}",
        "period_end": f"{last:%F %T}",
    }


def _row(seller_id: str, bucket: str, values: Mapping[str, Value]) -> Row:
    shown = {name: "" if values[name] is None else str(values[name]) for name in METRICS}
    return {"seller_id": seller_id, "bucket": bucket, **shown}


NO_ROW = _row("", "", NOTHING)
"""The texts of a month in which nothing happened."""

ZEROS = frozenset(("", "0", "0.0"))
"""The texts of values that do not show that anything happened."""
