"""Requests the sales of sellers, and measures how far behind these figures are."""

import asyncio
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from random import Random
from time import monotonic

from common.clock import Clock
from common.request_path import in_path
from producers.simulator.live.api import ApiUnavailable, RequestRejected, ShopApi
from producers.simulator.live.load_controller import FreshnessReading
from producers.simulator.world.world import World

EVENTS_PER_POLL = 1_000.0
"""Events per request of sales: with more traffic, sellers open their sales more often."""

MAX_INTERVAL_S = 5.0

FIRST_POLL_AFTER_S = 30.0
"""Delay of the first request, until the API has received the registrations of new sellers."""

AS_OF_MARGIN_S = 3.0
"""An order at most this long after `as_of` does not count as missing: `as_of` is before the newest event."""

MAX_ORDERS = 100_000


class SalesPoller:
    """Requests the sales of random sellers, and those of big sellers more often.

    `on_reading` is called with the lag of the figures of each response. The lag is measured by the orders
    that this simulator has placed. If the figures lack none of these orders, their lag is 0.
    """

    def __init__(
        self,
        world: World,
        api: ShopApi,
        random: Random,
        clock: Clock,
        on_reading: Callable[[FreshnessReading], None],
    ) -> None:
        self._ids, self._sizes = world.sellers.ids, world.sellers.size.tolist()
        self._api, self._random, self._clock, self._on_reading = api, random, clock, on_reading
        self._placed_s: deque[float] = deque(maxlen=MAX_ORDERS)

    def record_order(self, at: datetime) -> None:
        """Record the time of an order that has just been placed."""
        self._placed_s.append(at.timestamp())

    async def run(self, rate: Callable[[], float], stopping: asyncio.Event) -> None:
        """Poll as often as `rate()` events per second require, until `stopping` is set."""
        pause_s = FIRST_POLL_AFTER_S
        while not stopping.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(stopping.wait(), max(0.0, pause_s))
                return
            began_s = monotonic()
            await self.poll()
            pause_s = min(EVENTS_PER_POLL / rate(), MAX_INTERVAL_S) - (monotonic() - began_s)

    async def poll(self) -> None:
        """Request one seller's sales of the last 30 days."""
        [seller] = self._random.choices(self._ids, self._sizes)
        try:
            answer = await self._api.request("sales", "GET", f"/v1/sellers/{in_path(seller)}/sales")
        except (ApiUnavailable, RequestRejected):  # `request` has counted the error
            return
        if answer["as_of"]:
            self._on_reading(self._reading(datetime.fromisoformat(answer["as_of"]).timestamp()))

    def _reading(self, as_of_s: float) -> FreshnessReading:
        now_s = self._clock().timestamp()
        while self._placed_s and self._placed_s[0] <= as_of_s + AS_OF_MARGIN_S:
            self._placed_s.popleft()
        return FreshnessReading(now_s, as_of_s, now_s - self._placed_s[0] if self._placed_s else 0.0)
