"""Sets the prices of flash sales as sellers do: through the API, when a sale begins and when it ends."""

import asyncio

from common.clock import Clock, to_millis
from common.request_path import in_path
from producers.simulator.calendar import DAY_MS, Calendar
from producers.simulator.history.prices import PriceList
from producers.simulator.live.api import ApiUnavailable, RequestRejected, ShopApi
from producers.simulator.world.world import World

_AHEAD_DAYS = 60
"""Days after the start for which flash sales are planned. A simulator that runs longer must be restarted."""

_BACK_DAYS = 8
"""Days before the start whose flash sales are checked, so that sales end that ended since the last run."""

BATCH_SIZE = 32
"""Prices that are set at the same time, so that a sale fills no queue of requests."""

GIVE_UP_MS = 10 * 60_000
"""Time for which a price is tried that can't be set, for example because the listing has not arrived."""


class FlashSales:
    """The prices of all products over time, and the changes that the shop does not have yet."""

    def __init__(self, world: World, calendar: Calendar, api: ShopApi, clock: Clock) -> None:
        now_ms = to_millis(clock())
        self._world, self._api, self._clock = world, api, clock
        self._checked_ms = now_ms - _BACK_DAYS * DAY_MS
        self._due: dict[int, int] = {}
        """Product → when to give up."""
        self.prices = PriceList(world, calendar.sales(self._checked_ms, now_ms + _AHEAD_DAYS * DAY_MS))

    async def set_due_prices(self) -> None:
        """Set the present price of each product whose sale has begun or ended since the last call.

        The first call covers the last eight days. A price that can't be set is tried again by the next calls.
        """
        now_ms = to_millis(self._clock())
        changed = self.prices.changed_products(self._checked_ms, now_ms)
        self._checked_ms = now_ms
        self._due = {product: until for product, until in self._due.items() if until > now_ms}
        self._due |= dict.fromkeys(changed, now_ms + GIVE_UP_MS)
        due = sorted(self._due)
        for first in range(0, len(due), BATCH_SIZE):
            await asyncio.gather(*(self._set(each, now_ms) for each in due[first : first + BATCH_SIZE]))

    async def _set(self, product: int, now_ms: int) -> None:
        world = self._world
        seller_id = world.sellers.ids[int(world.products.seller[product])]
        target = f"/v1/sellers/{in_path(seller_id)}/listings/{in_path(world.products.ids[product])}/price"
        body = {"price_minor": self.prices.at(product, now_ms)}
        try:
            await self._api.request("price", "PUT", target, body, repeatable=True)
        except ApiUnavailable:
            return
        except RequestRejected:
            pass  # `request` counts the error; another try would be rejected again
        del self._due[product]
