"""What live shoppers can know of the stock, and when a seller refills it. Pure."""

import numpy as np

from producers.simulator.history.plan import EVENTS_PER_VISIT, UNITS_PER_VISIT
from producers.simulator.history.stock import demand_share
from producers.simulator.world.world import World

COVERS_S = 900.0
"""A refill brings a product up to what sells in so many seconds, and three more."""

REORDERS_SHARE = 0.2
"""A seller orders more when so much of that is left."""


class Shelf:
    """Counts what was ordered since a product's stock was last set; the inventory service has the last word.

    `rate` is the live events a second, from which follows what sellers expect to sell.
    """

    def __init__(self, world: World, rate: float) -> None:
        units_per_s = rate / EVENTS_PER_VISIT * UNITS_PER_VISIT
        levels = np.ceil(demand_share(world) * units_per_s * COVERS_S + 3).astype(np.int64)
        self.levels: list[int] = levels.tolist()
        self._left: list[int] = list(self.levels)
        self._ordered: set[int] = set()

    def in_stock(self, product: int, units: int) -> bool:
        """Whether the product's page says that so many can be bought."""
        return self._left[product] >= units

    def take(self, units: dict[int, int]) -> list[int]:
        """Units were ordered; the products that their sellers now order more of."""
        low = []
        for product, count in units.items():
            self._left[product] -= count
            if self._left[product] <= REORDERS_SHARE * self.levels[product] and product not in self._ordered:
                self._ordered.add(product)
                low.append(product)
        return low

    def give_back(self, units: dict[int, int]) -> None:
        """An order came to nothing."""
        for product, count in units.items():
            self._left[product] = min(self._left[product] + count, self.levels[product])

    def refilled(self, product: int) -> None:
        """The product's stock was set to its level."""
        self._ordered.discard(product)
        self._left[product] = self.levels[product]
