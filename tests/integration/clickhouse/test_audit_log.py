"""Every audit is recorded: while it runs, how it ended, what it found, and its first differences."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
from clickhouse_connect.driver.client import Client

from audit.nightly.worker import BACKLOG, FIRST_AFTER, SETTLING, AuditWorker
from clickhouse.audit_runs.log import (
    MAX_DIFFERENCES,
    AuditEnd,
    AuditLog,
    AuditResult,
    AuditStart,
    FoundDifference,
)
from clickhouse.client import connect
from common.nights import night_turn
from common.settings import Settings

NIGHT = datetime.now(UTC).replace(microsecond=0) - timedelta(days=9)
"""Differences are kept for 90 days, so it can't be a fixed time."""
START = AuditStart("audit-1", NIGHT, "scheduled")
END = AuditEnd("differ", "", NIGHT + timedelta(minutes=3), 2, 100, 1_000, 2, 1, 0, 512.5)


@pytest.fixture(scope="module")
def client(migrated_database: Settings) -> Client:
    with connect(migrated_database, admin=True) as admin:
        yield admin


@pytest.fixture
def log(migrated_database: Settings, client: Client) -> AuditLog:
    for table in ("audits", "audit_results", "audit_differences"):
        client.command(f"TRUNCATE TABLE {table}")
    return AuditLog(migrated_database)


def outcomes(client: Client) -> list[tuple[str, str]]:
    found = client.query("SELECT audit_id, outcome FROM audits FINAL ORDER BY started_at").result_rows
    return [tuple(row) for row in found]


def difference(number: int, value: str = "1200") -> FoundDifference:
    return FoundDifference(
        "a", "orders", "Kafka", "facts", f"order_id=o{number}", "gross_minor", value, "1300"
    )


def test_an_audit_runs_and_then_has_its_figures_results_and_differences(
    log: AuditLog, client: Client
) -> None:
    log.begin(START)
    assert outcomes(client) == [("audit-1", "running")]

    log.end(START, END, [AuditResult("a", "orders", "Kafka", "facts", 100, 1_000, 2, 1, "")], [difference(1)])

    assert outcomes(client) == [("audit-1", "differ")]
    row = client.query(
        "SELECT trigger, is_whole, comparisons, rows, figures, differences, explained, unread, "
        "peak_memory_mb, ended_at - started_at FROM audits FINAL"
    ).first_row
    assert row == ("scheduled", True, 2, 100, 1_000, 2, 1, 0, 512.5, 180)
    assert client.query("SELECT audit_id, audited_at FROM audit_results").first_row == (
        "audit-1", END.ended_at.replace(tzinfo=None),
    )  # fmt: skip
    assert client.query("SELECT key, field, left_value, right_value FROM audit_differences").result_rows == [
        ("order_id=o1", "gross_minor", "1200", "1300")
    ]


def test_what_is_stored_of_an_audit_is_bounded(log: AuditLog, client: Client) -> None:
    log.end(
        START, END, differences=[difference(number, "x" * 10_000) for number in range(MAX_DIFFERENCES + 5)]
    )

    stored = "SELECT count(), max(length(left_value)), max(number) FROM audit_differences"
    assert client.query(stored).first_row == (MAX_DIFFERENCES, 199 + len("…".encode()), MAX_DIFFERENCES - 1)


def test_an_audit_that_was_killed_ends_as_interrupted_and_those_of_people_go_on(
    log: AuditLog, client: Client
) -> None:
    log.begin(START)
    log.begin(AuditStart("audit-2", NIGHT + timedelta(hours=1), "requested"))

    assert log.interrupt_running() == 1

    assert outcomes(client) == [("audit-1", "interrupted"), ("audit-2", "running")]


def test_an_end_that_is_recorded_stays(log: AuditLog, client: Client) -> None:
    log.end(START, END)
    log.end_if_running(START, AuditEnd("failed", "its process was ended", NIGHT))

    assert outcomes(client) == [("audit-1", "differ")]


def test_only_audits_that_compared_something_make_the_night_done(log: AuditLog) -> None:
    assert log.newest_scheduled_at() is None
    log.end(START, END)
    log.end(
        AuditStart("audit-2", NIGHT + timedelta(days=1), "scheduled"), AuditEnd("failed", "no Kafka", NIGHT)
    )
    log.end(AuditStart("audit-3", NIGHT + timedelta(days=2), "requested"), END)

    assert log.newest_scheduled_at() == NIGHT


def test_the_worker_audits_when_it_is_due_and_records_that_it_failed(
    log: AuditLog,  # noqa: ARG001 (empties the tables)
    client: Client,
    migrated_database: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """There is no Kafka here, so the audit's process fails, as on a broken platform."""
    for name in ("home", "clickhouse_url", "clickhouse_database"):
        monkeypatch.setenv(f"SOUK_{name.upper()}", str(getattr(migrated_database, name)))
    monkeypatch.setenv("SOUK_KAFKA_BOOTSTRAP", "127.0.0.1:1")
    monkeypatch.setenv("SOUK_POSTGRES_URL", "postgresql://127.0.0.1:1/souk")
    for user in ("admin", "analyst"):
        password = getattr(migrated_database, f"clickhouse_{user}_password").get_secret_value()
        monkeypatch.setenv(f"SOUK_CLICKHOUSE_{user.upper()}_PASSWORD", password)
    started = datetime.now(UTC) - timedelta(days=2)
    moments = iter([started, started + timedelta(minutes=1), started + SETTLING, *[datetime.now(UTC)] * 9])
    night = {"audit_hour": (started - timedelta(hours=1)).astimezone(migrated_database.timezone).hour}
    settings = migrated_database.model_copy(update=night)
    worker = AuditWorker(settings, threading.Event(), lambda: next(moments))

    assert not worker.check()
    with night_turn(settings.home, "a training") as is_training:
        assert is_training
        assert not worker.check()
    assert worker.check()

    (row,) = client.query("SELECT trigger, outcome, reason FROM audits FINAL").result_rows
    assert row[:2] == ("scheduled", "failed")
    assert row[2]


def test_the_first_audit_waits_for_the_history_but_not_for_ever(
    log: AuditLog,  # noqa: ARG001 (empties the tables)
    migrated_database: Settings,
) -> None:
    started = datetime.now(UTC) - timedelta(days=1)
    times = [FIRST_AFTER, FIRST_AFTER + timedelta(minutes=1), SETTLING]
    moments = iter([started, *(started + each for each in times)])
    begun: list[AuditStart] = []

    class Behind(AuditWorker):
        behind = iter([BACKLOG + 1, BACKLOG])

        def _backlog(self) -> int:
            return next(self.behind)

        def _audit(self, start: AuditStart) -> None:
            begun.append(start)

    worker = Behind(migrated_database, threading.Event(), lambda: next(moments))

    assert [worker.check(), worker.check()] == [False, True]
    later = Behind(migrated_database, threading.Event(), iter([started, started + SETTLING]).__next__)
    assert later.check()
    assert len(begun) == 2
