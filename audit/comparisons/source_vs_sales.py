"""Compares the source's order items with `order_placed`: the sales of each seller on each day."""

from audit.comparison import ComparisonSpec
from audit.source_comparison import SourceComparison
from audit.sources.order_lines import sum_lines, unfold_lines

SPEC = ComparisonSpec(
    name="source_vs_sales",
    what="sales by seller and day",
    left="source",
    right="Kafka",
    unit="seller days",
    key=("seller_id", "day"),
)
_KEY = list(SPEC.key)

run = SourceComparison(
    SPEC,
    events=("order_placed",),
    subject="order_id",
    expected=lambda source: sum_lines(source.lines, _KEY),
    actual=lambda events, timezone: sum_lines(unfold_lines(events["order_placed"], timezone), _KEY),
).run
