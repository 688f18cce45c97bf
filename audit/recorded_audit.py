"""An audit that is recorded in ClickHouse, for the command line and for the night."""

import gc
import resource
from collections.abc import Iterable
from datetime import datetime

from audit.comparison import ComparisonResult
from audit.full_audit import AuditFindings, AuditWatcher, run_audit
from audit.sources.source_tables import SourceTables
from clickhouse.audit_runs.log import AuditEnd, AuditLog, AuditResult, AuditStart, FoundDifference
from common.audit_runs import AuditOutcome
from common.clock import system_clock
from common.errors import PartUnavailable
from common.settings import Settings


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
        reason = " ".join(str(error).split()) or type(error).__name__
        if isinstance(error, MemoryError):
            reason = "it needs more memory: raise SOUK_AUDIT_MEMORY_MB"
        audit_log.end_if_running(start, AuditEnd(outcome, reason, system_clock()))
        raise
    results = findings.results
    try:
        audit_log.end(
            start,
            audit_end(findings, system_clock(), note),
            _recorded_results(results),
            _recorded_differences(results),
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
            _text(difference.left),
            _text(difference.right),
        )
        for result in results
        for difference in result.differences
    ]


def _text(value: object) -> str:
    return "" if value is None else str(value)
