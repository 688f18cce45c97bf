"""`python -m audit.nightly.worker`: audits the platform every night (`SOUK_AUDIT_HOUR`).

An audit is a process of its own, with limits, whose memory is free again afterwards. If it is killed, it is
repeated later. SIGTERM ends both.
"""

import os
import sys
import threading
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import structlog

from clickhouse import readiness as clickhouse_readiness
from clickhouse.audit_runs.log import AuditEnd, AuditLog, AuditStart
from common.audit_runs import AuditOutcome
from common.bounded_process import run_bounded
from common.clock import Clock, system_clock
from common.consumer_lag import total_lag
from common.errors import PartUnavailable
from common.ids import new_id
from common.metrics import NIGHTLY_AUDITS
from common.nights import last_night, night_turn
from common.settings import Settings
from common.worker_process import run_worker
from jobs.versions import topics_of_live_jobs

CHECK_EVERY_S = 60.0

ENVIRONMENT = {"MALLOC_ARENA_MAX": "2", "OMP_NUM_THREADS": "1"}
"""Variables with which Arrow and the allocator take less memory, and no second core from the shop."""

BACKLOG = 50_000
"""Messages that the jobs may still have to read when the first audit of a platform begins. A new platform
counts its history in these minutes, and an audit beside it would make both last longer."""

MAX_S = 2 * 3_600.0
"""An audit that takes longer is killed: it hangs."""

SETTLING = timedelta(minutes=30)
"""A night that was missed, because the platform was stopped, is made up for this long after the start."""

FIRST_AFTER = timedelta(minutes=5)
"""The first audit of a platform begins this long after its start."""

RETRY_AFTER = timedelta(hours=1)
"""The pause after an audit that failed or was killed."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class AuditState:
    """What is known at a check.

    `audited_at` is when the newest nightly audit began that did not fail. `up_since` is when the worker
    started, and `attempted_at` when it last began an audit, or None.
    """

    audited_at: datetime | None
    up_since: datetime
    attempted_at: datetime | None


def is_due(state: AuditState, now: datetime, hour: int, timezone: ZoneInfo) -> bool:
    """Return whether an audit begins now. `hour` is that of the shop's night."""
    night = last_night(now, hour, timezone)
    if state.audited_at is not None and state.audited_at >= night:
        return False
    if state.attempted_at is not None and now - state.attempted_at < RETRY_AFTER:
        return False
    settling = FIRST_AFTER if state.audited_at is None else SETTLING
    return night >= state.up_since or now - state.up_since >= settling


class AuditWorker:
    """Checks regularly whether an audit is due, and makes it."""

    def __init__(self, settings: Settings, stop: threading.Event, clock: Clock) -> None:
        self._settings, self._stop, self._clock = settings, stop, clock
        self._log = AuditLog(settings)
        self._up_since = clock()
        self._attempted_at: datetime | None = None
        self._has_begun = False

    def check(self) -> bool:
        """Audit if it is due and no training runs, and return whether it did.

        Raises:
            PartUnavailable: ClickHouse does not answer, or before the first audit Kafka or Flink.
        """
        if not self._has_begun:
            self._log.interrupt_running()
            self._has_begun = True
        now = self._clock()
        state = AuditState(self._log.newest_scheduled_at(), self._up_since, self._attempted_at)
        if not is_due(state, now, self._settings.audit_hour, self._settings.timezone):
            return False
        if state.audited_at is None and now - self._up_since < SETTLING and self._backlog() > BACKLOG:
            return False
        with night_turn(self._settings.home, "an audit") as is_turn:
            if is_turn:
                self._attempted_at = now
                self._audit(AuditStart(new_id(), now, "scheduled"))
        return is_turn

    def _backlog(self) -> int:
        return total_lag(self._settings.kafka, topics_of_live_jobs(self._settings))

    def _audit(self, start: AuditStart) -> None:
        arguments = [start.audit_id, start.started_at.isoformat(), str(os.getpid())]
        command = [sys.executable, "-m", "audit.nightly.child", *arguments]
        end_timeout_s = self._settings.stop_timeout_s / 2
        ended = run_bounded(command, os.environ | ENVIRONMENT, MAX_S, self._stop, end_timeout_s, "audit")
        log.info("audit ended", code=ended.code, seconds=round(ended.seconds, 1))
        outcome: AuditOutcome = "stopped" if ended.is_stopped else "failed"
        NIGHTLY_AUDITS.labels("finished" if ended.code == 0 else outcome).inc()
        self._log.end_if_running(start, AuditEnd(outcome, ended.reason, self._clock()))


def work(settings: Settings, stop: threading.Event) -> None:
    """Audit whenever it is due, until `stop` is set."""
    for outcome in ("finished", "failed", "stopped"):
        NIGHTLY_AUDITS.labels(outcome)  # a count that begins at 0 shows the first failure
    worker = AuditWorker(settings, stop, system_clock)
    while not stop.is_set():
        try:
            worker.check()
        except PartUnavailable as error:
            log.warning("waiting", error=str(error))
        stop.wait(CHECK_EVERY_S)


if __name__ == "__main__":
    sys.exit(run_worker("audit", "audit", work, clickhouse_readiness.checks))
