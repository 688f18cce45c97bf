"""Compares the source's orders with `order_placed`: shopper, day and amounts."""

from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc

from audit.comparison import ComparisonSpec
from audit.source_comparison import Events, SourceComparison
from audit.sources.order_lines import FIGURES, local_days, sum_lines, unfold_lines

SPEC = ComparisonSpec(
    name="source_vs_orders",
    what="every order",
    left="source",
    right="Kafka",
    unit="orders",
    key=("order_id",),
)


def with_sums(orders: pa.Table, lines: pa.Table) -> pa.Table:
    """Return the orders with the sums of their lines, zeros for an order without lines."""
    joined = orders.join(sum_lines(lines, ["order_id"]).drop_columns(["orders"]), "order_id")
    sums = {name: pc.fill_null(joined[name], 0) for name in FIGURES}
    return pa.table({**{name: joined[name] for name in orders.column_names}, **sums})


def from_events(events: Events, timezone: ZoneInfo) -> pa.Table:
    """Return order_id, shopper_id, day and the sums of the lines of `order_placed`."""
    placed = events["order_placed"]
    orders = pa.table(
        {
            "order_id": placed["order_id"],
            "shopper_id": placed["shopper_id"],
            "day": local_days(placed["occurred_at"], timezone),
        }
    )
    return with_sums(orders, unfold_lines(placed, timezone))


run = SourceComparison(
    SPEC,
    events=("order_placed",),
    subject="order_id",
    expected=lambda source: with_sums(source.orders_placed, source.lines),
    actual=from_events,
).run
