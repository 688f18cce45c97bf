"""Compares the API's answers about every seller, by month, by day and in total, with the aggregate tables."""

from collections.abc import Iterator
from functools import partial
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from audit.comparison import ComparisonSpec
from audit.grouping import grouped
from audit.sources.api import ApiRequest, Row
from audit.sources.sales_api import (
    CLICKHOUSE_FORMAT,
    DayRange,
    Grain,
    sales_request,
    series_rows,
    totals_row,
)
from audit.stores import Stores
from audit.table_comparison import KeyFilter, Sides, TableComparison
from common.request_path import in_path

NAME = "aggregates_vs_seller_api"
BUCKET = ("seller_id", "bucket")
MONTHS = ComparisonSpec(NAME, "sales of every seller by month", "aggregates", "API", "seller months", BUCKET)
DAYS = ComparisonSpec(NAME, "sales of every seller by day", "aggregates", "API", "seller days", BUCKET)
TOTALS = ComparisonSpec(NAME, "totals of every seller", "aggregates", "API", "sellers", ("seller_id",))


def run(stores: Stores) -> Iterator[TableComparison]:
    """Compare months and totals of every seller over the whole time, and the days in which a seller sold."""
    reader = _MonthsReader(stores)
    yield TableComparison(MONTHS, reader.months)
    yield TableComparison(TOTALS, reader.totals)
    yield TableComparison(DAYS, partial(_read_days, stores))


def totals(months: pa.Table, sellers: pa.Table) -> pa.Table:
    """Return the sums of all months for each seller, and zeros for a seller who sold nothing."""
    figures = [name for name in months.column_names if name not in BUCKET]
    sums = grouped(months, "seller_id", [(name, "sum") for name in figures])
    joined = sellers.join(sums.rename_columns(["seller_id", *figures]), "seller_id")
    return pa.table(
        {"seller_id": joined["seller_id"], **{name: pc.fill_null(joined[name], 0) for name in figures}}
    )


class _MonthsReader:
    """Reads the months and the totals of sellers, which are in the same answers."""

    def __init__(self, stores: Stores) -> None:
        self._stores = stores
        self._totals: Sides | None = None

    def months(self, keys: KeyFilter | None) -> Sides:
        """Read both sides; months in which nothing happened are in neither."""
        months, totals = self._read(keys)
        if keys is None:
            self._totals = totals
        return months

    def totals(self, keys: KeyFilter | None) -> Sides:
        """Return the totals that were read with the months, the first time; afterwards, read them."""
        read, self._totals = self._totals, None
        return read if read and keys is None else self._read(keys)[1]

    def _read(self, keys: KeyFilter | None) -> tuple[Sides, Sides]:
        months, sellers = _sales(self._stores, "month"), read_sellers(self._stores, keys)
        expected = totals(months, sellers)
        answers = self._stores.api.fetch(_requests(months, sellers), _months_and_totals)
        buckets = [row for row in answers if "bucket" in row]
        sums = [row for row in answers if "bucket" not in row]
        return (
            Sides(months, pa.Table.from_pylist(buckets, months.schema)),
            Sides(expected, pa.Table.from_pylist(sums, expected.schema)),
        )


def _months_and_totals(answer: Any) -> Iterator[Row]:
    yield from series_rows("month", answer)
    yield totals_row(answer)


def _read_days(stores: Stores, keys: KeyFilter | None) -> Sides:
    days = _sales(stores, "day")
    spans = grouped(days, "seller_id", [("bucket", "min"), ("bucket", "max")]).to_pylist()
    requests = [
        sales_request(f"sellers/{in_path(span['seller_id'])}", part, "day")
        for span in spans
        if keys is None or span["seller_id"] in keys.values
        for part in DayRange.of_months(span["bucket_min"], span["bucket_max"]).parts()
    ]
    answers = stores.api.fetch(requests, partial(series_rows, "day"))
    return Sides(days, pa.Table.from_pylist(answers, days.schema))


def _requests(months: pa.Table, sellers: pa.Table) -> list[ApiRequest]:
    """Return a request for each seller's months over the whole time."""
    if not months.num_rows:
        return []
    days = DayRange.of_months(pc.min(months["bucket"]).as_py(), pc.max(months["bucket"]).as_py())
    ids = map(in_path, sellers["seller_id"].to_pylist())
    return [sales_request(f"sellers/{id_}", days, "month") for id_ in ids]


def read_sellers(stores: Stores, keys: KeyFilter | None) -> pa.Table:
    """Return every seller who registered or sold anything: the column `seller_id`."""
    return stores.clickhouse.query(f"{NAME}/sellers", keys=keys)


def _sales(stores: Stores, grain: Grain) -> pa.Table:
    parameters = {
        "bucket": CLICKHOUSE_FORMAT[grain],
        "timezone": stores.timezone.key,
        "currency": stores.currency,
    }
    return stores.clickhouse.query(f"{NAME}/sales", parameters)
