"""Stores what audits found, and exports the newest results as metrics."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import Error as ClickHouseError

from common.errors import PartUnavailable
from common.metrics import AUDIT_DIFFERENCES, AUDIT_UNREAD, AUDITED_AT, WHOLE_AUDIT_AT

_NEWEST = Path(__file__).with_name("newest_results.sql").read_text(encoding="utf-8")
_NEWEST_WHOLE = Path(__file__).with_name("newest_whole.sql").read_text(encoding="utf-8")


class AuditResult(NamedTuple):
    """A row of `audit_results` without its time: what a comparison found about one subject."""

    comparison: str
    subject: str
    left_store: str
    right_store: str
    rows: int
    figures: int
    differences: int
    explained: int
    unread: str


def record(admin: Client, audited_at: datetime, results: Sequence[AuditResult], audit_id: str = "") -> None:
    """Insert the results of one audit, which ended at `audited_at`.

    Raises:
        PartUnavailable: ClickHouse rejects the rows or is unavailable.
    """
    try:
        admin.insert(
            "audit_results",
            [(audited_at, audit_id, *result) for result in results],
            column_names=("audited_at", "audit_id", *AuditResult._fields),
        )
    except ClickHouseError as error:
        reason = " ".join(str(error).split())
        raise PartUnavailable(f"ClickHouse did not take the audit's results: {reason}") from error


def export(client: Client) -> None:
    """Set the metrics of the audit to the newest result of each comparison, and the age of all of them.

    A comparison that was made again, alone (`./souk audit --only`), replaces its own result only. It does not
    change when everything was audited.
    """
    for comparison, differences, unread_subjects, audited_at_s in client.query(_NEWEST).result_rows:
        AUDIT_DIFFERENCES.labels(comparison).set(differences)
        AUDIT_UNREAD.labels(comparison).set(unread_subjects)
        AUDITED_AT.labels(comparison).set(audited_at_s)
    for (started_at_s,) in client.query(_NEWEST_WHOLE).result_rows:
        WHOLE_AUDIT_AT.labels("platform").set(started_at_s)
