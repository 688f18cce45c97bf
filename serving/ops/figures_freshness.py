"""Measures the backlog of the figures: how old they are, and how many messages are not counted yet."""

import asyncio
from collections.abc import Iterable, Sequence
from datetime import datetime
from time import monotonic

from clickhouse.metrics.definition import facts_of, read_definitions
from common.background import retrieve_error
from common.clock import Clock
from common.consumer_lag import total_lag
from common.errors import PartUnavailable
from common.problems import Problem
from common.settings import Settings
from serving.kit.watermarks import WatermarkCache, smallest
from serving.ops.schemas import FiguresState

CURRENT_WITHIN_S = 60.0
"""Figures are current if their `as_of` is at most this old. The status dot of pages has the same limit."""

KAFKA_TIMEOUT_S = 1.5

MAX_AGE_S = 10.0
"""The largest age of a state that a page shows."""


def readers_of(tables: Iterable[str]) -> dict[str, list[str]]:
    """Return the consumer group of the job that stores the events of these tables, and their topics."""
    definitions = read_definitions()
    return {"facts": sorted(set().union(*(facts_of(table, definitions) for table in tables)))}


def is_catching_up(behind_s: float | None, messages_behind: int | None) -> bool:
    """Return whether the figures are old because messages are not counted yet, and not for lack of events.

    `behind_s` is None before the first figure; `messages_behind` is None while Kafka does not answer.
    """
    return (behind_s is None or behind_s > CURRENT_WITHIN_S) and bool(messages_behind)


class FiguresFreshness:
    """Reads the state of the figures. It queries Kafka only while the figures are not current.

    `tables` are those from which figures are computed.
    """

    def __init__(
        self, settings: Settings, watermarks: WatermarkCache, tables: Sequence[str], clock: Clock
    ) -> None:
        self._kafka = settings.kafka
        self._tables, self._readers = tables, readers_of(tables)
        self._watermarks, self._clock = watermarks, clock
        self._state: FiguresState | None = None
        self._read_at = float("-inf")
        self._lag: asyncio.Task[int] | None = None
        self._refresher: asyncio.Task[FiguresState | None] | None = None

    async def read(self) -> FiguresState | None:
        """Return the state of the figures; None while ClickHouse does not answer."""
        try:
            watermarks = await self._watermarks.watermarks()
        except Problem:
            return None
        as_of = smallest([watermarks.get(table) for table in self._tables])
        behind_s = max(0.0, (self._clock() - as_of).total_seconds()) if as_of else None
        current = behind_s is not None and behind_s <= CURRENT_WITHIN_S
        messages = 0 if current else await self._messages_behind()
        state: FiguresState = {
            "as_of": as_of,
            "behind_s": behind_s,
            "current": current,
            "messages_behind": messages,
            "catching_up": is_catching_up(behind_s, messages),
        }
        self._state, self._read_at = state, monotonic()
        return state

    async def tables_with_progress(self) -> int:
        """Return the number of tables of which it is known up to when they are complete.

        Raises:
            Problem: ClickHouse does not answer.
        """
        return len(await self._watermarks.watermarks())

    def is_catching_up(self, as_of: datetime | None) -> bool:
        """Return whether figures that are complete up to `as_of` are catching up, without waiting.

        The result is from the last reading. If that is too old, a new reading starts in the background.
        """
        if as_of and (self._clock() - as_of).total_seconds() <= CURRENT_WITHIN_S:
            return False
        if monotonic() - self._read_at > MAX_AGE_S and (self._refresher is None or self._refresher.done()):
            self._refresher = asyncio.create_task(self.read())
        return self._state is not None and self._state["catching_up"]

    async def aclose(self) -> None:
        """Cancel the background tasks."""
        running = [task for task in (self._refresher, self._lag) if task is not None]
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    async def _messages_behind(self) -> int | None:
        """Return the lag of job `facts`; None if Kafka does not answer within `KAFKA_TIMEOUT_S`.

        A request that takes longer continues in its thread. At most one request runs at a time.
        """
        if self._lag is None or self._lag.done():
            self._lag = asyncio.create_task(asyncio.to_thread(total_lag, self._kafka, self._readers))
            self._lag.add_done_callback(retrieve_error)  # nobody may be waiting for it any more
        done, _ = await asyncio.wait({self._lag}, timeout=KAFKA_TIMEOUT_S)
        try:
            return self._lag.result() if done else None
        except PartUnavailable:
            return None
