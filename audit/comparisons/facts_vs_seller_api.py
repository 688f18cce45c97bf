"""Compares what the API answers about sellers' sales, in total, by month and by day, with the reference."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from functools import partial
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from audit.comparison import ComparisonSpec
from audit.comparisons.facts_vs_seller_metrics import shop_of
from audit.grains import Division
from audit.grouping import grouped
from audit.reference import sales
from audit.reference.totals import Sheet
from audit.seller_sample import read_sellers
from audit.sources.api import ApiRequest, Row
from audit.sources.facts import FactTables
from audit.sources.sales_api import FIGURES, DayRange, Grain, sales_request, series_rows, totals_row
from audit.stores import Stores
from audit.table_comparison import KeyFilter, Sides, TableComparison
from common.request_path import in_path

NAME = "facts_vs_seller_api"
BUCKET = ("seller_id", "bucket")
MONTHS = ComparisonSpec(NAME, "sales of every seller by month", "reference", "API", "seller months", BUCKET)
DAYS = ComparisonSpec(NAME, "sales of every seller by day", "reference", "API", "seller days", BUCKET)
TOTALS = ComparisonSpec(NAME, "totals of every seller", "reference", "API", "sellers", ("seller_id",))

EVER = DayRange(date(1971, 1, 1), date(2105, 1, 1))
_TEXTS = [(name, pa.string()) for name in BUCKET]
_SUMS = [(name, pa.int64()) for name in FIGURES]


def run(stores: Stores) -> Iterator[TableComparison]:
    """Compare months and totals of every seller over the whole time, and the days in which a seller sold."""
    reader = _Reader(stores)
    yield TableComparison(MONTHS, reader.months)
    yield TableComparison(TOTALS, reader.totals)
    yield TableComparison(DAYS, reader.days)


def expected_sales(found: sales.Sales) -> Mapping[str, int]:
    """Return the figures of the reference under the names of the API."""
    return {
        "orders": len(found.orders),
        "lines": found.lines,
        "units": found.units,
        "gross_minor": found.gross,
        "discount_minor": found.discounts,
        "shipping_minor": found.shipping,
        "net_sales_minor": found.net,
        "cancelled_orders": len(found.cancelled_orders),
        "cancelled_gross_minor": found.cancelled_gross,
        "cancelled_discount_minor": found.cancelled_discounts,
        "returned_minor": found.returned,
    }


def totals(months: pa.Table, sellers: pa.Table) -> pa.Table:
    """Return the sums of all months for each seller, and zeros for a seller who sold nothing."""
    sums = grouped(months, "seller_id", [(name, "sum") for name in FIGURES])
    joined = sellers.join(sums.rename_columns(["seller_id", *FIGURES]), "seller_id")
    return pa.table(
        {"seller_id": joined["seller_id"], **{name: pc.fill_null(joined[name], 0) for name in FIGURES}}
    )


class _Reader:
    """Reads both sides. The months and the totals of sellers are in the same answers."""

    def __init__(self, stores: Stores) -> None:
        self._stores = stores
        self._facts = FactTables(stores.clickhouse, sales.EVENTS)
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

    def days(self, keys: KeyFilter | None) -> Sides:
        """Read both sides; days in which nothing happened are in neither."""
        self._facts.read(sales.EVENTS)
        days = self._expected("day")
        requests = [
            sales_request(f"sellers/{in_path(span['seller_id'])}", part, "day")
            for span in grouped(days, "seller_id", [("bucket", "min"), ("bucket", "max")]).to_pylist()
            if keys is None or span["seller_id"] in keys.values
            for part in DayRange.of_months(span["bucket_min"], span["bucket_max"]).parts()
        ]
        return Sides(days, _table(self._stores.api.fetch(requests, partial(series_rows, "day"))))

    def _read(self, keys: KeyFilter | None) -> tuple[Sides, Sides]:
        self._facts.read(sales.EVENTS)
        months, sellers = self._expected("month"), read_sellers(self._stores, keys)
        expected = totals(months, sellers)
        answers = self._stores.api.fetch(_requests(months, sellers), _months_and_totals)
        sums = [row for row in answers if "bucket" not in row]
        return (
            Sides(months, _table(row for row in answers if "bucket" in row)),
            Sides(expected, pa.Table.from_pylist(sums, expected.schema)),
        )

    def _expected(self, grain: Grain) -> pa.Table:
        """Return what the reference makes of the events that were read."""
        calendar = Division(grain, EVER).calendar(self._stores)
        sheet = Sheet(sales.Sales, lambda _: calendar, as_one=False)
        sales.collect(shop_of(self._stores, self._facts), sheet)
        return _table(
            {"seller_id": seller_id, "bucket": bucket, **figures}
            for (seller_id, bucket), found in sheet.figures.items()
            if any((figures := expected_sales(found)).values())
        )


def _table(rows: Iterable[Row]) -> pa.Table:
    return pa.Table.from_pylist(list(rows), pa.schema([*_TEXTS, *_SUMS]))


def _months_and_totals(answer: Any) -> Iterator[Row]:
    yield from series_rows("month", answer)
    yield totals_row(answer)


def _requests(months: pa.Table, sellers: pa.Table) -> list[ApiRequest]:
    """Return a request for each seller's months over the whole time."""
    if not months.num_rows:
        return []
    days = DayRange.of_months(pc.min(months["bucket"]).as_py(), pc.max(months["bucket"]).as_py())
    ids = map(in_path, sellers["seller_id"].to_pylist())
    return [sales_request(f"sellers/{id_}", days, "month") for id_ in ids]
