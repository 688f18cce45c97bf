"""What audits found is stored, and the metrics have the newest result of each comparison."""

from datetime import UTC, datetime, timedelta

import pytest
from clickhouse_connect.driver.client import Client

from clickhouse.audit_runs.log import AuditEnd, AuditLog, AuditResult, AuditStart, export, record
from clickhouse.client import connect
from common.errors import PartUnavailable
from common.metrics import REGISTRY, WHOLE_AUDIT_AT
from common.settings import Settings

NIGHT = datetime(2026, 3, 1, 3, tzinfo=UTC)


@pytest.fixture(scope="module")
def client(migrated_database: Settings) -> Client:
    with connect(migrated_database, admin=True) as admin:
        yield admin


@pytest.fixture(autouse=True)
def no_results(client: Client) -> None:
    for table in ("audits", "audit_results"):
        client.command(f"TRUNCATE TABLE {table}")


def result(comparison: str, differences: int, subject: str = "orders", unread: str = "") -> AuditResult:
    return AuditResult(comparison, subject, "Kafka", "facts", 100, 1_000, differences, 0, unread)


def exported(metric: str, comparison: str) -> float | None:
    return REGISTRY.get_sample_value(metric, {"comparison": comparison})


def whole_audit_at() -> float | None:
    return REGISTRY.get_sample_value("souk_whole_audit_at_seconds", {"what": "platform"})


def test_the_differences_of_all_subjects_of_a_comparison_are_added_up(client: Client) -> None:
    found = [result("a", 3), result("a", 4, "views"), result("b", 0, unread="Redis does not answer")]
    record(client, NIGHT, found)
    export(client)

    assert exported("souk_audit_differences", "a") == 7
    assert exported("souk_audit_differences", "b") == 0
    assert (exported("souk_audit_unread", "a"), exported("souk_audit_unread", "b")) == (0, 1)
    assert exported("souk_audited_at_seconds", "a") == NIGHT.timestamp()


def test_a_comparison_that_is_made_again_replaces_its_own_result_only(client: Client) -> None:
    record(client, NIGHT, [result("a", 3), result("b", 5)])
    record(client, NIGHT + timedelta(hours=1), [result("a", 0)])
    export(client)

    assert exported("souk_audit_differences", "a") == 0
    assert exported("souk_audit_differences", "b") == 5
    assert exported("souk_audited_at_seconds", "b") == NIGHT.timestamp()
    assert client.query("SELECT count() FROM audit_results").first_row == (3,)


def test_an_audit_of_one_comparison_does_not_change_when_everything_was_audited(
    migrated_database: Settings, client: Client
) -> None:
    audits = AuditLog(migrated_database)
    whole, alone = NIGHT, NIGHT + timedelta(hours=30)
    audits.end(AuditStart("1", whole, "scheduled"), AuditEnd("differ", "", whole), [result("a", 3)])
    audits.end(
        AuditStart("2", alone, "requested", is_whole=False), AuditEnd("agree", "", alone), [result("a", 0)]
    )
    audits.end(AuditStart("3", alone, "scheduled"), AuditEnd("failed", "no memory", alone))
    export(client)

    assert exported("souk_audited_at_seconds", "a") == alone.timestamp()
    assert whole_audit_at() == whole.timestamp()


def test_without_a_whole_audit_the_first_nightly_one_that_failed_is_exported(
    migrated_database: Settings, client: Client
) -> None:
    WHOLE_AUDIT_AT.clear()
    audits = AuditLog(migrated_database)
    audits.end(AuditStart("1", NIGHT, "requested"), AuditEnd("failed", "no memory", NIGHT))
    export(client)
    assert whole_audit_at() is None

    for number in (1, 2):
        night = NIGHT + timedelta(days=number)
        audits.end(AuditStart(f"night-{number}", night, "scheduled"), AuditEnd("failed", "no memory", night))
    export(client)
    assert whole_audit_at() == (NIGHT + timedelta(days=1)).timestamp()


def test_a_table_that_is_not_there_is_said(client: Client) -> None:
    client.command("RENAME TABLE audit_results TO away")
    try:
        with pytest.raises(PartUnavailable, match="did not take the audit's results"):
            record(client, NIGHT, [result("a", 0)])
    finally:
        client.command("RENAME TABLE away TO audit_results")
