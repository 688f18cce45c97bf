"""Compares every metric of the catalogue, for every seller and month, with a plain computation from facts."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import Any

import pyarrow as pa

from audit.comparison import ComparisonSpec
from audit.comparisons.aggregates_vs_seller_api import read_sellers
from audit.seller_metrics import (
    customer_orders,
    earning_lines,
    parcel_steps,
    product_interest,
    return_lines,
    review_scores,
    sales_lines,
)
from audit.seller_metrics.figures import SellerMonths, SourceMonths, Value
from audit.sources.api import ApiRequest, Row
from audit.sources.sales_api import DayRange, bucket_name
from audit.stores import Stores
from audit.table_comparison import KeyFilter, Sides, TableComparison
from clickhouse.metric_catalogue.definition import read_catalogue

NAME = "facts_vs_seller_metrics"
SPEC = ComparisonSpec(
    NAME, "every metric of every seller by month", "facts", "API", "seller months", ("seller_id", "bucket")
)

Add = Callable[[Iterable[Mapping[str, Any]], SourceMonths], None]
"""Adds the rows of a query to months."""

SOURCES: Mapping[str, Add] = {
    "sales_lines": sales_lines.add,
    "return_lines": return_lines.add,
    "earning_lines": earning_lines.add,
    "parcel_steps": parcel_steps.add,
    "review_scores": review_scores.add,
    "product_interest": product_interest.add,
    "customer_orders": customer_orders.add,
}
"""Source of the catalogue → the plain computation of its measures, from the query of the same name."""

METRICS = tuple(read_catalogue())
SCHEMA = pa.schema(
    [("seller_id", pa.string()), ("bucket", pa.string()), *((name, pa.string()) for name in METRICS)]
)
"""Values are text, because a ratio can be missing: it is empty then."""


def run(stores: Stores) -> Iterator[TableComparison]:
    """Compare the months of every seller."""
    yield TableComparison(SPEC, partial(_read, stores))


def expected(months: SellerMonths) -> pa.Table:
    """Return the metrics of each seller and month in which anything happened."""
    return pa.Table.from_pylist([_row(*of_month) for of_month in months.values(read_catalogue())], SCHEMA)


def rows_of(answer: Any) -> Iterator[Row]:
    """Yield the months of an answer in which anything happened."""
    for bucket in answer["series"]:
        if any(bucket["values"].values()):
            yield _row(answer["seller_id"], bucket_name(bucket, "month"), bucket["values"])


def _read(stores: Stores, keys: KeyFilter | None) -> Sides:
    months = SellerMonths(stores.timezone)
    for source, add in SOURCES.items():
        rows = stores.clickhouse.query(f"{NAME}/{source}", {"currency": stores.currency}, keys)
        add(rows.to_pylist(), months.of_source(source))
    facts = expected(months)
    span = stores.clickhouse.query(f"{NAME}/span", {"timezone": stores.timezone.key}).to_pylist()
    if not span:
        return Sides(facts, facts)
    days = DayRange.of_months(span[0]["first_month"], span[0]["last_month"])
    query = {"from": str(days.first), "to": str(days.last), "grain": "month", "compare": "none"}
    query["with"] = ",".join(METRICS[1:])
    sellers = read_sellers(stores, keys)["seller_id"].to_pylist()
    requests = [ApiRequest(f"/v1/sellers/{id_}/analytics/{METRICS[0]}", query) for id_ in sellers]
    answers = stores.api.fetch(requests, rows_of)
    return Sides(facts, pa.Table.from_pylist(answers, SCHEMA))


def _row(seller_id: str, bucket: str, values: Mapping[str, Value]) -> Row:
    shown = {name: "" if values[name] is None else str(values[name]) for name in METRICS}
    return {"seller_id": seller_id, "bucket": bucket, **shown}
