"""The stock that product pages show to live shoppers, and when a seller refills it. Pure."""

from producers.simulator.history.plan import EVENTS_PER_VISIT, UNITS_PER_VISIT
from producers.simulator.history.stock import REORDERS_SHARE, refill_levels
from producers.simulator.world.world import World

COVERED_S = 900.0
"""A refill covers the expected sales of this time, in addition to the seller's minimum."""

_DAY_S = 86_400.0


class StockLevels:
    """Counts the units ordered since a product's stock was last set.

    The counts are estimates: the inventory service has the actual stock. `rate` is the number of live events
    per second, which determines the expected sales.
    """

    def __init__(self, world: World, rate: float) -> None:
        units_per_day = rate / EVENTS_PER_VISIT * UNITS_PER_VISIT * _DAY_S
        levels, _ = refill_levels(world, units_per_day, COVERED_S / _DAY_S)
        self.levels: list[int] = levels.tolist()
        self._left: list[int] = list(self.levels)
        self._on_order: set[int] = set()

    def in_stock(self, product: int, units: int) -> bool:
        """Return whether the product page offers this number of units."""
        return self._left[product] >= units

    def record_order(self, units: dict[int, int]) -> list[int]:
        """Record ordered units; return the products that must be refilled now."""
        low = []
        for product, count in units.items():
            self._left[product] -= count
            if self._left[product] <= REORDERS_SHARE * self.levels[product] and product not in self._on_order:
                self._on_order.add(product)
                low.append(product)
        return low

    def record_failed_order(self, units: dict[int, int]) -> None:
        """Record the units of an order that was refused or cancelled."""
        for product, count in units.items():
            self._left[product] = min(self._left[product] + count, self.levels[product])

    def record_refill(self, product: int) -> None:
        """Record that the product's stock was set to its level."""
        self._on_order.discard(product)
        self._left[product] = self.levels[product]
