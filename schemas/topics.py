"""Every Kafka topic: its name, key, partitions and how long it keeps what it holds.

Retention counts from the moment the broker took a record (`message.timestamp.type=LogAppendTime`), not from
when the event happened: a replay of 2016 would else be deleted at once. The event's own time is its
`occurred_at`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta

from schemas.metrics import METRICS

KEPT = None
"""Retention of what is never deleted: money, orders, and what explains them."""

DAYS_30 = timedelta(days=30)
DAYS_90 = timedelta(days=90)


@dataclass(frozen=True)
class Topic:
    """One topic. `key` is the event field whose order matters, empty for dead letters."""

    name: str
    key: str
    partitions: int
    retention: timedelta | None

    @property
    def dead_letters(self) -> str:
        """The topic that takes what could not be used of this one."""
        return f"{self.name}_dlq"

    def config(self) -> dict[str, str]:
        """The topic's own settings in Kafka; the rest is the broker's."""
        retention_ms = -1 if self.retention is None else int(self.retention.total_seconds() * 1000)
        return {
            "cleanup.policy": "delete",
            "message.timestamp.type": "LogAppendTime",
            "retention.bytes": "-1",
            "retention.ms": str(retention_ms),
        }


EVENT_TOPICS: tuple[Topic, ...] = (
    # people
    Topic("shopper_registered", "shopper_id", 4, KEPT),
    Topic("seller_registered", "seller_id", 2, KEPT),
    Topic("seller_approved", "seller_id", 2, KEPT),
    # catalogue
    Topic("product_listed", "product_id", 4, KEPT),
    Topic("product_changed", "product_id", 4, KEPT),
    Topic("product_delisted", "product_id", 4, KEPT),
    # browsing
    Topic("product_viewed", "session_id", 4, DAYS_30),
    Topic("search_performed", "session_id", 4, DAYS_30),
    Topic("cart_changed", "session_id", 4, DAYS_30),
    Topic("recommendation_shown", "session_id", 4, DAYS_30),
    Topic("recommendation_clicked", "session_id", 4, DAYS_30),
    # orders
    Topic("order_placed", "order_id", 4, KEPT),
    Topic("order_confirmed", "order_id", 4, KEPT),
    Topic("order_cancelled", "order_id", 4, KEPT),
    Topic("order_shipped", "order_id", 4, KEPT),
    Topic("order_delivered", "order_id", 4, KEPT),
    Topic("order_returned", "order_id", 4, KEPT),
    # stock
    Topic("stock_reserved", "order_id", 4, KEPT),
    Topic("stock_refused", "order_id", 4, KEPT),
    Topic("stock_released", "order_id", 4, KEPT),
    Topic("stock_changed", "product_id", 4, KEPT),
    Topic("restock_needed", "product_id", 2, DAYS_90),
    # money
    Topic("payment_captured", "order_id", 4, KEPT),
    Topic("payment_failed", "order_id", 4, KEPT),
    Topic("payment_refunded", "order_id", 4, KEPT),
    Topic("payout_paid", "seller_id", 2, KEPT),
    Topic("ledger_posted", "transaction_id", 4, KEPT),
    # voice
    Topic("review_submitted", "order_id", 4, KEPT),
    Topic("review_published", "order_id", 4, KEPT),
    Topic("review_rejected", "order_id", 4, KEPT),
    # operations
    Topic("notification_sent", "recipient_id", 2, DAYS_90),
    Topic("notification_failed", "recipient_id", 2, DAYS_90),
    Topic("setting_changed", "name", 1, KEPT),
    Topic("alert_raised", "name", 1, DAYS_90),
)

JOB_OUTPUTS: Mapping[str, str] = {
    **{metric.table: "metrics" for metric in METRICS},
    "pipeline_progress": "metrics",
    "recommendations": "recommendations",
}
"""What jobs write, in ClickHouse and Redis → the job: each has a dead-letter topic beside the events'."""


def all_topics() -> Iterator[Topic]:
    """Every topic that must exist: the events', then the dead letters of events and jobs."""
    yield from EVENT_TOPICS
    for topic in EVENT_TOPICS:
        # A month longer than what they are of, so that whoever finds a bad message finds its letter, too.
        retention = None if topic.retention is None else topic.retention + DAYS_30
        yield Topic(topic.dead_letters, "", 1, retention)
    for name in JOB_OUTPUTS:
        yield Topic(f"{name}_dlq", "", 1, DAYS_30)
