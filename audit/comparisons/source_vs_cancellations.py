"""Compares the source's cancelled orders with `order_cancelled`. The source has no times of cancellations."""

from zoneinfo import ZoneInfo

import pyarrow as pa

from audit.comparison import ComparisonSpec
from audit.source_comparison import Events, SourceComparison
from audit.sources.order_lines import local_days

SPEC = ComparisonSpec(
    name="source_vs_cancellations",
    what="every cancelled order, by the day on which it was placed",
    left="source",
    right="Kafka",
    unit="orders",
    key=("order_id",),
)


def from_events(events: Events, timezone: ZoneInfo) -> pa.Table:
    """Return order_id and day (of the purchase)."""
    cancelled = events["order_cancelled"]
    days = local_days(cancelled["placed_at"], timezone)
    return pa.table({"order_id": cancelled["order_id"], "day": days})


run = SourceComparison(
    SPEC,
    events=("order_cancelled",),
    subject="order_id",
    expected=lambda source: source.cancelled,
    actual=from_events,
    has_no_times=True,
).run
