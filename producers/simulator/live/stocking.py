"""Sets the stock when traffic goes live, and refills what runs low."""

import asyncio
from contextlib import suppress
from random import Random

from producers.simulator.live.api import Api, Away, Refused
from producers.simulator.live.shelf import Shelf
from producers.simulator.world.world import World

AT_ONCE = 1_000
LEAD_S = (20.0, 120.0)
"""A refill comes after so long."""

_PAUSE_S = 1.0
_LONGEST_PAUSE_S = 10.0


class Stocking:
    """The sellers' side of the stock, through the API."""

    def __init__(self, world: World, api: Api, shelf: Shelf, random: Random) -> None:
        self._world, self._api, self._shelf, self._random = world, api, shelf, random

    async def fill(self) -> None:
        """Set every product's stock; waits until the API takes it.

        Raises:
            Refused: it never will.
        """
        products = range(len(self._world.products.ids))
        for first in range(0, len(products), AT_ONCE):
            await self._set(list(products[first : first + AT_ONCE]))

    async def refill(self, product: int) -> None:
        """Set one product's stock to its level, after its seller has got it."""
        await asyncio.sleep(self._random.uniform(*LEAD_S))
        with suppress(Refused):  # counted, such as when orders hold more: the next order asks again
            await self._set([product])
        self._shelf.refilled(product)

    async def _set(self, products: list[int]) -> None:
        stock = [
            {
                "product_id": self._world.products.ids[product],
                "seller_id": self._world.sellers.ids[int(self._world.products.seller[product])],
                "on_hand": self._shelf.levels[product],
            }
            for product in products
        ]
        pause_s = _PAUSE_S
        while True:
            try:
                await self._api.ask("stock", "PUT", "/v1/stock", stock)
                return
            except Away:
                await asyncio.sleep(pause_s)
                pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)
