"""Compares the source's payments with `payment_captured`: number and amount for each order."""

import pyarrow as pa

from audit.comparison import ComparisonSpec
from audit.grouping import grouped
from audit.source_comparison import SourceComparison

SPEC = ComparisonSpec(
    name="source_vs_payments",
    what="payments of every order",
    left="source",
    right="Kafka",
    unit="orders",
    key=("order_id",),
)


def by_order(payments: pa.Table) -> pa.Table:
    """Return order_id, payments (their number) and amount_minor."""
    sums = grouped(payments, "order_id", [("amount_minor", "count"), ("amount_minor", "sum")])
    return sums.rename_columns(["order_id", "payments", "amount_minor"])


run = SourceComparison(
    SPEC,
    events=("payment_captured",),
    subject="order_id",
    expected=lambda source: by_order(source.payments),
    actual=lambda events, _: by_order(events["payment_captured"]),
).run
