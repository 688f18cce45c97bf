"""The audits of the platform, as ClickHouse stores them."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal, cast

from pydantic import Field
from typing_extensions import TypedDict

from common.audit_runs import AuditOutcome, AuditTrigger
from common.clock import Clock, from_millis
from common.problems import problem
from serving.kit.clickhouse import ClickHouseQueries, Row
from serving.kit.parameters import read_row_cursor, row_cursor

Verdict = Literal["agree", "differ", "nothing to compare", "not compared"]


class Audit(TypedDict):
    """An audit: what started it, how it ended, and how much it compared."""

    audit_id: str
    trigger: AuditTrigger
    outcome: Annotated[
        AuditOutcome,
        Field(
            description="`incomplete`: a store could not be read; `nothing`: every store is empty; "
            "`interrupted`: it was killed."
        ),
    ]
    reason: Annotated[str, Field(description="Why it failed, or what it left out; else empty.")]
    is_whole: Annotated[bool, Field(description="Whether it made every comparison.")]
    started_at: datetime
    ended_at: datetime | None
    duration_s: float | None
    comparisons: Annotated[int, Field(description="The number of results.")]
    rows: int
    figures: int
    differences: int
    explained: Annotated[int, Field(description="Rows that are missing because they are dead letters.")]
    unread: Annotated[int, Field(description="Comparisons of which a store could not be read.")]
    peak_memory_mb: float | None


class Audits(TypedDict):
    """A page of audits, the newest first."""

    audits: list[Audit]
    next_cursor: Annotated[
        str | None, Field(description="The `cursor` of the next page; null on the last page.")
    ]


class AuditComparison(TypedDict):
    """What a comparison found about one subject."""

    comparison: Annotated[str, Field(examples=["kafka_vs_facts"])]
    subject: str
    left_store: Annotated[str, Field(description="The store that is right by definition.")]
    right_store: str
    verdict: Verdict
    rows: int
    figures: int
    differences: int
    explained: int
    unread: Annotated[str, Field(description="Why a store could not be read, or empty.")]


class AuditDifference(TypedDict):
    """A figure on which two stores disagree. Keys and values are shortened."""

    comparison: str
    subject: str
    left_store: str
    right_store: str
    key: Annotated[str, Field(examples=["seller_id=ana day=2026-11-27"])]
    field: Annotated[str, Field(description="`row` if one store has no such row.")]
    left_value: Annotated[str, Field(description="Empty if the store has no such row.")]
    right_value: str


class AuditDetails(Audit):
    """An audit with the result of each comparison, and the first differences, which are kept for 90 days."""

    results: Annotated[list[AuditComparison], Field(description="Those that do not agree come first.")]
    first_differences: list[AuditDifference]


LONGEST = timedelta(hours=6)
"""An audit that has run for longer was killed, and nothing recorded its end."""

VERDICTS: tuple[Verdict, ...] = ("differ", "not compared", "nothing to compare", "agree")
"""The verdicts, the most important first."""


def audit(row: Row, now: datetime) -> Audit:
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


def comparisons(rows: list[Row]) -> list[AuditComparison]:
    """Return the results of an audit from rows of the query `audit_results_of`, those that differ first."""
    found: list[AuditComparison] = [
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


def _verdict(row: Row) -> Verdict:
    """Return what a result means, as `audit.comparison.ComparisonResult.verdict`."""
    if row["unread"]:
        return "not compared"
    if int(row["differences"]):
        return "differ"
    return "agree" if int(row["rows"]) else "nothing to compare"


UNKNOWN_AUDIT = problem(
    404, "unknown-audit", "Unknown audit", "There is no audit {audit_id!r}. GET /v1/ops/audits lists all."
)

NEWEST = (datetime(2105, 12, 31, tzinfo=UTC), "")
"""A position before the newest audit."""


class AuditsService:
    """The audits of the platform."""

    def __init__(self, clickhouse: ClickHouseQueries, clock: Clock) -> None:
        self._clickhouse, self._clock = clickhouse, clock

    async def page(self, cursor: str | None, limit: int) -> Audits:
        """Return at most `limit` audits, the newest first.

        Raises:
            BadCursor: `cursor` is not one of this list.
            ClickHouseUnavailable: ClickHouse does not answer.
        """
        before = NEWEST if cursor is None else read_row_cursor(cursor)
        rows, now = await self._rows(before, limit + 1), self._clock()
        found = [audit(row, now) for row in rows[:limit]]
        return {
            "audits": found,
            "next_cursor": row_cursor(found[-1]["started_at"], found[-1]["audit_id"])
            if len(rows) > limit
            else None,
        }

    async def details(self, audit_id: str) -> AuditDetails:
        """Return an audit with its results and its first differences.

        Raises:
            UNKNOWN_AUDIT: there is none with this id.
            ClickHouseUnavailable: ClickHouse does not answer.
        """
        rows, results, found = await asyncio.gather(
            self._rows(NEWEST, 1, audit_id),
            self._clickhouse.rows("audit_results_of", audit_id=audit_id),
            self._clickhouse.rows("audit_differences_of", audit_id=audit_id),
        )
        if not rows:
            raise UNKNOWN_AUDIT(audit_id=audit_id)
        return {
            **audit(rows[0], self._clock()),
            "results": comparisons(results),
            "first_differences": cast(list[AuditDifference], found),
        }

    async def _rows(self, before: tuple[datetime, str], limit: int, audit_id: str = "") -> list[Row]:
        before_at, before_id = before
        return await self._clickhouse.rows(
            "audits", before_at=before_at, before_audit_id=before_id, audit_id=audit_id, limit=limit
        )
