"""The cut, which is the point in all stores up to which the audit of an open shop compares.

1. After the replay of a data set, the services read what is in Kafka: what they make of the data set, such as
   published reviews, is compared with the data set, so it must be before the cut.
2. A snapshot of the services' tables is taken, then ClickHouse's clock is read.
3. The relays send every event that waited in an outbox of the snapshot.
4. Kafka's end offsets are taken. Every event of the snapshot and every fact up to that time is before them.
5. The jobs and services commit these offsets. From then on, every store has everything before the cut.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from audit.sources.clickhouse import ClickHouseTables
from audit.sources.kafka import Offsets
from audit.sources.service_db import ServiceDatabase
from common.consumer_lag import end_offsets, total_lag
from jobs.catch_up import ReadLag, wait_while_lag_falls
from schemas.services import TOPICS_BY_GROUP

Readers = Mapping[str, Collection[str]]
"""Consumer group → the topics that it reads."""


@dataclass(frozen=True)
class Cut:
    """The end offsets of all topics, and the time up to which ClickHouse's facts are before them."""

    offsets: Offsets
    ingested_ms: int


@dataclass(frozen=True)
class WaitPolicy:
    """How to wait: give up after `stalled_s` without progress, report each lag, request commits."""

    stalled_s: float
    progress: Callable[[int], None]
    request_commit: Callable[[], None]

    def until_zero(self, lag: ReadLag) -> int:
        """Wait until `lag()` is zero or stops falling, and return the lag."""
        return wait_while_lag_falls(lag, self.stalled_s, self.progress, self.request_commit)


def take_cut(
    bootstrap: str,
    service_db: ServiceDatabase,
    clickhouse: ClickHouseTables,
    wait_policy: WaitPolicy,
    has_source: bool,
) -> Cut:
    """Take a cut now. With a source, wait until the services have read what is in Kafka now.

    Raises:
        PartUnavailable: a store does not answer.
    """
    if has_source and service_db.exists():
        wait_for(end_offsets(bootstrap), bootstrap, TOPICS_BY_GROUP, wait_policy)
    service_db.take_snapshot()
    ingested_ms = clickhouse.now_ms()
    wait_policy.until_zero(lambda: _unsent_of_snapshot(service_db))
    return Cut(end_offsets(bootstrap), ingested_ms)


def wait_for(offsets: Offsets, bootstrap: str, readers: Readers, wait_policy: WaitPolicy) -> int:
    """Wait until all readers have committed these offsets; return how many messages are left."""
    return wait_policy.until_zero(lambda: total_lag(bootstrap, readers, offsets))


def has_moved_since(cut: Cut, bootstrap: str, service_db: ServiceDatabase) -> bool:
    """Return whether an event was sent after the cut, or will soon be sent."""
    return bool(service_db.work_under_way()) or end_offsets(bootstrap) != cut.offsets


def _unsent_of_snapshot(service_db: ServiceDatabase) -> int:
    """Return how many events of the snapshot are still in their outbox."""
    before, now = service_db.query("cut/outboxes"), service_db.query_now("cut/outboxes")
    if before is None or now is None:
        return 0
    return int(now.join(before, ["service", "position"], join_type="inner").num_rows)
