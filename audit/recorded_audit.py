"""One audit of the platform, from its cut to its last comparison, which is recorded in ClickHouse.

The command line and the nightly worker make it.
"""

import gc
import resource
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import partial
from typing import Protocol

from audit.comparison import ComparisonResult
from audit.connect import beside, stores
from audit.grains import today_of
from audit.run import compare_all
from audit.snapshot import WaitPolicy, has_moved_since, wait_for
from audit.sources.source_tables import SourceTables
from audit.stores import Stores
from clickhouse.audit_runs.log import AuditEnd, AuditLog, AuditResult, AuditStart, FoundDifference
from clickhouse.client import one_line
from common.audit_runs import AuditOutcome
from common.clock import system_clock
from common.errors import PartUnavailable
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
    return AuditFindings(results, unread, opened.today)


def _wait_for_cut(settings: Settings, opened: Stores, wait_policy: WaitPolicy) -> int:
    if opened.cut is None:
        return 0
    readers: Mapping[str, Collection[str]] = topics_of_live_jobs(settings)
    if opened.service_db.exists():
        readers = {**readers, **SERVICE_TOPICS}
    return wait_for(opened.cut.offsets, settings.kafka, readers, wait_policy)


def _has_moved(settings: Settings, opened: Stores) -> bool:
    return opened.cut is not None and has_moved_since(opened.cut, settings.kafka, opened.service_db)


def _progress(watcher: AuditWatcher) -> Callable[[str, int, int], None]:
    return lambda what, done, of: watcher.doing(f"{what}: {done:,} of {of:,}")


def tune_garbage_collection() -> None:
    """Look for cycles rarely: millions of rows come and go without any, and looking took a third."""
    gc.set_threshold(100_000, 20, 100)


def run_recorded(
    settings: Settings,
    start: AuditStart,
    names: Iterable[str],
    source: SourceTables | None,
    stalled_s: float,
    watcher: AuditWatcher,
    note: str = "",
) -> AuditFindings:
    """Make an audit and record it. `note` says what it leaves out, if it is not everything.

    Without ClickHouse, the record is missing and the watcher hears why.

    Raises: see `run_audit`.
    """
    audit_log = AuditLog(settings)
    try:
        audit_log.begin(start)
    except PartUnavailable as error:
        watcher.not_recorded(str(error))
    try:
        findings = run_audit(settings, names, source, stalled_s, watcher)
    except BaseException as error:
        outcome: AuditOutcome = "stopped" if isinstance(error, KeyboardInterrupt) else "failed"
        reason = one_line(error) or type(error).__name__
        if isinstance(error, MemoryError):
            reason = "it needs more memory: raise SOUK_AUDIT_MEMORY_MB"
        audit_log.end_if_running(start, AuditEnd(outcome, reason, system_clock()))
        raise
    try:
        audit_log.end(
            start,
            audit_end(findings, system_clock(), note),
            _recorded_results(findings.results),
            _recorded_differences(findings.results),
        )
    except PartUnavailable as error:
        watcher.not_recorded(str(error))
    return findings


def audit_end(findings: AuditFindings, ended_at: datetime, note: str) -> AuditEnd:
    """Return the sums over the results of an audit that this process has made, and what they mean."""
    results = findings.results
    differences = sum(each.difference_count for each in results)
    unread = sum(bool(each.unread) for each in results)
    rows = sum(each.rows for each in results)
    outcome: AuditOutcome = (
        "differ" if differences else "incomplete" if unread else "agree" if rows else "nothing"
    )
    open_day = f"without the metrics of {findings.today}, because the shop was open" if findings.today else ""
    late = f"{findings.unread:,} messages before the cut were not read in time" if findings.unread else ""
    return AuditEnd(
        outcome=outcome,
        reason="; ".join(text for text in (note, open_day, late) if text),
        ended_at=ended_at,
        comparisons=len(results),
        rows=rows,
        figures=sum(each.figures for each in results),
        differences=differences,
        explained=sum(each.explained for each in results),
        unread=unread,
        peak_memory_mb=round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1_000_000, 1),
    )


def _recorded_results(results: Iterable[ComparisonResult]) -> list[AuditResult]:
    """Return the results as rows of `audit_results`."""
    return [
        AuditResult(
            comparison=each.spec.name,
            subject=each.spec.what,
            left_store=each.spec.left,
            right_store=each.spec.right,
            rows=each.rows,
            figures=each.figures,
            differences=each.difference_count,
            explained=each.explained,
            unread=each.unread,
        )
        for each in results
    ]


def _recorded_differences(results: Iterable[ComparisonResult]) -> list[FoundDifference]:
    """Return the differences that the results have as rows of `audit_differences`."""
    return [
        FoundDifference(
            result.spec.name,
            result.spec.what,
            result.spec.left,
            result.spec.right,
            difference.row,
            difference.field,
            *("" if value is None else str(value) for value in (difference.left, difference.right)),
        )
        for result in results
        for difference in result.differences
    ]
