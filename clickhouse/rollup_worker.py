"""`python -m clickhouse.rollup_worker`: refreshes the sums of all roll-ups, once a minute.

Figures are exact without it (`clickhouse/metrics/rollups.py`); queries over long periods are quick because of
it. SIGTERM ends it.
"""

import signal
import sys
import threading
from time import monotonic

import structlog
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import DatabaseError

from clickhouse.client import connect
from clickhouse.metrics.rollups import Rollups
from clickhouse.metrics.versions import MetricVersions
from common.errors import PartUnavailable, UserError
from common.metrics import ROLLUP_REFRESHED_AT, ROLLUP_SECONDS, serve_metrics
from common.settings import Settings
from common.telemetry import configure_logging

log = structlog.get_logger()

REFRESH_EVERY_S = 60.0


def refresh_all(client: Client) -> None:
    """Refresh every version of every roll-up, a finer one before those that add it up; drop processed notes.

    The failure of one roll-up is logged and does not hold back the others: its version may just be dropped.
    """
    rollups = Rollups(client)
    known = MetricVersions(client).rollups()
    for rollup in known:
        begun = monotonic()
        try:
            rollups.refresh(rollup)
        except DatabaseError as error:
            log.warning("roll-up failed", metric=rollup.metric, version=rollup.version, error=str(error))
            continue
        ROLLUP_SECONDS.labels(rollup.metric).set(monotonic() - begun)
        ROLLUP_REFRESHED_AT.labels(rollup.metric).set_to_current_time()
    rollups.forget_notes(known)


def main() -> int:
    """Run until SIGTERM or SIGINT."""
    configure_logging("rollups")
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    try:
        settings = Settings.load()
        serve_metrics(settings.port("rollups"))
    except UserError as error:
        print(f"rollups: {error}", file=sys.stderr)
        return 2
    while not stop.wait(REFRESH_EVERY_S):
        try:
            with connect(settings, admin=True) as client:
                refresh_all(client)
        except (PartUnavailable, DatabaseError) as error:
            log.warning("waiting for ClickHouse", error=str(error))
    return 0


if __name__ == "__main__":
    sys.exit(main())
