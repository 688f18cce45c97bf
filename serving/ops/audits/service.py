"""Reads audits from ClickHouse."""

import asyncio
from datetime import UTC, datetime

from common.clock import Clock
from common.problems import problem
from serving.kit.clickhouse import ClickHouseQueries, Row
from serving.ops.audits import presenter, schemas

UNKNOWN_AUDIT = problem(
    404, "unknown-audit", "Unknown audit", "There is no audit {audit_id!r}. GET /v1/ops/audits lists all."
)

NEWEST = (datetime(2105, 12, 31, tzinfo=UTC), "")
"""A position before the newest audit."""


class AuditsService:
    """The audits of the platform."""

    def __init__(self, clickhouse: ClickHouseQueries, clock: Clock) -> None:
        self._clickhouse, self._clock = clickhouse, clock

    async def page(self, cursor: str | None, limit: int) -> schemas.Audits:
        """Return at most `limit` audits, the newest first.

        Raises:
            BadCursor: `cursor` is not one of this list.
            ClickHouseUnavailable: ClickHouse does not answer.
        """
        before = NEWEST if cursor is None else presenter.read_audit_cursor(cursor)
        rows, now = await self._rows(before, limit + 1), self._clock()
        found = [presenter.audit(row, now) for row in rows[:limit]]
        return {
            "audits": found,
            "next_cursor": presenter.audit_cursor(found[-1]) if len(rows) > limit else None,
        }

    async def details(self, audit_id: str) -> schemas.AuditDetails:
        """Return an audit with its results and its first differences.

        Raises:
            UNKNOWN_AUDIT: there is none with this id.
            ClickHouseUnavailable: ClickHouse does not answer.
        """
        rows, results, differences = await asyncio.gather(
            self._rows(NEWEST, 1, audit_id),
            self._clickhouse.rows("audit_results_of", audit_id=audit_id),
            self._clickhouse.rows("audit_differences_of", audit_id=audit_id),
        )
        if not rows:
            raise UNKNOWN_AUDIT(audit_id=audit_id)
        return {
            **presenter.audit(rows[0], self._clock()),
            "results": presenter.comparisons(results),
            "first_differences": presenter.differences(differences),
        }

    async def _rows(self, before: tuple[datetime, str], limit: int, audit_id: str = "") -> list[Row]:
        before_at, before_id = before
        return await self._clickhouse.rows(
            "audits", before_at=before_at, before_audit_id=before_id, audit_id=audit_id, limit=limit
        )
