"""Sets the stock at the start of live traffic, and refills products that run low."""

import asyncio
from contextlib import suppress
from random import Random

from producers.simulator.live.api import ApiUnavailable, RequestRejected, ShopApi
from producers.simulator.live.stock_levels import StockLevels
from producers.simulator.world.world import World

BATCH_SIZE = 1_000
LEAD_TIME_S = (20.0, 120.0)
"""Shortest and longest time until a refill arrives."""

_MIN_BACKOFF_S = 1.0
_MAX_BACKOFF_S = 10.0


class Restocker:
    """Sets stock through the API, as sellers do."""

    def __init__(self, world: World, api: ShopApi, levels: StockLevels, random: Random) -> None:
        self._world, self._api, self._levels, self._random = world, api, levels, random

    async def set_initial_stock(self) -> None:
        """Set every product's stock, retrying until the API accepts it.

        Raises:
            RequestRejected: the API rejects the stock. A retry would be rejected again.
        """
        products = range(len(self._world.products.ids))
        for first in range(0, len(products), BATCH_SIZE):
            await self._set_stock(list(products[first : first + BATCH_SIZE]))

    async def refill(self, product: int) -> None:
        """Set one product's stock to its level after the lead time."""
        await asyncio.sleep(self._random.uniform(*LEAD_TIME_S))
        # The stock is rejected if more units are reserved. `request` counts the error, and the next order
        # triggers another refill.
        with suppress(RequestRejected):
            await self._set_stock([product])
        self._levels.record_refill(product)

    async def _set_stock(self, products: list[int]) -> None:
        stock = [
            {
                "product_id": self._world.products.ids[product],
                "seller_id": self._world.sellers.ids[int(self._world.products.seller[product])],
                "on_hand": self._levels.levels[product],
            }
            for product in products
        ]
        pause_s = _MIN_BACKOFF_S
        while True:
            try:
                await self._api.request("stock", "PUT", "/v1/stock", stock)
                return
            except ApiUnavailable:
                await asyncio.sleep(pause_s)
                pause_s = min(2 * pause_s, _MAX_BACKOFF_S)
