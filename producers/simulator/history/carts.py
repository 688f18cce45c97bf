"""Carts of the history: what visits put aside, as far as there is stock of it, and check out."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from producers.simulator.history.agenda import Agenda
from producers.simulator.history.orders import Orders
from producers.simulator.history.recommended import Lists
from producers.simulator.history.rows import Rows
from producers.simulator.history.stock import Stock
from producers.simulator.visits import NO_LIST, Views, Visits, draw_gaps
from producers.simulator.world.world import World

MOST_OF_ONE = 8
"""Units of one product in a cart."""


@dataclass
class Cart:
    """What one visit has put aside: product → units. `shopper_id` is None while nobody signed in.

    Its changes never share a millisecond: their events' ids are made of visit, product and time.
    """

    session_id: str
    shopper: int
    shopper_id: str | None
    units: dict[int, int] = field(default_factory=dict)
    changed_ms: int = 0


@dataclass(frozen=True)
class Addition:
    """One product put into a cart, and when it is taken out again."""

    product: int
    quantity: int
    recommendation_id: str | None
    removed_at: int | None


class Carts:
    """Every cart. `prices(product, at_ms)` is the price of a unit in minor units."""

    def __init__(
        self,
        world: World,
        rows: Rows,
        agenda: Agenda,
        stock: Stock,
        orders: Orders,
        prices: Callable[[int, int], int],
    ) -> None:
        self._world, self._rows, self._agenda = world, rows, agenda
        self._stock, self._orders, self._prices = stock, orders, prices

    def fill(self, rng: np.random.Generator, visits: Visits, views: Views, lists: Lists) -> None:
        """Put down what these visits add, take out and check out, to be played later."""
        rows = np.flatnonzero(views.adds)
        if not len(rows):
            return
        visit, ends = views.visit[rows], views.at[rows] + draw_gaps(rng, len(rows)) // 2
        removed_at = np.where(views.removes[rows], ends + draw_gaps(rng, len(rows)), -1)
        last = np.zeros(len(visits), np.int64)
        np.maximum.at(last, views.visit, views.at)
        np.maximum.at(last, visit, np.maximum(ends, removed_at))
        checkout = last + draw_gaps(rng, len(visits))
        carts: dict[int, Cart] = {}
        for row, of, at, removed in zip(
            rows.tolist(), visit.tolist(), ends.tolist(), removed_at.tolist(), strict=True
        ):
            if of not in carts:
                cart = carts[of] = self._cart(visits, of)
                if visits.checks_out[of]:
                    self._agenda.at(int(checkout[of]), self._check_out, cart)
            shown = int(views.of_list[row])
            addition = Addition(
                int(views.product[row]),
                int(views.quantity[row]),
                None if shown == NO_LIST else lists.ids[shown],
                None if removed < 0 else removed,
            )
            self._agenda.at(at, self._add, carts[of], addition)

    def _cart(self, visits: Visits, visit: int) -> Cart:
        shopper = int(visits.shopper[visit])
        shopper_id = self._world.shoppers.ids[shopper] if visits.signed_in[visit] else None
        return Cart(visits.ids[visit], shopper, shopper_id)

    def _add(self, at: int, cart: Cart, addition: Addition) -> None:
        """Unless the product's page says that it is sold out."""
        before = cart.units.get(addition.product, 0)
        now = min(before + addition.quantity, MOST_OF_ONE)
        if self._stock.available(addition.product) < now or now == before:
            return
        self._change(at, cart, addition.product, now, addition.recommendation_id)
        if addition.removed_at is not None:
            self._agenda.at(addition.removed_at, self._remove, cart, addition.product, now - before)

    def _remove(self, at: int, cart: Cart, product: int, quantity: int) -> None:
        self._change(at, cart, product, cart.units[product] - quantity, None)

    def _change(self, at: int, cart: Cart, product: int, now: int, recommendation_id: str | None) -> None:
        world = self._world
        at = cart.changed_ms = max(at, cart.changed_ms + 1)
        self._rows.put(
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

    def _check_out(self, at: int, cart: Cart) -> None:
        if cart.units:
            units = [(product, n, self._prices(product, at)) for product, n in cart.units.items()]
            self._orders.place(at, cart.shopper, units)
