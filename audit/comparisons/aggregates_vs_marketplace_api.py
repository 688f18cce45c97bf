"""Compares the API's answers about the whole marketplace, by month and by day, with the aggregate tables."""

from collections.abc import Iterator
from functools import partial
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from audit.comparison import ComparisonSpec
from audit.sources.api import Row
from audit.sources.sales_api import CLICKHOUSE_FORMAT, DayRange, Grain, sales_request, series_rows
from audit.stores import Stores
from audit.table_comparison import KeyFilter, Sides, TableComparison

NAME = "aggregates_vs_marketplace_api"
BUCKET = ("bucket",)
SALES: dict[Grain, ComparisonSpec] = {
    "month": ComparisonSpec(NAME, "sales of the marketplace by month", "aggregates", "API", "months", BUCKET),
    "day": ComparisonSpec(NAME, "sales of the marketplace by day", "aggregates", "API", "days", BUCKET),
}
PAYMENTS = ComparisonSpec(NAME, "payments of the marketplace by month", "aggregates", "API", "months", BUCKET)


def run(stores: Stores) -> Iterator[TableComparison]:
    """Compare sales over the whole time by month and by day, and payments month by month."""
    for grain, spec in SALES.items():
        yield TableComparison(spec, partial(_read_sales, stores, grain))
    yield TableComparison(PAYMENTS, partial(_read_payments, stores))


def payments_rows(answer: Any) -> Iterator[Row]:
    """Yield the captured payments of the requested month."""
    yield {"bucket": answer["period"]["from"][:7], **answer["totals"]["payments"]}


def _read_sales(stores: Stores, grain: Grain, _keys: KeyFilter | None) -> Sides:
    """Read all of both sides; buckets in which nothing happened are in neither."""
    sales = stores.clickhouse.query(f"{NAME}/sales", _parameters(stores, grain))
    first, last = pc.min(sales["bucket"]).as_py(), pc.max(sales["bucket"]).as_py()
    whole = [DayRange.of_months(first, last)] if first else []
    days = [part for each in whole for part in each.parts()] if grain == "day" else whole
    requests = [sales_request("marketplace", each, grain) for each in days]
    answers = stores.api.fetch(requests, partial(series_rows, grain))
    return Sides(sales, pa.Table.from_pylist(answers, sales.schema))


def _read_payments(stores: Stores, _keys: KeyFilter | None) -> Sides:
    payments = stores.clickhouse.query(f"{NAME}/payments", _parameters(stores, "month"))
    months = [DayRange.of_months(month, month) for month in payments["bucket"].to_pylist()]
    requests = [sales_request("marketplace", month, "month") for month in months]
    answers = stores.api.fetch(requests, payments_rows)
    return Sides(payments, pa.Table.from_pylist(answers, payments.schema))


def _parameters(stores: Stores, grain: Grain) -> dict[str, str]:
    return {
        "bucket": CLICKHOUSE_FORMAT[grain],
        "timezone": stores.timezone.key,
        "currency": stores.currency,
    }
