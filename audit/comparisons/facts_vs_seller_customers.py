"""Compares the cohorts and segments of every seller's customers with a plain computation from facts."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from functools import cache
from typing import Any

import pyarrow as pa

from audit.comparison import ComparisonSpec
from audit.comparisons.facts_vs_seller_metrics import shop_of
from audit.reference import customers, sales
from audit.seller_customers import (
    Customers,
    Scored,
    by_scores,
    by_segment,
    cohorts,
    customers_of,
    scored,
)
from audit.seller_rows import rows_of_all_sellers, rows_table
from audit.seller_sample import sampled_sellers
from audit.sources.api import ApiRequest, Row
from audit.sources.facts import FactTables
from audit.stores import Stores
from audit.table_comparison import KeyFilter, Sides, TableComparison
from common.request_path import in_path

NAME = "facts_vs_seller_customers"
COHORT, SCORES, SEGMENT = ("seller_id", "cohort", "month"), ("seller_id", "scores"), ("seller_id", "segment")
COHORTS = ComparisonSpec(NAME, "cohorts of customers", "facts", "query", "cohort months", COHORT)
COHORTS_API = ComparisonSpec(NAME, "cohorts of customers", "facts", "API", "cohort months", COHORT)
SEGMENTS = ComparisonSpec(NAME, "scores of customers", "facts", "query", "seller scores", SCORES)
SEGMENTS_API = ComparisonSpec(NAME, "segments of customers", "facts", "API", "seller segments", SEGMENT)

FIELDS = {**sales.EVENTS, **customers.EVENTS}
"""The fields of events from which customers are computed."""

COMPARISONS = 4
"""The number of comparisons."""

MONTHS = 60
"""The newest months of first orders that are compared: the most that the API returns."""

SUMS = ("customers", "orders", "net_sales")
OF_COHORT = (*SUMS, "retention", "per_customer")
OF_SCORES = (*SUMS, "guests", "median", "p90")


def run(stores: Stores) -> Iterator[TableComparison]:
    """Compare cohorts and segments: with the queries for all sellers at once, and with the API for some."""
    reader = _Reader(stores)
    yield TableComparison(COHORTS, reader.cohorts)
    yield TableComparison(COHORTS_API, reader.cohorts_of_api)
    yield TableComparison(SEGMENTS, reader.scores)
    yield TableComparison(SEGMENTS_API, reader.segments_of_api)


def cohort_rows(answer: Any) -> Iterator[Row]:
    """Yield the months of an answer in which somebody ordered."""
    for cohort in answer["cohorts"]:
        for month in cohort["months"]:
            if month["orders"]:
                yield {
                    "seller_id": answer["seller_id"],
                    "cohort": cohort["month"],
                    "month": month["month"],
                    **{name: month[name] for name in SUMS},
                    "retention": str(month["retention"]),
                    "per_customer": month["cumulated_per_customer"],
                }


def segment_rows(answer: Any) -> Iterator[Row]:
    """Yield the segments of an answer that have customers, all customers, and those who were erased."""
    erased = {"name": "erased", "customers": answer["erased_customers"], "orders": 0, "net_sales": 0}
    for row in ({**answer, "name": "all"}, erased, *answer["segments"]):
        if row["customers"]:
            yield {
                "seller_id": answer["seller_id"],
                "segment": row["name"],
                **{name: row[name] for name in SUMS},
            }


class _Reader:
    """Reads both sides. The comparisons share the facts the first time, and read them again afterwards."""

    def __init__(self, stores: Stores) -> None:
        self._stores = stores
        self._facts = FactTables(stores.clickhouse, FIELDS)
        self._shared: Customers | None = None
        self._compared: set[ComparisonSpec] = set()
        self._month = cache(self._month_of_quarter_hour)

    def cohorts(self, keys: KeyFilter | None) -> Sides:
        """Read the cohorts of all sellers from the query of the API."""
        rows = rows_of_all_sellers(self._stores, "seller_customer_cohorts", first_month=0, last_month=999_912)
        found = [row | {"cohort": _name(row["cohort"]), "month": _name(row["month"])} for row in rows]
        return Sides(_table(self._cohorts(COHORTS, keys), COHORT, SUMS), _table(found, COHORT, SUMS))

    def cohorts_of_api(self, keys: KeyFilter | None) -> Sides:
        """Read what the API says about the cohorts of some sellers."""
        asked = sampled_sellers(self._stores, keys)
        facts = [row for row in self._cohorts(COHORTS_API, keys) if row["seller_id"] in asked]
        if not facts:
            return Sides(*[_table([], COHORT, OF_COHORT)] * 2)
        last = max(row["month"] for row in facts)
        first = f"{int(last[:4]) - MONTHS // 12}{last[4:]}"  # the month before the first one
        query = {"months": str(MONTHS), "until": last}
        answers = self._stores.api.fetch(
            [ApiRequest(f"/v1/sellers/{in_path(id_)}/customers/cohorts", query) for id_ in asked], cohort_rows
        )
        recent = [row for row in facts if row["cohort"] > first]
        return Sides(_table(recent, COHORT, OF_COHORT), _table(answers, COHORT, OF_COHORT))

    def scores(self, keys: KeyFilter | None) -> Sides:
        """Read the customers of all sellers by their scores from the query of the API."""
        found = [
            {
                **row,
                "scores": ("erased " if row["is_erased"] else "")
                + f"{row['recency']}{row['frequency']}{row['monetary']}",
                "median": row["median_net_sales"],
                "p90": row["p90_net_sales"],
            }
            for row in rows_of_all_sellers(self._stores, "seller_customer_segments")
        ]
        facts = by_scores(self._scored(SEGMENTS, keys))
        return Sides(_table(facts, SCORES, OF_SCORES), _table(found, SCORES, OF_SCORES))

    def segments_of_api(self, keys: KeyFilter | None) -> Sides:
        """Read what the API says about the segments of some sellers."""
        asked = sampled_sellers(self._stores, keys)
        groups = self._scored(SEGMENTS_API, keys)
        facts = [row for row in by_segment(groups) if row["seller_id"] in asked]
        answers = self._stores.api.fetch(
            [ApiRequest(f"/v1/sellers/{in_path(id_)}/customers/segments") for id_ in asked], segment_rows
        )
        return Sides(_table(facts, SEGMENT, SUMS), _table(answers, SEGMENT, SUMS))

    def _customers(self, comparison: ComparisonSpec, keys: KeyFilter | None) -> Customers:
        is_first = keys is None and comparison not in self._compared
        self._compared.add(comparison)
        customers = self._shared if is_first and self._shared is not None else self._read_customers()
        if is_first:
            self._shared = customers if len(self._compared) < COMPARISONS else None
        return customers

    def _read_customers(self) -> Customers:
        self._facts.read(FIELDS)
        return customers_of(shop_of(self._stores, self._facts))

    def _cohorts(self, comparison: ComparisonSpec, keys: KeyFilter | None) -> list[Row]:
        return cohorts(self._customers(comparison, keys), lambda moment_ms: self._month(moment_ms // 900_000))

    def _scored(
        self, comparison: ComparisonSpec, keys: KeyFilter | None
    ) -> Iterator[tuple[str, bool, list[Scored]]]:
        registered, erased = (
            set(self._stores.clickhouse.query(f"{NAME}/{name}")["shopper_id"].to_pylist())
            for name in ("registered", "erased")
        )
        return scored(self._customers(comparison, keys), registered, erased)

    def _month_of_quarter_hour(self, quarter_hour: int) -> str:
        return f"{datetime.fromtimestamp(quarter_hour * 900, self._stores.timezone):%Y-%m}"


def _name(yyyymm: int) -> str:
    return f"{yyyymm // 100:04}-{yyyymm % 100:02}"


def _table(rows: Iterable[Row], key: tuple[str, ...], figures: tuple[str, ...]) -> pa.Table:
    return rows_table(rows, key, figures, {*key, "retention"})
