"""The sellers' stock in the history: reserved, shipped, sold out and refilled."""

from random import Random

import numpy as np

from producers.simulator.history.event_rows import EventRows
from producers.simulator.history.plan import HistoryPlan
from producers.simulator.history.scheduler import Scheduler
from producers.simulator.randomness import Floats, Index, named_rng
from producers.simulator.world.world import World

REORDERS_AT_DAYS = 0.5
"""A seller orders more when the rest covers fewer days, or when it is below REORDERS_SHARE of the level."""

REORDERS_SHARE = 0.2

MINIMUM_MEDIAN, MINIMUM_SIGMA = 15.0, 0.7
"""Units that a seller stocks of a product whose demand is low: log-normal."""

SCARCE_SHARE, SCARCE_UNITS = 0.08, 2
"""Products of which a seller stocks hardly more than is expected to sell; these sell out."""


def demand_share(world: World) -> Floats:
    """Return each product's approximate share of the units sold: tastes averaged over all shoppers."""
    shoppers, products = world.shoppers, world.products
    preference = (shoppers.preference * shoppers.activity[:, None]).sum(axis=0)
    mixture = (shoppers.mixture * shoppers.activity[:, None]).sum(axis=0)
    share = preference[products.category] * np.einsum("k,ik->i", mixture, world.tastes.within)
    expected: Floats = share / share.sum()
    return expected


def refill_levels(world: World, units_per_day: float, covers_days: float) -> tuple[Index, Index]:
    """Return for each product the level of a refill, and the units at which its seller orders more.

    A level is what sells in `covers_days` and the seller's minimum.
    """
    demand = demand_share(world) * units_per_day
    level = np.ceil(covers_days * demand + _minimum_units(world)).astype(np.int64)
    reorder = np.maximum(np.ceil(REORDERS_AT_DAYS * demand), np.floor(REORDERS_SHARE * level))
    return level, np.minimum(reorder, level - 1).astype(np.int64)


def _minimum_units(world: World) -> Floats:
    rng, n = named_rng(world.shape.seed, "minimum stock"), len(world.products.ids)
    usual = np.maximum(rng.lognormal(np.log(MINIMUM_MEDIAN), MINIMUM_SIGMA, n), SCARCE_UNITS)
    return np.where(rng.random(n) < SCARCE_SHARE, float(SCARCE_UNITS), np.rint(usual))


class HistoryStock:
    """Units on hand and reserved for orders; every change is a stock_changed.

    Two changes of a product never have the same millisecond. `version` is the time relative to the end of the
    history: it is negative and ascends, so that the versions of the inventory service are higher. A seller
    who runs low orders more, which arrives after about a day and a half.
    """

    def __init__(
        self,
        world: World,
        rows: EventRows,
        scheduler: Scheduler,
        random: Random,
        plan: HistoryPlan,
    ) -> None:
        level, threshold = refill_levels(world, plan.units_per_day, plan.stock_days)
        self._level, self._threshold = level.tolist(), threshold.tolist()
        self._on_hand = [0] * len(level)
        self._reserved = [0] * len(level)
        self._last_ms = [0] * len(level)
        self._on_order = [False] * len(level)
        self._world, self._rows, self._end_ms = world, rows, plan.end_ms
        self._scheduler, self._random = scheduler, random

    def available(self, product: int) -> int:
        """Return the units that can be bought."""
        return self._on_hand[product] - self._reserved[product]

    def schedule_first_stock(self, at: int) -> None:
        """Schedule the first refill of every product."""
        for product in range(len(self._on_hand)):
            self._scheduler.schedule_at(at, self._refill, product)

    def _refill(self, at: int, product: int) -> None:
        """Refill the available units to the product's level."""
        self._on_order[product] = False
        self._change(at, product, self._level[product] - self.available(product), 0, "received", None, None)

    def reserve(self, at: int, product: int, quantity: int, order_id: str, cause: str) -> None:
        """Reserve units for an order, and order more if the product runs low."""
        self._change(at, product, 0, quantity, "reserved", order_id, cause)
        if self.available(product) <= self._threshold[product] and not self._on_order[product]:
            self._on_order[product] = True
            self._rows.append(
                "restock_needed", self._last_ms[product], cause,
                product_id=self._world.products.ids[product], seller_id=self._seller_of(product),
                available=self.available(product), threshold=self._threshold[product],
                suggested_quantity=self._level[product] - self.available(product),
            )  # fmt: skip
            self._scheduler.schedule_after(at, self._random.lognormvariate(0.3, 0.6), self._refill, product)

    def release(self, at: int, product: int, quantity: int, order_id: str, cause: str) -> None:
        """Release reserved units."""
        self._change(at, product, 0, -quantity, "released", order_id, cause)

    def ship(self, at: int, product: int, quantity: int, order_id: str, cause: str) -> None:
        """Ship reserved units."""
        self._change(at, product, -quantity, -quantity, "shipped", order_id, cause)

    def return_units(self, at: int, product: int, quantity: int, order_id: str, cause: str) -> None:
        """Put returned units back on hand."""
        self._change(at, product, quantity, 0, "returned", order_id, cause)

    def _change(
        self, at: int, product: int, on_hand: int, reserved: int, reason: str, order_id: str | None,
        cause: str | None,
    ) -> None:  # fmt: skip
        self._on_hand[product] += on_hand
        self._reserved[product] += reserved
        at = self._last_ms[product] = max(at, self._last_ms[product] + 1)
        self._rows.append(
            "stock_changed", at, cause,
            product_id=self._world.products.ids[product], seller_id=self._seller_of(product),
            change=on_hand, on_hand=self._on_hand[product], reserved=self._reserved[product],
            reason=reason, order_id=order_id, version=at - self._end_ms,
        )  # fmt: skip

    def _seller_of(self, product: int) -> str:
        return self._world.sellers.ids[int(self._world.products.seller[product])]
