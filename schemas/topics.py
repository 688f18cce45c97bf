"""Every Kafka topic: its key, partitions and retention. Who writes and reads it is in `services.toml`.

Retention counts from the time at which the broker appended a record
(`message.timestamp.type=LogAppendTime`), not from the event's own `occurred_at`. Otherwise Kafka would delete
a replay of 2016 at once.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta

from schemas.services import FILE, ROOMS, WrongServices

FOREVER = None
"""Retention of topics whose messages are never deleted: those about money and orders, and their causes."""

DAYS_30 = timedelta(days=30)
DAYS_90 = timedelta(days=90)

_SEGMENT_MS = 7 * 24 * 3600 * 1000


RANKINGS = ("popular_products", "trending_products")
"""The sorted sets in Redis that job `rankings` writes."""


@dataclass(frozen=True)
class Topic:
    """One topic.

    `key` is the event field that partitions the topic: events with the same key stay in order. It is empty
    for dead letters. Of a `compacted` topic, Kafka keeps only the newest message of each key; ClickHouse
    keeps all.
    """

    name: str
    key: str
    partitions: int
    retention: timedelta | None
    compacted: bool = False

    @property
    def keeps_every_message(self) -> bool:
        """Whether Kafka never deletes a message of this topic."""
        return self.retention is None and not self.compacted

    @property
    def dead_letter_topic(self) -> str:
        """The topic for messages of this topic that could not be processed."""
        return f"{self.name}_dlq"

    def config(self) -> dict[str, str]:
        """The topic's own settings in Kafka; the broker's defaults apply to the rest."""
        retention_ms = -1 if self.retention is None else int(self.retention.total_seconds() * 1000)
        return {
            "cleanup.policy": "compact" if self.compacted else "delete",
            "message.timestamp.type": "LogAppendTime",
            "retention.bytes": "-1",
            "retention.ms": str(retention_ms),
            # Kafka deletes whole segments only, and by default it fills a segment for a week.
            **({"segment.ms": str(retention_ms)} if 0 < retention_ms < _SEGMENT_MS else {}),
        }


EVENT_TOPICS: tuple[Topic, ...] = (
    # people
    Topic("shopper_registered", "shopper_id", 4, FOREVER),
    Topic("shopper_erased", "shopper_id", 2, FOREVER),
    Topic("seller_registered", "seller_id", 2, FOREVER),
    Topic("seller_changed", "seller_id", 2, FOREVER),
    Topic("seller_approved", "seller_id", 2, FOREVER),
    Topic("seller_status_changed", "seller_id", 2, FOREVER),
    Topic("product_cost_set", "product_id", 2, FOREVER),
    Topic("commission_rule_added", "rule_id", 1, FOREVER),
    # catalogue
    Topic("product_listed", "product_id", 4, FOREVER),
    Topic("product_changed", "product_id", 4, FOREVER),
    Topic("product_delisted", "product_id", 4, FOREVER),
    # browsing
    Topic("product_viewed", "session_id", 4, DAYS_30),
    Topic("search_performed", "session_id", 4, DAYS_30),
    Topic("cart_changed", "session_id", 4, DAYS_30),
    Topic("cart_abandoned", "cart_id", 2, DAYS_30),
    Topic("recommendation_answered", "recommendation_id", 4, DAYS_30),
    Topic("recommendation_shown", "session_id", 4, DAYS_30),
    Topic("recommendation_clicked", "session_id", 4, DAYS_30),
    # orders
    Topic("order_placed", "order_id", 4, FOREVER),
    Topic("order_confirmed", "order_id", 4, FOREVER),
    Topic("order_cancelled", "order_id", 4, FOREVER),
    Topic("order_shipped", "order_id", 4, FOREVER),
    Topic("order_delivered", "order_id", 4, FOREVER),
    Topic("order_returned", "order_id", 4, FOREVER),
    Topic("return_settled", "order_id", 4, FOREVER),
    # stock
    Topic("stock_reserved", "order_id", 4, FOREVER),
    Topic("stock_refused", "order_id", 4, FOREVER),
    Topic("stock_released", "order_id", 4, FOREVER),
    Topic("stock_changed", "product_id", 4, FOREVER),
    Topic("restock_needed", "product_id", 2, DAYS_90),
    # money
    Topic("payment_captured", "order_id", 4, FOREVER),
    Topic("payment_failed", "order_id", 4, FOREVER),
    Topic("payment_refunded", "order_id", 4, FOREVER),
    Topic("payout_paid", "seller_id", 2, FOREVER),
    Topic("ledger_posted", "transaction_id", 4, FOREVER),
    # reviews
    Topic("review_submitted", "order_id", 4, FOREVER),
    Topic("review_published", "order_id", 4, FOREVER),
    Topic("review_rejected", "order_id", 4, FOREVER),
    Topic("review_withdrawn", "order_id", 4, FOREVER),
    Topic("review_answered", "order_id", 4, FOREVER),
    # operations
    Topic("notification_sent", "recipient_id", 2, DAYS_90),
    Topic("notification_failed", "recipient_id", 2, DAYS_90),
    # Every process reads it from the beginning when it starts (`schemas.configuration.watcher`).
    Topic("setting_changed", "name", 1, FOREVER, compacted=True),
    Topic("alert_raised", "name", 1, DAYS_90),
)

OUTBOX_PROGRESS = Topic("outbox_progress", "service", 1, timedelta(hours=1))
"""Reports of the services to job `facts`: the time up to which all events of a service are in Kafka.

A message is JSON with the fields `service` and `complete_until` (Unix milliseconds).
"""

JOB_OUTPUTS: Mapping[str, str] = {
    **dict.fromkeys(RANKINGS, "rankings"),
    "pipeline_progress": "facts",
    "recommendations": "recommendations",
    "signals": "signals",
}
"""Job outputs in ClickHouse and Redis → the job that writes them. Each output has a dead-letter topic."""


def all_topics() -> Iterator[Topic]:
    """Yield every topic that must exist: events, then the dead letters of events and of job outputs."""
    yield from EVENT_TOPICS
    yield OUTBOX_PROGRESS
    for topic in EVENT_TOPICS:
        # A dead letter is retained for 30 days longer than its message. Otherwise the message could still be
        # in Kafka after the dead letter that explains it has been deleted.
        retention = None if topic.retention is None else topic.retention + DAYS_30
        yield Topic(topic.dead_letter_topic, "", 1, retention)
    for name in JOB_OUTPUTS:
        yield Topic(f"{name}_dlq", "", 1, DAYS_30)


_NAMED = {event for room in ROOMS.values() for event in (*room.emits, *room.reads, *room.takes)}
if _WITHOUT_TOPIC := _NAMED - {topic.name for topic in EVENT_TOPICS}:
    raise WrongServices(f"{FILE.name} names events that have no topic: {', '.join(sorted(_WITHOUT_TOPIC))}")
