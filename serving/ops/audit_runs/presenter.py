"""Makes responses about audits from rows of ClickHouse, and the cursor of their pages. Pure."""

from datetime import datetime, timedelta
from typing import cast

from common.clock import from_millis, to_millis
from common.cursor import BadCursor, decode_cursor, encode_cursor, moment_of
from serving.kit.clickhouse import Row
from serving.ops.audit_runs import schemas

LONGEST = timedelta(hours=6)
"""An audit that has run for longer was killed, and nothing recorded its end."""

VERDICTS: tuple[schemas.Verdict, ...] = ("differ", "not compared", "nothing to compare", "agree")
"""The verdicts, the most important first."""


def audit_cursor(last: schemas.Audit) -> str:
    """Return the cursor of the page that follows this audit."""
    return encode_cursor(to_millis(last["started_at"]), last["audit_id"])


def read_audit_cursor(cursor: str) -> tuple[datetime, str]:
    """Return when the last audit of the previous page began, and its id.

    Raises:
        BadCursor: the text is not a cursor of this list.
    """
    millis, audit_id = decode_cursor(cursor, (int, str))
    if not audit_id:
        raise BadCursor
    return moment_of(millis), str(audit_id)


def audit(row: Row, now: datetime) -> schemas.Audit:
    """Return an audit from its row of the query `audits`."""
    started_at = from_millis(int(row["started_ms"]))
    ended_at = None if row["ended_ms"] is None else from_millis(int(row["ended_ms"]))
    is_lost = row["outcome"] == "running" and now - started_at > LONGEST
    return {
        "audit_id": row["audit_id"],
        "trigger": row["trigger"],
        "outcome": "interrupted" if is_lost else row["outcome"],
        "reason": row["reason"],
        "is_whole": bool(row["is_whole"]),
        "started_at": started_at,
        "ended_at": ended_at,
        "duration_s": None if ended_at is None else (ended_at - started_at).total_seconds(),
        "comparisons": int(row["comparisons"]),
        "rows": int(row["rows"]),
        "figures": int(row["figures"]),
        "differences": int(row["differences"]),
        "explained": int(row["explained"]),
        "unread": int(row["unread"]),
        "peak_memory_mb": row["peak_memory_mb"],
    }


def comparisons(rows: list[Row]) -> list[schemas.AuditComparison]:
    """Return the results of an audit from rows of the query `audit_results_of`, those that differ first."""
    found: list[schemas.AuditComparison] = [
        {
            "comparison": row["comparison"],
            "subject": row["subject"],
            "left_store": row["left_store"],
            "right_store": row["right_store"],
            "verdict": _verdict(row),
            "rows": int(row["rows"]),
            "figures": int(row["figures"]),
            "differences": int(row["differences"]),
            "explained": int(row["explained"]),
            "unread": row["unread"],
        }
        for row in rows
    ]
    return sorted(found, key=lambda each: VERDICTS.index(each["verdict"]))


def differences(rows: list[Row]) -> list[schemas.AuditDifference]:
    """Return the first differences of an audit from rows of the query `audit_differences_of`."""
    return [cast(schemas.AuditDifference, row) for row in rows]


def _verdict(row: Row) -> schemas.Verdict:
    """Return what a result means, as `audit.comparison.ComparisonResult.verdict`."""
    if row["unread"]:
        return "not compared"
    if int(row["differences"]):
        return "differ"
    return "agree" if int(row["rows"]) else "nothing to compare"
