"""Sends browsing events to the API in batches, again and again until it takes them."""

import asyncio
from collections import Counter, deque
from typing import Any

from common.clock import Clock
from common.ids import new_id
from producers.simulator.live.api import Api, Away, Refused
from producers.simulator.status import Status

BATCH = 500
EVERY_S = 0.1
MOST_WAITING = 50_000
"""Events that are kept while the API is away; the oldest are given up."""

_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.2, 5.0


class Intake:
    """Events wait here for a tenth of a second, or until the API has answered and taken those before them.

    Every event gets its id here, so that a batch that is sent again counts once.
    """

    def __init__(self, api: Api, status: Status, clock: Clock) -> None:
        self._api, self._status, self._clock = api, status, clock
        self._waiting: deque[dict[str, Any]] = deque()

    def put(self, events: list[dict[str, Any]]) -> None:
        """Have these events sent, which happened now; each gets its id and time."""
        now = self._clock().isoformat(timespec="milliseconds")
        for event in events:
            event["event_id"], event["occurred_at"] = new_id(), now
        self._waiting.extend(events)
        if (too_many := len(self._waiting) - MOST_WAITING) > 0:
            for _ in range(too_many):
                self._waiting.popleft()
            self._status.failed("events", "given up: the API did not take them in time", too_many)

    @property
    def unsent(self) -> int:
        """Events that wait behind the next batch."""
        return max(0, len(self._waiting) - BATCH)

    async def run(self, stopping: asyncio.Event) -> None:
        """Send what comes, until told to stop and all is sent."""
        pause_s = _FIRST_PAUSE_S
        while self._waiting or not stopping.is_set():
            if len(self._waiting) < BATCH and not stopping.is_set():
                await asyncio.sleep(EVERY_S)
            batch = [self._waiting.popleft() for _ in range(min(BATCH, len(self._waiting)))]
            if not batch:
                continue
            try:
                await self._send(batch)
                pause_s = _FIRST_PAUSE_S
            except Away:
                self._waiting.extendleft(reversed(batch))
                await asyncio.sleep(pause_s)
                pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)

    async def _send(self, batch: list[dict[str, Any]]) -> None:
        """Raises Away when the API has to be asked again. An event has its id: sent twice, it counts once."""
        try:
            taken = await self._api.ask("events", "POST", "/v1/events", {"events": batch}, repeatable=True)
        except Refused:
            return  # counted; the same batch would be refused again
        for rejected in taken["rejected"]:
            self._status.failed("events", f"rejected: {rejected['problem']['detail']}"[:120])
        refused = {rejected["index"] for rejected in taken["rejected"]}
        counted = Counter(event["event"] for row, event in enumerate(batch) if row not in refused)
        for name, count in counted.items():
            self._status.sent(name, "intake", count)
