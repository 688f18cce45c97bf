"""Sellers look at their figures, and notice how far behind those are."""

import asyncio
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from random import Random
from time import monotonic

from common.clock import Clock
from producers.simulator.live.api import Api, Away, Refused
from producers.simulator.live.tempo import Reading
from producers.simulator.world.world import World

EVENTS_A_LOOK = 1_000.0
"""A seller looks once in so many events: more traffic comes with more sellers at their desks."""

LONGEST_PAUSE_S = 5.0

FIRST_LOOK_AFTER_S = 30.0
"""Sellers who were introduced just now are known by then."""

COUNTED_S = 3.0
"""An order that came so soon after the newest that is counted is not missed: `as_of` ends just before it."""

MOST_ORDERS = 100_000


class Figures:
    """Looks of sellers, the big ones more often; `heard` takes what each says of how far figures are.

    What is not counted yet is known by the orders that were placed here: without any, figures are not behind,
    however long ago they were complete.
    """

    def __init__(
        self, world: World, api: Api, random: Random, clock: Clock, heard: Callable[[Reading], None]
    ) -> None:
        self._ids, self._sizes = world.sellers.ids, world.sellers.size.tolist()
        self._api, self._random, self._clock, self._heard = api, random, clock, heard
        self._placed_s: deque[float] = deque(maxlen=MOST_ORDERS)

    def placed(self, at: datetime) -> None:
        """An order was placed then, seconds ago at most."""
        self._placed_s.append(at.timestamp())

    async def run(self, rate: Callable[[], float], stopping: asyncio.Event) -> None:
        """Let sellers look as often as goes with `rate` events a second, until told to stop."""
        pause_s = FIRST_LOOK_AFTER_S
        while not stopping.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(stopping.wait(), max(0.0, pause_s))
                return
            began_s = monotonic()
            await self.look()
            pause_s = min(EVENTS_A_LOOK / rate(), LONGEST_PAUSE_S) - (monotonic() - began_s)

    async def look(self) -> None:
        """One seller looks at the sales of the last 30 days."""
        [seller] = self._random.choices(self._ids, self._sizes)
        try:
            answer = await self._api.ask("sales", "GET", f"/v1/sellers/{seller}/sales")
        except (Away, Refused):  # counted
            return
        if answer["as_of"]:
            self._heard(self._reading(datetime.fromisoformat(answer["as_of"]).timestamp()))

    def _reading(self, as_of_s: float) -> Reading:
        now_s = self._clock().timestamp()
        while self._placed_s and self._placed_s[0] <= as_of_s + COUNTED_S:
            self._placed_s.popleft()
        return Reading(now_s, as_of_s, now_s - self._placed_s[0] if self._placed_s else 0.0)
