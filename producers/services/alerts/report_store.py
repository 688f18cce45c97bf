"""The reports of sellers as they are stored."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from producers.kit.makers import Made
from producers.kit.outbox.transaction import Transaction
from producers.kit.postgres.statements import statement
from producers.services.alerts.model import ReportPeriod
from producers.services.alerts.schemas import ReportResponse


@dataclass(frozen=True, slots=True)
class Report(Made):
    """A report. `covered_until` is the end of the last period that was sent, or when it was created."""

    report_id: str
    name: str
    period: ReportPeriod
    metrics: Sequence[str]
    timezone: str
    hour: int
    person_id: str | None
    covered_until: datetime
    is_approved: bool | None = None
    """Whether the seller may sell now; None unless the report was claimed."""

    @property
    def zone(self) -> ZoneInfo:
        """The zone of its periods."""
        return ZoneInfo(self.timezone)


async def create_report(tx: Transaction, row: Mapping[str, Any], limit: int) -> ReportResponse | None:
    """Add a report of a locked seller, and return it; None if it has `limit` already."""
    content = {"is_enabled": True, "made_at": tx.now, **row}
    report_id = await _create_report(tx, content, row["seller_id"], limit)
    return None if report_id is None else await find_report(tx.sql, row["seller_id"], report_id)


@statement("""
    INSERT INTO reports
    SELECT new_report.*
    FROM jsonb_populate_record(NULL::reports, $row::jsonb) AS new_report
    WHERE (SELECT count(*) FROM reports WHERE reports.seller_id = $seller_id::text) < $limit::integer
    RETURNING report_id
""")
async def _create_report(tx: Transaction, row: Mapping[str, Any], seller_id: str, limit: int) -> str | None:
    """Insert a report and return its id; None if the seller has `limit` already."""


@statement("""
    SELECT
        report_id,
        name,
        period,
        metrics,
        hour,
        timezone,
        address_hint,
        is_enabled,
        disabled_reason,
        created_at,
        send_at,
        covered_until,
        (SELECT max(sent_at) FROM report_mails
            WHERE report_mails.report_id = reports.report_id) AS last_sent_at,
        problem
    FROM reports
    WHERE seller_id = $seller_id::text AND ($report_id::uuid IS NULL OR report_id = $report_id::uuid)
    ORDER BY report_id
""")
async def find_reports(sql: Any, seller_id: str, report_id: str | None = None) -> list[ReportResponse]:
    """Return the reports of a seller, the oldest first; only the one with an id if that is given."""


async def find_report(sql: Any, seller_id: str, report_id: str) -> ReportResponse | None:
    """Return a report of a seller; None if it has no such report."""
    found = await find_reports(sql, seller_id, report_id)
    return found[0] if found else None


@statement("""
    SELECT * FROM reports WHERE seller_id = $seller_id::text AND report_id = $report_id::uuid FOR UPDATE
""")
async def lock_report(tx: Transaction, seller_id: str, report_id: str) -> Report | None:
    """Lock and return a report of a seller; None if it has no such report."""


@statement("DELETE FROM reports WHERE report_id = $report_id::uuid")
async def delete_report(tx: Transaction, report_id: str) -> None:
    """Delete a locked report."""


@statement("""
    UPDATE reports SET is_enabled = false, disabled_reason = $reason::text, problem = NULL
        WHERE report_id = $report_id::uuid
""")
async def pause_report(tx: Transaction, report_id: str, reason: str | None) -> None:
    """Send a locked report no more. `reason` is given if no person paused it."""


@statement("""
    UPDATE reports
    SET is_enabled = true, disabled_reason = NULL, send_at = $send_at::timestamptz, maker = $maker::text,
        made_at = $tx.now::timestamptz
    WHERE report_id = $report_id::uuid
""")
async def resume_report(tx: Transaction, report_id: str, send_at: datetime, maker: str) -> None:
    """Send a locked report again from a moment on. Whoever resumes it is its maker now."""


@statement("""
    UPDATE reports
    SET send_at = $now::timestamptz + $lease::interval
    WHERE report_id IN (
        SELECT report_id FROM reports
        WHERE is_enabled AND send_at <= $now
        ORDER BY send_at
        LIMIT $limit::integer
        FOR UPDATE SKIP LOCKED
    )
    RETURNING reports.*, is_approved(seller_id) AS is_approved
""")
async def claim_reports(sql: Any, now: datetime, lease: timedelta, limit: int) -> list[Report]:
    """Return at most `limit` reports that are due. Nobody else gets them until `lease` has passed."""


@statement("""
    INSERT INTO report_mails (report_id, period_start, period_end, sent_at)
    VALUES ($report_id::uuid, $start::timestamptz, $end::timestamptz, $tx.now::timestamptz)
    ON CONFLICT DO NOTHING
    RETURNING true
""")
async def add_report_mail(tx: Transaction, report_id: str, start: datetime, end: datetime) -> bool:
    """Record that a period of a report is sent; return False if it was recorded before."""


@statement("""
    UPDATE reports
    SET send_at = $send_at::timestamptz, covered_until = coalesce($covered_until::timestamptz,
        covered_until), problem = $problem::text
    WHERE report_id = $report_id::uuid
""")
async def postpone_report(
    sql: Any, report_id: str, send_at: datetime, covered_until: datetime | None, problem: str | None
) -> None:
    """Send a report next at a moment. `covered_until` is the end of the period that was sent, if one was."""
