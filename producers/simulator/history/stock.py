"""Sellers' stock in the history: it is held, sold, sold out, and refilled after a while."""

from random import Random

import numpy as np

from producers.simulator.draws import Floats, Index
from producers.simulator.history.agenda import Agenda
from producers.simulator.history.plan import Plan
from producers.simulator.history.rows import Rows
from producers.simulator.world.world import World

REORDERS_AT_DAYS = 0.5
"""A seller orders more when what is left covers fewer days."""


def demand_share(world: World) -> Floats:
    """Each product's share of what is bought, about: tastes averaged over all shoppers."""
    shoppers, products = world.shoppers, world.products
    love = (shoppers.love * shoppers.activity[:, None]).sum(axis=0)
    mixture = (shoppers.mixture * shoppers.activity[:, None]).sum(axis=0)
    share = love[products.category] * np.einsum("k,ik->i", mixture, world.tastes.within)
    expected: Floats = share / share.sum()
    return expected


def levels(world: World, units_per_day: float, covers_days: float) -> tuple[Index, Index]:
    """For each product: what a refill brings it up to, and what is left when more is ordered."""
    demand = demand_share(world) * units_per_day
    level = np.ceil(covers_days * demand + 2).astype(np.int64)
    return level, np.minimum(np.ceil(REORDERS_AT_DAYS * demand), level - 1).astype(np.int64)


class Stock:
    """Units on hand and held for orders; every change becomes a stock_changed.

    A product's changes never share a millisecond. `version` is the time before the end of the
    history, and so negative: it grows, and whatever the inventory service counts later is higher.
    A seller who runs low orders more, which comes after about a day and a half.
    """

    def __init__(
        self,
        world: World,
        rows: Rows,
        agenda: Agenda,
        random: Random,
        plan: Plan,
    ) -> None:
        level, threshold = levels(world, plan.units_per_day, plan.stock_days)
        self._level, self._threshold = level.tolist(), threshold.tolist()
        self._on_hand = [0] * len(level)
        self._reserved = [0] * len(level)
        self._last_ms = [0] * len(level)
        self._ordered = [False] * len(level)
        self._world, self._rows, self._end_ms = world, rows, plan.end_ms
        self._agenda, self._random = agenda, random

    def available(self, product: int) -> int:
        """Units that can be bought."""
        return self._on_hand[product] - self._reserved[product]

    def fill(self, at: int) -> None:
        """Have every product arrive for the first time."""
        for product in range(len(self._on_hand)):
            self._agenda.at(at, self._refill, product)

    def _refill(self, at: int, product: int) -> None:
        """Bring what is available up to the product's level."""
        self._ordered[product] = False
        self._change(at, product, self._level[product] - self.available(product), 0, "received", None, None)

    def reserve(self, at: int, product: int, quantity: int, order_id: str, cause: str) -> None:
        """Hold units for an order."""
        self._change(at, product, 0, quantity, "reserved", order_id, cause)
        if self.available(product) <= self._threshold[product] and not self._ordered[product]:
            self._ordered[product] = True
            self._rows.put(
                "restock_needed", self._last_ms[product], cause,
                product_id=self._world.products.ids[product], seller_id=self._seller_of(product),
                available=self.available(product), threshold=self._threshold[product],
                suggested_quantity=self._level[product] - self.available(product),
            )  # fmt: skip
            self._agenda.after(at, self._random.lognormvariate(0.3, 0.6), self._refill, product)

    def release(self, at: int, product: int, quantity: int, order_id: str, cause: str) -> None:
        """Give held units back."""
        self._change(at, product, 0, -quantity, "released", order_id, cause)

    def ship(self, at: int, product: int, quantity: int, order_id: str, cause: str) -> None:
        """Held units leave."""
        self._change(at, product, -quantity, -quantity, "shipped", order_id, cause)

    def give_back(self, at: int, product: int, quantity: int, order_id: str, cause: str) -> None:
        """Returned units are on hand again."""
        self._change(at, product, quantity, 0, "returned", order_id, cause)

    def _change(
        self, at: int, product: int, on_hand: int, reserved: int, reason: str, order_id: str | None,
        cause: str | None,
    ) -> None:  # fmt: skip
        self._on_hand[product] += on_hand
        self._reserved[product] += reserved
        at = self._last_ms[product] = max(at, self._last_ms[product] + 1)
        self._rows.put(
            "stock_changed", at, cause,
            product_id=self._world.products.ids[product], seller_id=self._seller_of(product),
            change=on_hand, on_hand=self._on_hand[product], reserved=self._reserved[product],
            reason=reason, order_id=order_id, version=at - self._end_ms,
        )  # fmt: skip

    def _seller_of(self, product: int) -> str:
        return self._world.sellers.ids[int(self._world.products.seller[product])]
