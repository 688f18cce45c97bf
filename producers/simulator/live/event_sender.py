"""Sends browsing events to the API in batches, some late and some twice, until it accepts them."""

import asyncio
from collections import Counter, deque
from random import Random
from typing import Any

from common.clock import Clock
from common.ids import new_id
from producers.simulator.delivery import draw_delays
from producers.simulator.live.api import ApiUnavailable, RequestRejected, ShopApi
from producers.simulator.live.held_back import HeldBack
from producers.simulator.status import SimulatorStatus

BATCH_SIZE = 500
BATCH_INTERVAL_S = 0.1
MAX_QUEUED = 50_000
"""Limit of queued events while the API is unavailable. The oldest events are dropped."""

_MIN_BACKOFF_S, _MAX_BACKOFF_S = 0.2, 5.0


class EventSender:
    """A queue of events that is sent every tenth of a second, one batch at a time.

    Every event gets its id when it is queued, so that a batch that is sent again counts once.
    """

    def __init__(self, api: ShopApi, status: SimulatorStatus, clock: Clock, random: Random) -> None:
        self._api, self._status, self._clock, self._random = api, status, clock, random
        self._queue: deque[dict[str, Any]] = deque()
        self._held_back: HeldBack[dict[str, Any]] = HeldBack()

    def enqueue(self, events: list[dict[str, Any]]) -> None:
        """Queue events that happened now; each gets its id and time."""
        now = self._clock().isoformat(timespec="milliseconds")
        for event in events:
            event["event_id"], event["occurred_at"] = new_id(), now
            for delay_s in draw_delays(event["event"], self._random):
                if delay_s:
                    self._held_back.add(event, delay_s)
                else:
                    self._queue.append(event)
        if (excess := len(self._queue) - MAX_QUEUED) > 0:
            for _ in range(excess):
                self._queue.popleft()
            self._status.record_error("events", "dropped: the API did not accept them in time", excess)

    @property
    def queued(self) -> int:
        """The number of queued events after the next batch."""
        return max(0, len(self._queue) - BATCH_SIZE)

    async def run(self, stopping: asyncio.Event) -> None:
        """Send queued events until `stopping` is set and no event is left."""
        pause_s = _MIN_BACKOFF_S
        while True:
            self._queue.extend(self._held_back.all() if stopping.is_set() else self._held_back.due())
            if stopping.is_set() and not self._queue:
                return
            if len(self._queue) < BATCH_SIZE and not stopping.is_set():
                await asyncio.sleep(BATCH_INTERVAL_S)
            batch = [self._queue.popleft() for _ in range(min(BATCH_SIZE, len(self._queue)))]
            if not batch:
                continue
            try:
                await self._send(batch)
                pause_s = _MIN_BACKOFF_S
            except ApiUnavailable:
                self._queue.extendleft(reversed(batch))
                await asyncio.sleep(pause_s)
                pause_s = min(2 * pause_s, _MAX_BACKOFF_S)

    async def _send(self, batch: list[dict[str, Any]]) -> None:
        """Send a batch. An event that is sent twice counts once, because it has the same id.

        Raises:
            ApiUnavailable: the batch must be sent again.
        """
        try:
            response = await self._api.request(
                "events", "POST", "/v1/events", {"events": batch}, repeatable=True
            )
        except RequestRejected:
            return  # `request` has counted the error; the same batch would be rejected again
        for rejected in response["rejected"]:
            self._status.record_error("events", f"rejected: {rejected['problem']['detail']}"[:120])
        rejected_rows = {rejected["index"] for rejected in response["rejected"]}
        accepted = Counter(event["event"] for row, event in enumerate(batch) if row not in rejected_rows)
        for name, count in accepted.items():
            self._status.record_sent(name, "intake", count)
