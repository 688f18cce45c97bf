"""Compares what the API answers for every seller, by month, by day and in all, with the aggregate tables."""

from collections.abc import Iterator
from functools import partial

import pyarrow as pa
import pyarrow.compute as pc

from audit.comparison import About, Comparison
from audit.sources.api import Row
from audit.sources.sales_answers import (
    CLICKHOUSE_FORMAT,
    Grain,
    Span,
    sales_question,
    series_rows,
    totals_row,
)
from audit.stores import Stores
from audit.tables import compare_tables

NAME = "aggregates_vs_seller_api"
BUCKET = ("seller_id", "bucket")
MONTHS = About(NAME, "sales of every seller by month", "aggregates", "API", "seller months", BUCKET)
DAYS = About(NAME, "sales of every seller by day", "aggregates", "API", "seller days", BUCKET)
TOTALS = About(NAME, "totals of every seller", "aggregates", "API", "sellers", ("seller_id",))


def compare(about: About, expected: pa.Table, actual: list[Row]) -> Comparison:
    """`expected` from the aggregates, `actual` the rows of the answers; empty buckets are in neither."""
    return compare_tables(about, expected, pa.Table.from_pylist(actual, expected.schema))


def run(stores: Stores) -> Iterator[Comparison]:
    """Ask for every seller's months over the whole time, and for its days in the months in which it sold."""
    months, days = _expected(stores, "month"), _expected(stores, "day")
    sellers = stores.clickhouse.query(f"{NAME}/sellers")
    answers = _all_months(stores, months, sellers)
    yield compare(MONTHS, months, [row for answer in answers for row in answer["series"]])
    yield compare(TOTALS, totals(months, sellers), [answer["totals"] for answer in answers])

    spans = days.group_by("seller_id").aggregate([("bucket", "min"), ("bucket", "max")]).to_pylist()
    questions = [
        sales_question(
            f"sellers/{span['seller_id']}", Span.of_months(span["bucket_min"], span["bucket_max"]), "day"
        )
        for span in spans
    ]
    yield compare(DAYS, days, stores.api.ask(questions, partial(series_rows, "day")))


def totals(months: pa.Table, sellers: pa.Table) -> pa.Table:
    """The sums of all months, for each seller; zeros for one who sold nothing."""
    figures = [name for name in months.column_names if name not in BUCKET]
    sums = months.group_by("seller_id").aggregate([(name, "sum") for name in figures])
    every = sellers.join(sums.rename_columns(["seller_id", *figures]), "seller_id")
    return pa.table(
        {"seller_id": every["seller_id"], **{name: pc.fill_null(every[name], 0) for name in figures}}
    )


def _all_months(stores: Stores, months: pa.Table, sellers: pa.Table) -> list[Row]:
    """For each seller the rows of its series over all time, and its totals."""
    if not months.num_rows:
        return []
    span = Span.of_months(pc.min(months["bucket"]).as_py(), pc.max(months["bucket"]).as_py())
    questions = [sales_question(f"sellers/{id_}", span, "month") for id_ in sellers["seller_id"].to_pylist()]
    return stores.api.ask(
        questions, lambda answer: [{"series": [*series_rows("month", answer)], "totals": totals_row(answer)}]
    )


def _expected(stores: Stores, grain: Grain) -> pa.Table:
    parameters = {
        "bucket": CLICKHOUSE_FORMAT[grain],
        "timezone": stores.timezone.key,
        "currency": stores.currency,
    }
    return stores.clickhouse.query(f"{NAME}/sales", parameters)
