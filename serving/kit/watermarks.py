"""Caches the watermarks of the tables for all requests of a process. `as_of` is computed from them."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from time import monotonic

from common.clock import from_millis
from common.metrics import LIVE_LISTENERS
from common.problems import Problem
from serving.kit.clickhouse import ClickHouseQueries

MIN_READ_INTERVAL_S = 0.5
"""The shortest interval between two readings. Listeners of `changes` are notified at most this often."""

MAX_AGE_S = 3.0
"""The largest age of a reading that `as_of` uses. An old reading only understates how fresh figures are."""

REFRESH_INTERVAL_S, REFRESH_AFTER_REQUEST_S = 1.5, 6.0
"""The interval of readings in the background, and the time without requests after which they stop. With
them, usually only the first request waits."""

Watermarks = Mapping[str, datetime]
"""Table → the event time (UTC) up to which it is complete."""


def smallest(moments: Sequence[datetime | None]) -> datetime | None:
    """Return the smallest of the moments; None if one of them is None."""
    known = [moment for moment in moments if moment is not None]
    return min(known) if len(known) == len(moments) else None


class WatermarkCache:
    """Reads `pipeline_progress` at most every `MIN_READ_INTERVAL_S`, also in the background."""

    def __init__(self, clickhouse: ClickHouseQueries) -> None:
        self._clickhouse = clickhouse
        self._watermarks: Watermarks = {}
        self._read_at = self._last_request_at = float("-inf")
        self._lock = asyncio.Lock()
        self._refresher: asyncio.Task[None] | None = None

    async def watermarks(self) -> Watermarks:
        """Return the watermark of every table, at most `MIN_READ_INTERVAL_S` old."""
        async with self._lock:
            if not self._younger_than(MIN_READ_INTERVAL_S):
                started = monotonic()
                rows = await self._clickhouse.rows("as_of")
                self._watermarks = {row["table_name"]: from_millis(int(row["as_of_ms"])) for row in rows}
                self._read_at = started
        return self._watermarks

    async def aclose(self) -> None:
        """Cancel the background task."""
        if self._refresher is not None:
            self._refresher.cancel()
            await asyncio.wait([self._refresher])

    def _younger_than(self, seconds: float) -> bool:
        return monotonic() - self._read_at <= seconds

    async def _refresh(self) -> None:
        while monotonic() - self._last_request_at < REFRESH_AFTER_REQUEST_S:
            await asyncio.sleep(REFRESH_INTERVAL_S)
            with suppress(Problem):  # a request for figures reports the same problem
                await self.watermarks()

    async def as_of(self, tables: Iterable[str]) -> datetime | None:
        """Return the smallest watermark of these tables; None if one of them was never written.

        Call it before the figures are read, never after.
        """
        self._last_request_at = monotonic()
        if not self._younger_than(MAX_AGE_S):
            await self.watermarks()
        if self._refresher is None or self._refresher.done():
            self._refresher = asyncio.create_task(self._refresh())
        return smallest([self._watermarks.get(table) for table in tables])

    async def changes(self, tables: tuple[str, ...]) -> AsyncIterator[tuple[datetime | None, list[str]]]:
        """Yield `as_of` and the tables that advanced, at once and after each change. Skip failed readings."""
        previous: dict[str, datetime | None] | None = None
        LIVE_LISTENERS.labels("sales").inc()
        try:
            while True:
                with suppress(Problem):
                    watermarks = await self.watermarks()
                    moments = {table: watermarks.get(table) for table in tables}
                    if moments != previous:
                        advanced = [
                            table for table in tables if previous and moments[table] != previous[table]
                        ]
                        previous = moments
                        yield smallest(list(moments.values())), advanced
                await asyncio.sleep(MIN_READ_INTERVAL_S)
        finally:
            LIVE_LISTENERS.labels("sales").dec()
