"""Sellers look at their sales, and notice how far behind the figures are."""

from datetime import datetime
from random import Random

from common.clock import Clock
from producers.simulator.live.api import Api, Away, Refused
from producers.simulator.world.world import World

EVENTS_A_LOOK = 1_000.0
"""A seller looks once in so many events: more traffic comes with more sellers at their desks."""

LONGEST_PAUSE_S = 5.0

FIRST_LOOK_AFTER_S = 30.0
"""Sellers who were introduced just now are known by then."""


class Dashboards:
    """Big sellers look more often than small ones."""

    def __init__(self, world: World, api: Api, random: Random, clock: Clock) -> None:
        self._ids, self._sizes = world.sellers.ids, world.sellers.size.tolist()
        self._api, self._random, self._clock = api, random, clock
        self.behind_s: float | None = None
        """How far behind the newest figures were; None while there are none."""

    async def look(self) -> None:
        """One seller looks at the sales of the last 30 days."""
        [seller] = self._random.choices(self._ids, self._sizes)
        try:
            answer = await self._api.ask("sales", "GET", f"/v1/sellers/{seller}/sales")
        except (Away, Refused):  # counted
            self.behind_s = None
            return
        as_of = answer["as_of"] and datetime.fromisoformat(answer["as_of"])
        self.behind_s = (self._clock() - as_of).total_seconds() if as_of else None
