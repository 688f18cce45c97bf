"""`python -m clickhouse.rollup_worker`: refreshes the sums of all roll-ups, once a minute.

Figures are exact without it (`clickhouse/metrics/rollups.py`); queries over long periods are quick because of
it. It also exports what the newest audits found (`clickhouse/audit_runs/log.py`). SIGTERM ends it.
"""

import sys
import threading
from collections.abc import Callable, Mapping
from datetime import datetime
from time import monotonic

import structlog
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import DatabaseError

from clickhouse.audit_runs.log import export as export_audit
from clickhouse.client import connect
from clickhouse.metrics.rollups import REFRESH_EVERY_S, Rollups
from clickhouse.metrics.versions import MetricVersions
from clickhouse.migration_lock import is_locked
from clickhouse.readiness import checks
from common.errors import PartUnavailable
from common.metrics import ROLLUP_REFRESHED_AT, ROLLUP_SECONDS
from common.settings import Settings
from common.worker_process import run_worker

log = structlog.get_logger()

EXPORT_EVERY_S = 15.0
"""The interval between two exports of the results of audits, of which each is a small query."""

Processed = Mapping[str, datetime]
"""Table of a roll-up's sums → the time up to which a refresh has processed all notes."""


def refresh_all(
    client: Client, before: Processed, is_stopping: Callable[[], bool] = lambda: False
) -> Processed:
    """Refresh every version of every roll-up, a finer one before those that add it up.

    Drops the notes that the previous call has processed for every roll-up that uses them; `before` is what
    that call returned. The failure of one roll-up is logged and does not hold back the others: its version
    may just be dropped. Once `is_stopping`, no further roll-up is refreshed, and no note is dropped.
    """
    rollups = Rollups(client)
    known = MetricVersions(client).rollups()
    until = rollups.visible_until()
    processed = {}
    for rollup in known:
        if is_stopping():
            return before
        begun = monotonic()
        try:
            rollups.refresh(rollup)
        except DatabaseError as error:
            log.warning("roll-up failed", metric=rollup.metric, version=rollup.version, error=str(error))
            continue
        processed[rollup.table_name] = until
        ROLLUP_SECONDS.labels(rollup.metric).set(monotonic() - begun)
        ROLLUP_REFRESHED_AT.labels(rollup.metric).set_to_current_time()
    if is_locked(client):  # a version that is being built may need the notes
        return processed
    for notes_table in {rollup.notes_table for rollup in known}:
        users = [rollup for rollup in known if rollup.notes_table == notes_table]
        if all(user.table_name in before for user in users):
            rollups.forget(users[0].rows, notes_table, min(before[user.table_name] for user in users))
    return processed


def work(settings: Settings, stop: threading.Event) -> None:
    """Refresh all roll-ups, and export the results of audits, regularly, until `stop` is set."""
    processed: Processed = {}
    refresh_at = monotonic()
    while not stop.is_set():
        try:
            with connect(settings, admin=True) as client:
                export_audit(client)
                if monotonic() >= refresh_at:
                    refresh_at = monotonic() + REFRESH_EVERY_S
                    processed = refresh_all(client, processed, stop.is_set)
        except (PartUnavailable, DatabaseError) as error:
            log.warning("waiting for ClickHouse", error=str(error))
        stop.wait(EXPORT_EVERY_S)


if __name__ == "__main__":
    sys.exit(run_worker("rollups", "rollups", work, checks))
