"""Compares the days of approvals, shipments and deliveries in the source with the events."""

from zoneinfo import ZoneInfo

import pyarrow as pa

from audit.comparison import ComparisonSpec
from audit.source_comparison import Events, SourceComparison
from audit.sources.order_lines import local_days

SPEC = ComparisonSpec(
    name="source_vs_order_steps",
    what="confirmations, shipments and deliveries of every order",
    left="source",
    right="Kafka",
    unit="steps",
    key=("order_id", "step", "seller_id"),
)
STEPS = {"order_confirmed": "confirmed", "order_shipped": "shipped", "order_delivered": "delivered"}


def from_events(events: Events, timezone: ZoneInfo) -> pa.Table:
    """Return order_id, step, seller_id (empty for a confirmation) and day."""
    steps = []
    for name, step in STEPS.items():
        table = events[name]
        no_seller = pa.array([""] * table.num_rows, pa.string())
        columns = {
            "order_id": table["order_id"],
            "step": pa.array([step] * table.num_rows, pa.string()),
            "seller_id": table["seller_id"] if "seller_id" in table.column_names else no_seller,
            "day": local_days(table["occurred_at"], timezone),
        }
        steps.append(pa.table(columns))
    return pa.concat_tables(steps)


run = SourceComparison(
    SPEC,
    events=tuple(STEPS),
    subject="order_id",
    expected=lambda source: source.steps,
    actual=from_events,
).run
