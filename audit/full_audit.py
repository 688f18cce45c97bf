"""One audit of the platform, from its cut to the last comparison."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from typing import Protocol

from audit.comparison import ComparisonResult
from audit.connect import beside, stores
from audit.grains import today_of
from audit.run import compare_all
from audit.snapshot import WaitPolicy, has_moved_since, wait_for
from audit.sources.source_tables import SourceTables
from audit.stores import Stores
from common.settings import Settings
from jobs.flink_client import trigger_checkpoints
from jobs.versions import topics_of_live_jobs
from schemas.services import TOPICS_BY_GROUP as SERVICE_TOPICS


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
