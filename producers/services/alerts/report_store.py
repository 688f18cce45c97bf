"""Reads and writes the reports; each statement is a file in `queries/`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from producers.kit.makers import Made
from producers.kit.outbox.transaction import Transaction
from producers.kit.postgres.queries import load_queries
from producers.services.alerts.report_periods import ReportPeriod

SQL = load_queries(__file__)


@dataclass(frozen=True, slots=True)
class Report:
    """A report. `covered_until` is the end of the last period that was sent, or when it was created."""

    report_id: str
    seller_id: str
    name: str
    period: ReportPeriod
    metrics: Sequence[str]
    zone: ZoneInfo
    hour: int
    person_id: str | None
    covered_until: datetime
    made: Made


async def create_report(tx: Transaction, row: Mapping[str, Any], limit: int) -> dict[str, Any] | None:
    """Add a report of a locked seller, and return it as the API shows it; None if it has `limit` already."""
    content = {"is_enabled": True, "made_at": tx.now, **row}
    report_id = await tx.sql.fetchval(SQL["create_report"], content, row["seller_id"], limit)
    return None if report_id is None else await find_report(tx.sql, row["seller_id"], report_id)


async def find_reports(sql: Any, seller_id: str) -> list[dict[str, Any]]:
    """Return the reports of a seller as the API shows them, the oldest first."""
    return [dict(row) for row in await sql.fetch(SQL["find_reports"], seller_id, None)]


async def find_report(sql: Any, seller_id: str, report_id: str) -> dict[str, Any] | None:
    """Return a report of a seller as the API shows it; None if it has no such report."""
    row = await sql.fetchrow(SQL["find_reports"], seller_id, report_id)
    return None if row is None else dict(row)


async def lock_report(tx: Transaction, seller_id: str, report_id: str) -> Report | None:
    """Lock and return a report of a seller; None if it has no such report."""
    row = await tx.sql.fetchrow(SQL["lock_report"], seller_id, report_id)
    return None if row is None else _report(row)


async def delete_report(tx: Transaction, report_id: str) -> None:
    """Delete a locked report."""
    await tx.sql.execute(SQL["delete_report"], report_id)


async def pause_report(tx: Transaction, report_id: str, reason: str | None) -> None:
    """Send a locked report no more. `reason` is given if no person paused it."""
    await tx.sql.execute(SQL["pause_report"], report_id, reason)


async def resume_report(tx: Transaction, report_id: str, send_at: datetime, maker: str) -> None:
    """Send a locked report again from a moment on. Whoever resumes it is its maker now."""
    await tx.sql.execute(SQL["resume_report"], report_id, send_at, maker, tx.now)


async def claim_reports(sql: Any, now: datetime, lease: timedelta, limit: int) -> list[tuple[Report, bool]]:
    """Return at most `limit` reports that are due, each with whether its seller may sell now.

    Nobody else gets them until `lease` has passed.
    """
    rows = await sql.fetch(SQL["claim_reports"], now, lease, limit)
    return [(_report(row), row["is_approved"]) for row in rows]


async def add_report_mail(tx: Transaction, report_id: str, period: tuple[datetime, datetime]) -> bool:
    """Record that a period of a report is sent; return False if it was recorded before."""
    return await tx.sql.fetchval(SQL["add_report_mail"], report_id, *period, tx.now) is not None


async def postpone_report(
    sql: Any, report_id: str, send_at: datetime, covered_until: datetime | None, problem: str | None
) -> None:
    """Send a report next at a moment. `covered_until` is the end of the period that was sent, if one was."""
    await sql.execute(SQL["postpone_report"], report_id, send_at, covered_until, problem)


def _report(row: Any) -> Report:
    return Report(
        row["report_id"],
        row["seller_id"],
        row["name"],
        row["period"],
        tuple(row["metrics"]),
        ZoneInfo(row["timezone"]),
        row["hour"],
        row["person_id"],
        row["covered_until"],
        Made(row["maker"], row["made_at"], row["seller_id"]),
    )
