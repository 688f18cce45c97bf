"""`python -m audit.nightly.child AUDIT_ID STARTED_AT WORKER`: one audit of everything, within limits.

The worker starts it, with its own process id, and the audit ends with it.
"""

import os
import resource
import signal
import sys
from datetime import datetime
from typing import TYPE_CHECKING

import structlog

from audit.comparison import ComparisonResult
from common.errors import SoukError
from common.parent_process import end_with_parent
from common.settings import Settings
from common.telemetry import configure_logging

if TYPE_CHECKING:
    from audit.sources.source_tables import SourceTables

STALLED_S = 120.0
"""Seconds without progress after which the audit does not wait for messages any more."""

log = structlog.get_logger()


def main() -> int:
    """Audit everything once; return 0 if it has compared, whatever it found, and 1 if it failed."""
    configure_logging("audit")
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that the end is recorded as `stopped`
    audit_id, started_at, worker = sys.argv[1:]
    end_with_parent(int(worker))
    settings = Settings.load()
    _limit_this_process(settings)
    try:
        _audit(settings, audit_id, datetime.fromisoformat(started_at))
    except KeyboardInterrupt:
        return 1
    except (SoukError, MemoryError) as error:
        log.error("the audit failed", reason=str(error) or "SOUK_AUDIT_MEMORY_MB is not enough")
        return 1
    return 0


def _limit_this_process(settings: Settings) -> None:
    """Give this process the lowest priority, and limit its memory: without enough, the audit fails."""
    os.nice(19)
    memory = settings.audit_memory_mb * 1_000_000
    resource.setrlimit(resource.RLIMIT_DATA, (memory, memory))


def _audit(settings: Settings, audit_id: str, started_at: datetime) -> None:
    # Imported under the limits: Arrow and the clients take most of the memory of a small audit.
    from audit.recorded_audit import run_recorded, tune_garbage_collection
    from audit.registry import COMPARISONS
    from clickhouse.audit_runs.log import AuditStart

    tune_garbage_collection()
    source, note = _tables_of_replay(settings)
    start = AuditStart(audit_id, started_at, "scheduled")
    findings = run_recorded(settings, start, COMPARISONS, source, STALLED_S, LogWatcher(), note)
    differing = sorted({each.spec.name for each in findings.results if each.difference_count})
    if differing:
        log.error("the audit found differences", comparisons=differing)
    log.info("audited", rows=sum(each.rows for each in findings.results), differing=len(differing))


def _tables_of_replay(settings: Settings) -> "tuple[SourceTables | None, str]":
    """Return the tables that were replayed, and a note if they are gone and so not compared.

    Nothing was replayed: (None, ""). The platform itself is compared in any case.
    """
    from audit.replayed_source import replayed

    tables = replayed(settings.home, None, settings.timezone)
    if tables is None or tables.directory.is_dir():
        return tables, ""
    return None, f"the replayed tables are not compared: {tables.directory} is gone"


class LogWatcher:
    """Logs warnings; ClickHouse has what was found."""

    def doing(self, what: str) -> None:
        """Log nothing: a step takes seconds."""

    def unsettled(self, messages: int) -> None:
        """Log that the comparison goes on although messages are late."""
        log.warning("messages before the cut are still unread: comparing anyway", messages=messages)

    def compared(self, result: ComparisonResult) -> None:
        """Log a comparison that differs, or could not be made."""
        about = {"comparison": result.spec.name, "subject": result.spec.what}
        if result.verdict == "differ":
            log.warning("a comparison differs", **about, differences=result.difference_count)
        if result.verdict == "not compared":
            log.warning("a comparison could not be made", **about, reason=result.unread)

    def not_recorded(self, why: str) -> None:
        """Log that ClickHouse has no record of the audit."""
        log.error("the audit is not recorded", reason=why)


if __name__ == "__main__":
    sys.exit(main())
