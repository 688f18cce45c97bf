"""How fresh the figures are: `as_of`, read once for everyone who asks this process at the same time."""

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
"""Answers within this time share one reading, and listeners hear of what is new this often."""

KEPT_FOR_S = 3.0
"""So long an answer takes the last reading and waits for none: an older one only understates freshness."""

READ_EVERY_S, ASKED_WITHIN_S = 1.5, 6.0
"""It is read so often while somebody has asked so lately: then mostly nobody but the first waits for it."""

Watermarks = Mapping[str, datetime]
"""Table → the event time (UTC) up to which it is complete."""


def smallest(moments: Sequence[datetime | None]) -> datetime | None:
    """The smallest of all; None while one is unknown."""
    known = [moment for moment in moments if moment is not None]
    return min(known) if len(known) == len(moments) else None


class Progress:
    """Reads `pipeline_progress` for who asks and who may ask next, at most every `FRESH_FOR_S`."""

    def __init__(self, clickhouse: ClickHouse) -> None:
        self._clickhouse = clickhouse
        self._watermarks: Watermarks = {}
        self._read_at = self._asked_at = float("-inf")
        self._reading = asyncio.Lock()
        self._reading_on: asyncio.Task[None] | None = None

    async def watermarks(self) -> Watermarks:
        """Every table's `as_of`, at most `FRESH_FOR_S` old."""
        async with self._reading:
            if not self._younger_than(FRESH_FOR_S):
                asked_at = monotonic()
                rows = await self._clickhouse.rows("as_of")
                self._watermarks = {row["table_name"]: from_millis(int(row["as_of_ms"])) for row in rows}
                self._read_at = asked_at
        return self._watermarks

    async def aclose(self) -> None:
        """End the reading that goes on."""
        if self._reading_on is not None:
            self._reading_on.cancel()
            await asyncio.wait([self._reading_on])

    def _younger_than(self, seconds: float) -> bool:
        return monotonic() - self._read_at <= seconds

    async def _read_on(self) -> None:
        while monotonic() - self._asked_at < ASKED_WITHIN_S:
            await asyncio.sleep(READ_EVERY_S)
            with suppress(Problem):  # who asks for the figures hears of it, too
                await self.watermarks()

    async def as_of(self, tables: Iterable[str]) -> datetime | None:
        """The smallest `as_of` of these tables; None while one of them has never been written.

        Ask before the figures that it vouches for, never after.
        """
        self._asked_at = monotonic()
        if not self._younger_than(KEPT_FOR_S):
            await self.watermarks()
        if self._reading_on is None or self._reading_on.done():
            self._reading_on = asyncio.create_task(self._read_on())
        return smallest([self._watermarks.get(table) for table in tables])

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
