"""Compares every metric of the catalogue, for every seller and month, with a plain computation from facts."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from fractions import Fraction
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa

from audit.comparison import ComparisonSpec
from audit.comparisons.aggregates_vs_seller_api import read_sellers
from audit.sources.api import ApiRequest, Row
from audit.sources.sales_api import DayRange, bucket_name
from audit.stores import Stores
from audit.table_comparison import KeyFilter, Sides, TableComparison

NAME = "facts_vs_seller_metrics"
SPEC = ComparisonSpec(
    NAME, "every metric of every seller by month", "facts", "API", "seller months", ("seller_id", "bucket")
)

METRICS = (
    "gross_sales", "discounts", "cancellations", "returns", "net_sales", "shipping",
    "orders", "cancelled_orders", "units", "net_units",
    "average_order_value", "average_unit_price",
    "units_per_order", "cancellation_rate", "return_rate", "discount_rate",
)  # fmt: skip
SCHEMA = pa.schema(
    [("seller_id", pa.string()), ("bucket", pa.string()), *((name, pa.string()) for name in METRICS)]
)
"""Values are text, because a ratio can be missing: it is empty then."""


@dataclass
class _Month:
    """What happened to a seller's orders of one month."""

    orders: set[str] = field(default_factory=set)
    cancelled_orders: set[str] = field(default_factory=set)
    sums: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    def add(self, line: Mapping[str, Any]) -> None:
        """Add a line that was sold, cancelled or returned."""
        sums = self.sums
        if line["kind"] == "sold":
            self.orders.add(line["order_id"])
            for name in ("units", "gross", "discount", "shipping"):
                sums[name] += line[name]
        elif line["kind"] == "cancelled":
            self.cancelled_orders.add(line["order_id"])
            sums["cancelled_units"] += line["units"]
            sums["cancelled"] += line["gross"] - line["discount"]
        else:
            sums["returned_units"] += line["units"]
            sums["refund"] += line["refund"]

    def metrics(self) -> dict[str, int | float | None]:
        """Return the value of every metric."""
        sums, orders, cancelled = self.sums, len(self.orders), len(self.cancelled_orders)
        net = sums["gross"] - sums["discount"] - sums["cancelled"] - sums["refund"]
        return {
            "gross_sales": sums["gross"],
            "discounts": sums["discount"],
            "cancellations": sums["cancelled"],
            "returns": sums["refund"],
            "net_sales": net,
            "shipping": sums["shipping"],
            "orders": orders,
            "cancelled_orders": cancelled,
            "units": sums["units"],
            "net_units": sums["units"] - sums["cancelled_units"] - sums["returned_units"],
            "average_order_value": _quotient(net, orders - cancelled),
            "average_unit_price": _quotient(sums["gross"], sums["units"]),
            "units_per_order": _four_decimals(sums["units"], orders),
            "cancellation_rate": _four_decimals(cancelled, orders),
            "return_rate": _four_decimals(sums["returned_units"], sums["units"]),
            "discount_rate": _four_decimals(sums["discount"], sums["gross"]),
        }


def run(stores: Stores) -> Iterator[TableComparison]:
    """Compare the months of every seller."""
    yield TableComparison(SPEC, partial(_read, stores))


def expected(lines: Iterable[Mapping[str, Any]], zone: ZoneInfo) -> pa.Table:
    """Return the metrics of each seller and month, from lines of the query `lines`."""
    months: dict[tuple[str, str], _Month] = defaultdict(_Month)
    for line in lines:
        month = f"{datetime.fromtimestamp(line['placed_ms'] / 1000, zone):%Y-%m}"
        months[line["seller_id"], month].add(line)
    rows = [_row(seller, bucket, month.metrics()) for (seller, bucket), month in months.items()]
    return pa.Table.from_pylist(rows, SCHEMA)


def rows_of(answer: Any) -> Iterator[Row]:
    """Yield the months of an answer in which anything happened."""
    for bucket in answer["series"]:
        if any(bucket["values"].values()):
            yield _row(answer["seller_id"], bucket_name(bucket, "month"), bucket["values"])


def _read(stores: Stores, keys: KeyFilter | None) -> Sides:
    lines = stores.clickhouse.query(f"{NAME}/lines", {"currency": stores.currency}, keys)
    months = expected(lines.to_pylist(), stores.timezone)
    span = stores.clickhouse.query(f"{NAME}/span", {"timezone": stores.timezone.key}).to_pylist()
    if not span:
        return Sides(months, months)
    days = DayRange.of_months(span[0]["first_month"], span[0]["last_month"])
    query = {"from": str(days.first), "to": str(days.last), "grain": "month", "compare": "none"}
    query["with"] = ",".join(METRICS[1:])
    sellers = read_sellers(stores, keys)["seller_id"].to_pylist()
    requests = [ApiRequest(f"/v1/sellers/{id_}/analytics/{METRICS[0]}", query) for id_ in sellers]
    answers = stores.api.fetch(requests, rows_of)
    return Sides(months, pa.Table.from_pylist(answers, SCHEMA))


def _row(seller_id: str, bucket: str, values: Mapping[str, int | float | None]) -> Row:
    shown = {name: "" if values[name] is None else str(values[name]) for name in METRICS}
    return {"seller_id": seller_id, "bucket": bucket, **shown}


def _quotient(numerator: int, denominator: int) -> int | None:
    """Return the quotient, rounded half up; None if the denominator is not above 0."""
    return (Fraction(numerator, denominator) + Fraction(1, 2)).__floor__() if denominator > 0 else None


def _four_decimals(numerator: int, denominator: int) -> float | None:
    rounded = _quotient(numerator * 10_000, denominator)
    return None if rounded is None else rounded / 10_000
