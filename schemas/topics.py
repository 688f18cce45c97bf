"""Every Kafka topic: its key, partitions, retention, the room that writes it and the rooms that read it.

Retention counts from the time at which the broker appended a record
(`message.timestamp.type=LogAppendTime`), not from the event's own `occurred_at`. Otherwise Kafka would delete
a replay of 2016 at once.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta

FOREVER = None
"""Retention of topics whose messages are never deleted: those about money and orders, and their causes."""

DAYS_30 = timedelta(days=30)
DAYS_90 = timedelta(days=90)

_SEGMENT_MS = 7 * 24 * 3600 * 1000


EXTERNAL = "external"
"""Owner of an event that no service of this repository emits. Other systems send it to Kafka directly, as do
the replay and the simulator."""

ORDERS, INVENTORY, PAYMENTS = "producers/orders", "producers/inventory", "producers/payments"
USERS, SELLERS = "producers/users", "producers/sellers"
CONFIGURATION = "producers/configuration"
ALERTS = "producers/alerts"
INTAKE, CACHE, ANSWERS = "serving/intake", "serving/cache", "serving/recommendations"
SIMULATOR = "producers/simulator"
FACTS_JOB = "jobs/facts"
RANKINGS_JOB, RECOMMENDATIONS_JOB = "jobs/rankings", "jobs/recommendations"
SIGNALS_JOB = "jobs/signals"

LISTING_READERS = (ORDERS, INVENTORY, RECOMMENDATIONS_JOB, CACHE)
"""The rooms that read the events about listings."""

RANKINGS = ("popular_products", "trending_products")
"""The sorted sets in Redis that job `rankings` writes."""


@dataclass(frozen=True)
class Topic:
    """One topic.

    `key` is the event field that partitions the topic: events with the same key stay in order. It is empty
    for dead letters. `owner` is the room that emits the event. `consumers` are the rooms that read it besides
    job `facts`, which copies every event into ClickHouse. A contract test compares owners and consumers with
    the code. Of a `compacted` topic, Kafka keeps only the newest message of each key; ClickHouse keeps all.
    """

    name: str
    key: str
    partitions: int
    retention: timedelta | None
    owner: str = ""
    consumers: tuple[str, ...] = ()
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
    Topic("shopper_registered", "shopper_id", 4, FOREVER, USERS),
    Topic("shopper_erased", "shopper_id", 2, FOREVER, USERS),
    Topic("seller_registered", "seller_id", 2, FOREVER, SELLERS, (SELLERS, CACHE)),
    Topic("seller_changed", "seller_id", 2, FOREVER, SELLERS, (CACHE,)),
    Topic("seller_approved", "seller_id", 2, FOREVER, SELLERS, (SELLERS,)),
    Topic("product_cost_set", "product_id", 2, FOREVER, SELLERS),
    # catalogue
    Topic("product_listed", "product_id", 4, FOREVER, EXTERNAL, LISTING_READERS),
    Topic("product_changed", "product_id", 4, FOREVER, EXTERNAL, LISTING_READERS),
    Topic("product_delisted", "product_id", 4, FOREVER, EXTERNAL, LISTING_READERS),
    # browsing
    Topic("product_viewed", "session_id", 4, DAYS_30, INTAKE, (RECOMMENDATIONS_JOB, SIGNALS_JOB)),
    Topic("search_performed", "session_id", 4, DAYS_30, INTAKE),
    Topic("cart_changed", "session_id", 4, DAYS_30, INTAKE, (RECOMMENDATIONS_JOB,)),
    Topic("recommendation_answered", "recommendation_id", 4, DAYS_30, ANSWERS),
    Topic("recommendation_shown", "session_id", 4, DAYS_30, INTAKE),
    Topic("recommendation_clicked", "session_id", 4, DAYS_30, INTAKE),
    # orders
    Topic(
        "order_placed",
        "order_id",
        4,
        FOREVER,
        ORDERS,
        (INVENTORY, PAYMENTS, RECOMMENDATIONS_JOB),
    ),
    Topic(
        "order_confirmed",
        "order_id",
        4,
        FOREVER,
        ORDERS,
        (INVENTORY, SIMULATOR, RANKINGS_JOB, SIGNALS_JOB, CACHE),
    ),
    Topic(
        "order_cancelled",
        "order_id",
        4,
        FOREVER,
        ORDERS,
        (INVENTORY, PAYMENTS, SIMULATOR, RECOMMENDATIONS_JOB, SIGNALS_JOB),
    ),
    Topic("order_shipped", "order_id", 4, FOREVER, EXTERNAL, (ORDERS,)),
    Topic("order_delivered", "order_id", 4, FOREVER, EXTERNAL, (ORDERS,)),
    Topic("order_returned", "order_id", 4, FOREVER, EXTERNAL, (ORDERS, INVENTORY, PAYMENTS)),
    # stock
    Topic("stock_reserved", "order_id", 4, FOREVER, INVENTORY, (PAYMENTS,)),
    Topic("stock_refused", "order_id", 4, FOREVER, INVENTORY, (ORDERS,)),
    Topic("stock_released", "order_id", 4, FOREVER, INVENTORY, (ORDERS,)),
    Topic("stock_changed", "product_id", 4, FOREVER, INVENTORY, (RECOMMENDATIONS_JOB, SIGNALS_JOB, CACHE)),
    Topic("restock_needed", "product_id", 2, DAYS_90, EXTERNAL),
    # money
    Topic("payment_captured", "order_id", 4, FOREVER, PAYMENTS, (ORDERS, SIGNALS_JOB)),
    Topic("payment_failed", "order_id", 4, FOREVER, PAYMENTS, (ORDERS, INVENTORY, SIGNALS_JOB)),
    Topic("payment_refunded", "order_id", 4, FOREVER, PAYMENTS, (ORDERS,)),
    Topic("payout_paid", "seller_id", 2, FOREVER, EXTERNAL),
    Topic("ledger_posted", "transaction_id", 4, FOREVER, EXTERNAL),
    # reviews
    Topic("review_submitted", "order_id", 4, FOREVER, EXTERNAL, (SIGNALS_JOB,)),
    Topic("review_published", "order_id", 4, FOREVER, EXTERNAL),
    Topic("review_rejected", "order_id", 4, FOREVER, EXTERNAL),
    # operations
    Topic("notification_sent", "recipient_id", 2, DAYS_90, EXTERNAL),
    Topic("notification_failed", "recipient_id", 2, DAYS_90, EXTERNAL),
    # Every process reads it from the beginning when it starts (`schemas.configuration.watcher`).
    Topic("setting_changed", "name", 1, FOREVER, CONFIGURATION, compacted=True),
    Topic("alert_raised", "name", 1, DAYS_90, ALERTS),
)

OUTBOX_PROGRESS = Topic("outbox_progress", "service", 1, timedelta(hours=1), "producers/outbox", (FACTS_JOB,))
"""Reports the time up to which all events of a service are in Kafka.

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
