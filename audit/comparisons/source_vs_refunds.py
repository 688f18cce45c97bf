"""Compares the source's returns with `payment_refunded`: number and amount for each order."""

import pyarrow as pa

from audit.comparison import ComparisonSpec
from audit.grouping import grouped
from audit.source_comparison import SourceComparison

SPEC = ComparisonSpec(
    name="source_vs_refunds",
    what="refunds of every order",
    left="source",
    right="Kafka",
    unit="orders",
    key=("order_id",),
)


def by_order(refunds: pa.Table) -> pa.Table:
    """Return order_id, refunds (their number) and amount_minor."""
    sums = grouped(refunds, "order_id", [("amount_minor", "count"), ("amount_minor", "sum")])
    return sums.rename_columns(["order_id", "refunds", "amount_minor"])


run = SourceComparison(
    SPEC,
    events=("payment_refunded",),
    subject="order_id",
    expected=lambda source: by_order(source.refunds),
    actual=lambda events, _: by_order(events["payment_refunded"]),
).run
