"""The carts of the history: what visits add while it is in stock, remove and check out."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from producers.simulator.history.event_rows import EventRows
from producers.simulator.history.orders import HistoryOrders
from producers.simulator.history.recommendations import RecommendedLists
from producers.simulator.history.scheduler import Scheduler
from producers.simulator.history.stock import HistoryStock
from producers.simulator.visits import NO_LIST, Views, Visits, draw_gaps
from producers.simulator.world.world import World

MAX_UNITS = 8
"""Most units of one product in a cart."""


@dataclass
class HistoryCart:
    """The cart of one visit: product → units. `shopper_id` is None for a visitor who is not signed in.

    Two changes never have the same millisecond, as event ids derive from visit, product and time.
    """

    session_id: str
    shopper: int
    shopper_id: str | None
    units: dict[int, int] = field(default_factory=dict)
    changed_ms: int = 0


@dataclass(frozen=True)
class CartAddition:
    """One product added to a cart, and the time at which it is removed again."""

    product: int
    quantity: int
    recommendation_id: str | None
    removed_at: int | None


class HistoryCarts:
    """All carts of the history. `prices(product, at_ms)` is the price of a unit in minor units."""

    def __init__(
        self,
        world: World,
        rows: EventRows,
        scheduler: Scheduler,
        stock: HistoryStock,
        orders: HistoryOrders,
        prices: Callable[[int, int], int],
    ) -> None:
        self._world, self._rows, self._scheduler = world, rows, scheduler
        self._stock, self._orders, self._prices = stock, orders, prices

    def schedule(
        self, rng: np.random.Generator, visits: Visits, views: Views, lists: RecommendedLists
    ) -> None:
        """Schedule the additions, removals and checkouts of these visits."""
        rows = np.flatnonzero(views.adds)
        if not len(rows):
            return
        visit, ends = views.visit[rows], views.at[rows] + draw_gaps(rng, len(rows)) // 2
        removed_at = np.where(views.removes[rows], ends + draw_gaps(rng, len(rows)), -1)
        last = np.zeros(len(visits), np.int64)
        np.maximum.at(last, views.visit, views.at)
        np.maximum.at(last, visit, np.maximum(ends, removed_at))
        checkout = last + draw_gaps(rng, len(visits))
        carts: dict[int, HistoryCart] = {}
        for row, of, at, removed in zip(
            rows.tolist(), visit.tolist(), ends.tolist(), removed_at.tolist(), strict=True
        ):
            if of not in carts:
                cart = carts[of] = self._cart(visits, of)
                if visits.checks_out[of]:
                    self._scheduler.schedule_at(int(checkout[of]), self._check_out, cart)
            shown = int(views.list_index[row])
            addition = CartAddition(
                int(views.product[row]),
                int(views.quantity[row]),
                None if shown == NO_LIST else lists.ids[shown],
                None if removed < 0 else removed,
            )
            self._scheduler.schedule_at(at, self._add, carts[of], addition)

    def _cart(self, visits: Visits, visit: int) -> HistoryCart:
        shopper = int(visits.shopper[visit])
        shopper_id = self._world.shoppers.ids[shopper] if visits.signed_in[visit] else None
        return HistoryCart(visits.ids[visit], shopper, shopper_id)

    def _add(self, at: int, cart: HistoryCart, addition: CartAddition) -> None:
        """Add the product unless it is sold out."""
        before = cart.units.get(addition.product, 0)
        now = min(before + addition.quantity, MAX_UNITS)
        if self._stock.available(addition.product) < now or now == before:
            return
        self._change(at, cart, addition.product, now, addition.recommendation_id)
        if addition.removed_at is not None:
            self._scheduler.schedule_at(
                addition.removed_at, self._remove, cart, addition.product, now - before
            )

    def _remove(self, at: int, cart: HistoryCart, product: int, quantity: int) -> None:
        self._change(at, cart, product, cart.units[product] - quantity, None)

    def _change(
        self, at: int, cart: HistoryCart, product: int, now: int, recommendation_id: str | None
    ) -> None:
        world = self._world
        at = cart.changed_ms = max(at, cart.changed_ms + 1)
        self._rows.append(
            "cart_changed", at, None,
            cart_id=f"{cart.session_id}-c", session_id=cart.session_id, shopper_id=cart.shopper_id,
            product_id=world.products.ids[product],
            seller_id=world.sellers.ids[int(world.products.seller[product])],
            quantity_before=cart.units.get(product, 0), quantity=now, currency=world.shape.currency,
            unit_price_minor=self._prices(product, at), recommendation_id=recommendation_id,
        )  # fmt: skip
        if now:
            cart.units[product] = now
        else:
            del cart.units[product]

    def _check_out(self, at: int, cart: HistoryCart) -> None:
        if cart.units:
            units = [(product, n, self._prices(product, at)) for product, n in cart.units.items()]
            self._orders.place(at, cart.shopper, cart.session_id, units)
