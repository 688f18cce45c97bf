"""One audit of the platform, from its cut to the last comparison."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from typing import Protocol

import redis

from audit.comparison import ComparisonResult
from audit.grains import today_of
from audit.run import compare_all
from audit.snapshot import WaitPolicy, has_moved_since, take_cut, wait_for
from audit.sources.api import ApiClient
from audit.sources.clickhouse import ClickHouseTables
from audit.sources.events import EventLog
from audit.sources.kafka import KafkaTopics
from audit.sources.redis_sets import RedisSets
from audit.sources.service_db import ServiceDatabase
from audit.sources.source_tables import SourceTables
from audit.stores import Stores
from clickhouse.client import connect
from common.postgres_roles import READER
from common.principal_token import PlatformToken
from common.settings import Settings
from common.urls import redact_password
from jobs.checkpoint_trigger import trigger_checkpoints
from jobs.versions import topics_of_live_jobs
from schemas.codec import Decoder
from schemas.registry import SchemaRegistry
from schemas.services import TOPICS_BY_GROUP as SERVICE_TOPICS

Progress = Callable[[str, int, int], None]
"""Called with (what is read, how much so far, how much in total)."""


@contextmanager
def stores(
    settings: Settings,
    source: SourceTables | None,
    progress: Progress,
    wait_policy: WaitPolicy | None = None,
) -> Iterator[Stores]:
    """Open every store read-only for a `with` block.

    With `wait_policy`, a cut is taken first and the stores are read up to it. Without, they are read to the
    end.
    """
    with (
        SchemaRegistry(settings.registry) as registry,
        connect(settings) as client,
        ServiceDatabase(settings.postgres_as(READER)) as service_db,
        redis.Redis.from_url(settings.redis, decode_responses=True) as redis_client,
    ):
        clickhouse = ClickHouseTables(client)
        cut = take_cut(settings.kafka, service_db, clickhouse, wait_policy) if wait_policy else None
        topics = KafkaTopics(settings.kafka, progress, cut.offsets if cut else None)
        yield Stores(
            source=source,
            kafka=EventLog(topics, Decoder(registry.schema)),
            clickhouse=clickhouse,
            service_db=service_db,
            redis=RedisSets(redis_client, redact_password(settings.redis)),
            api=ApiClient(settings.serving, PlatformToken(settings, "audit"), progress),
            timezone=settings.timezone,
            currency=settings.shop_currency,
            cut=cut,
        )


@contextmanager
def beside(settings: Settings, opened: Stores) -> Iterator[Stores]:
    """Yield the same stores for comparisons of `audit.run.BESIDE`, with a connection to ClickHouse apart."""
    with connect(settings) as client:
        yield replace(opened, clickhouse=ClickHouseTables(client))


class AuditWatcher(Protocol):
    """Hears how an audit goes on."""

    def doing(self, what: str) -> None:
        """`what` begins, or has come further."""

    def unsettled(self, messages: int) -> None:
        """So many messages before the cut stay unread. The audit compares anyway."""

    def compared(self, result: ComparisonResult) -> None:
        """A comparison has ended."""

    def not_recorded(self, why: str) -> None:
        """ClickHouse did not take the record of the audit."""


@dataclass(frozen=True)
class AuditFindings:
    """What an audit found; `unread` is the number of messages before the cut that stayed unread.

    `today` is the day whose metrics were not compared, because the shop was open; None if all were.
    """

    results: Sequence[ComparisonResult]
    unread: int
    today: date | None = None


def run_audit(
    settings: Settings,
    names: Iterable[str],
    source: SourceTables | None,
    stalled_s: float,
    watcher: AuditWatcher,
) -> AuditFindings:
    """Compare all stores up to a cut that is taken now, also while the shop is open.

    It stops waiting and rereading after `stalled_s` without progress, and reads at least
    `audit.run.STALLED_READINGS` times again.

    Raises:
        PartUnavailable: a store that every comparison needs does not answer.
    """
    watcher.doing("taking the cut")
    wait_policy = WaitPolicy(
        stalled_s=stalled_s,
        progress=lambda lag: watcher.doing(f"waiting for jobs and services: {lag:,} messages to go"),
        request_commit=partial(trigger_checkpoints, settings),
    )
    results: list[ComparisonResult] = []
    with stores(settings, source, _progress(watcher), wait_policy) as opened:
        unread = _wait_for_cut(settings, opened, wait_policy)
        if unread:
            watcher.unsettled(unread)
        has_moved = partial(_has_moved, settings, opened)
        if has_moved():
            opened = replace(opened, today=today_of(opened))
        with beside(settings, opened) as apart:
            for result in compare_all(names, opened, has_moved, stalled_s, watcher.doing, apart):
                results.append(result)
                watcher.compared(result)
        today = opened.today
    return AuditFindings(results, unread, today)


def _wait_for_cut(settings: Settings, opened: Stores, wait_policy: WaitPolicy) -> int:
    if opened.cut is None:
        return 0
    readers: Mapping[str, Collection[str]] = topics_of_live_jobs(settings)
    if opened.service_db.exists():
        readers = {**readers, **SERVICE_TOPICS}
    return wait_for(opened.cut, settings.kafka, readers, wait_policy)


def _has_moved(settings: Settings, opened: Stores) -> bool:
    return opened.cut is not None and has_moved_since(opened.cut, settings.kafka, opened.service_db)


def _progress(watcher: AuditWatcher) -> Callable[[str, int, int], None]:
    return lambda what, done, of: watcher.doing(f"{what}: {done:,} of {of:,}")
