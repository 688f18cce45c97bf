"""Compares every metric of the catalogue, for every seller and month, with a plain computation from facts."""

from collections import defaultdict
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from dataclasses import replace
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
    recommendations,
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
    "recommendations": recommendations.add,
}
"""Source of the catalogue → the plain computation of its measures, from the query of the same name."""

METRICS = tuple(read_catalogue())
SOURCE_OF = {name: metric.source.name for name, metric in read_catalogue().items()}
FIRST = SOURCE_OF[METRICS[0]]
NOTHING: Mapping[str, Value] = {
    name: None if metric.denominator or metric.quantile else 0 for name, metric in read_catalogue().items()
}
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
    """Yield the months of an answer in which anything happened. Metrics that were not asked for are 0."""
    for bucket in answer["series"]:
        if any(bucket["values"].values()):
            yield _row(answer["seller_id"], bucket_name(bucket, "month"), {**NOTHING, **bucket["values"]})


def metrics_to_ask(
    sellers: Iterable[str], months: Iterable[Mapping[str, str]], with_rows: Mapping[str, Container[str]]
) -> Iterator[tuple[str, list[str]]]:
    """Yield each seller with the metrics to ask for: those of every source that has anything of the seller.

    That is a figure that is not 0 in a month by the facts, or a row in the first table of the source
    (`with_rows`: source → sellers). All others are 0 on both sides. Sales are asked for in any case.
    """
    by_facts: dict[str, set[str]] = defaultdict(set)
    for month in months:
        found = {SOURCE_OF[name] for name in METRICS if month[name] not in ("", "0", "0.0")}
        by_facts[month["seller_id"]] |= found
    for seller_id in sellers:
        asked = by_facts[seller_id] | {source for source in SOURCES if seller_id in with_rows[source]}
        yield seller_id, [name for name in METRICS if SOURCE_OF[name] in asked or SOURCE_OF[name] == FIRST]


def _read(stores: Stores, keys: KeyFilter | None) -> Sides:
    months = SellerMonths(stores.timezone)
    # Clicks on recommendations have no seller, and the figures of every seller need them.
    with_clicks = replace(keys, values=(*keys.values, "")) if keys else None
    for source, add in SOURCES.items():
        rows = stores.clickhouse.query(f"{NAME}/{source}", {"currency": stores.currency}, with_clicks)
        add(rows.to_pylist(), months.of_source(source))
    facts = expected(months)
    span = stores.clickhouse.query(f"{NAME}/span", {"timezone": stores.timezone.key}).to_pylist()
    if not span:
        return Sides(facts, facts)
    days = DayRange.of_months(span[0]["first_month"], span[0]["last_month"])
    query = {"from": str(days.first), "to": str(days.last), "grain": "month", "compare": "none"}
    sellers = read_sellers(stores, keys)["seller_id"].to_pylist()
    with_rows: dict[str, set[str]] = {source: set() for source in SOURCES}
    for row in stores.clickhouse.query(f"{NAME}/sellers_with_rows").to_pylist():
        with_rows[row["source"]].add(row["seller_id"])
    requests = [
        ApiRequest(f"/v1/sellers/{id_}/analytics/{first}", query | {"with": ",".join(others)})
        for id_, (first, *others) in metrics_to_ask(sellers, facts.to_pylist(), with_rows)
    ]
    answers = stores.api.fetch(requests, rows_of)
    return Sides(facts, pa.Table.from_pylist(answers, SCHEMA))


def _row(seller_id: str, bucket: str, values: Mapping[str, Value]) -> Row:
    shown = {name: "" if values[name] is None else str(values[name]) for name in METRICS}
    return {"seller_id": seller_id, "bucket": bucket, **shown}
