"""How fresh the figures are: `as_of`, read once for everyone who asks at the same time."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from time import monotonic

from common.clock import from_millis
from common.metrics import LIVE_LISTENERS
from common.problems import Problem
from serving.clickhouse import ClickHouse

FRESH_FOR_S = 0.5
"""Answers within this time share one reading. An older reading only understates freshness."""

Watermarks = Mapping[str, datetime]
"""Table → the event time (UTC) up to which it is complete."""


def smallest(moments: Sequence[datetime | None]) -> datetime | None:
    """The smallest of all; None while one is unknown."""
    known = [moment for moment in moments if moment is not None]
    return min(known) if len(known) == len(moments) else None


class Progress:
    """Reads `pipeline_progress` on demand, at most every `FRESH_FOR_S`, however many ask."""

    def __init__(self, clickhouse: ClickHouse) -> None:
        self._clickhouse = clickhouse
        self._watermarks: Watermarks = {}
        self._read_at = float("-inf")
        self._reading = asyncio.Lock()

    async def watermarks(self) -> Watermarks:
        """Every table's `as_of`, at most `FRESH_FOR_S` old. Read it before the figures, never after."""
        async with self._reading:
            if monotonic() - self._read_at > FRESH_FOR_S:
                asked_at = monotonic()
                rows = await self._clickhouse.rows("as_of")
                self._watermarks = {row["table_name"]: from_millis(int(row["as_of_ms"])) for row in rows}
                self._read_at = asked_at
        return self._watermarks

    async def as_of(self, tables: Iterable[str]) -> datetime | None:
        """The smallest `as_of` of these tables; None while one of them has never been written."""
        watermarks = await self.watermarks()
        return smallest([watermarks.get(table) for table in tables])

    async def changes(self, tables: tuple[str, ...]) -> AsyncIterator[tuple[datetime | None, list[str]]]:
        """Yields `as_of` and the tables that moved, now and whenever one does; silent without ClickHouse."""
        seen: dict[str, datetime | None] | None = None
        LIVE_LISTENERS.labels("sales").inc()
        try:
            while True:
                with suppress(Problem):
                    watermarks = await self.watermarks()
                    moments = {table: watermarks.get(table) for table in tables}
                    if moments != seen:
                        moved = [table for table in tables if seen and moments[table] != seen[table]]
                        seen = moments
                        yield smallest(list(moments.values())), moved
                await asyncio.sleep(FRESH_FOR_S)
        finally:
            LIVE_LISTENERS.labels("sales").dec()
