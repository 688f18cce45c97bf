"""Compares what the API answers for the whole marketplace, by month and by day, with the aggregate tables."""

from collections.abc import Iterator
from functools import partial
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from audit.comparison import About, Comparison
from audit.sources.api import Row
from audit.sources.sales_answers import CLICKHOUSE_FORMAT, Grain, Span, sales_question, series_rows
from audit.stores import Stores
from audit.tables import compare_tables

NAME = "aggregates_vs_marketplace_api"
SALES: dict[Grain, About] = {
    "month": About(NAME, "sales of the marketplace by month", "aggregates", "API", "months", ("bucket",)),
    "day": About(NAME, "sales of the marketplace by day", "aggregates", "API", "days", ("bucket",)),
}
PAYMENTS = About(NAME, "payments of the marketplace by month", "aggregates", "API", "months", ("bucket",))


def compare(about: About, expected: pa.Table, actual: list[Row]) -> Comparison:
    """`expected` from the aggregates, `actual` the rows of the answers; empty buckets are in neither."""
    return compare_tables(about, expected, pa.Table.from_pylist(actual, expected.schema))


def run(stores: Stores) -> Iterator[Comparison]:
    """Ask for the whole time by month and by day, and month by month for the payments."""
    for grain, about in SALES.items():
        sales = stores.clickhouse.query(f"{NAME}/sales", _parameters(stores, grain))
        questions = [sales_question("marketplace", span, grain) for span in _whole(sales["bucket"])]
        yield compare(about, sales, stores.api.ask(questions, partial(series_rows, grain)))
    payments = stores.clickhouse.query(f"{NAME}/payments", _parameters(stores, "month"))
    months = [Span.of_months(month, month) for month in payments["bucket"].to_pylist()]
    questions = [sales_question("marketplace", month, "month") for month in months]
    yield compare(PAYMENTS, payments, stores.api.ask(questions, payments_rows))


def payments_rows(answer: Any) -> Iterator[Row]:
    """What was captured in the month that was asked for."""
    yield {"bucket": answer["period"]["from"][:7], **answer["totals"]["payments"]}


def _whole(buckets: pa.ChunkedArray) -> list[Span]:
    """The months from the first bucket to the last; none where there are no buckets."""
    first, last = pc.min(buckets).as_py(), pc.max(buckets).as_py()
    return [Span.of_months(first, last)] if first else []


def _parameters(stores: Stores, grain: Grain) -> dict[str, str]:
    return {
        "bucket": CLICKHOUSE_FORMAT[grain],
        "timezone": stores.timezone.key,
        "currency": stores.currency,
    }
