"""The probabilities of clicks, additions, removals and checkouts. History and live traffic share them."""

from dataclasses import dataclass

import numpy as np

from producers.feed.events import Millis
from producers.simulator.calendar import Calendar
from producers.simulator.randomness import Floats, Index, sigmoid
from producers.simulator.searches import SearchModel
from producers.simulator.world.tastes import affinity, probability_within
from producers.simulator.world.world import World


@dataclass(frozen=True)
class Behaviour:
    """The parameters of all decisions: logits, unless the name ends in `share`, `mean` or `exponent`."""

    holdout_share: float = 0.1
    """Share of visits, drawn at random, that are shown no recommendation: the control group."""

    views_mean: float = 4.5
    """Mean number of organic views of a visit: 1 + Geometric."""

    signed_in_share: float = 0.7
    similar_shown_share: float = 0.5
    """Share of visits in which similar products are shown beside the first product."""

    examine_exponent: float = 0.6
    """A shopper looks at position p of a list with probability p ** -examine_exponent (position bias)."""

    click: float = -2.7
    click_affinity: float = 0.9
    add: float = -3.3
    add_affinity: float = 0.45
    add_quality: float = 0.4
    remove_share: float = 0.12


class DecisionModel:
    """The decision probabilities of a world's shoppers, with one element per decision, and their searches."""

    def __init__(self, world: World, calendar: Calendar, behaviour: Behaviour) -> None:
        self.world = world
        self.calendar = calendar
        self.behaviour = behaviour
        self.searches = SearchModel(world)

    def click_probability(self, shopper: Index, product: Index, position: Index) -> Floats:
        """P(click | shown at this position, from 1) = P(looks there) · σ(click + click_affinity · a)."""
        b = self.behaviour
        click_if_examined = sigmoid(b.click + b.click_affinity * self._affinity(shopper, product))
        return position.astype(np.float64) ** -b.examine_exponent * click_if_examined

    def add_probability(self, shopper: Index, product: Index, at: Millis) -> Floats:
        """P(add | viewed) = σ(add + add_affinity·a + add_quality·q − sensitivity·ln(price / typical))."""
        b, products = self.behaviour, self.world.products
        reduced = np.log(self.calendar.prices(product, at) / products.price_minor[product])
        price = products.relative_price[product] + reduced
        return sigmoid(
            b.add
            + b.add_affinity * self._affinity(shopper, product)
            + b.add_quality * products.quality[product]
            - self.world.shoppers.price_sensitivity[shopper] * price
        )

    def in_cart_probability(self, shopper: Index, product: Index, at: Millis) -> Floats:
        """P(in the cart at the end of the visit | viewed once)."""
        return self.add_probability(shopper, product, at) * (1 - self.behaviour.remove_share)

    def checkout_probability(
        self, shopper: Index, registered: "np.ndarray[tuple[int], np.dtype[np.bool_]]"
    ) -> Floats:
        """P(orders the cart's content). It is 0 for a visitor who is not registered."""
        return np.where(registered, self.world.shoppers.checkout[shopper], 0.0)

    def view_probability(self, shopper: Index, product: Index, demand: Floats) -> Floats:
        """P(an organic view is of this product); `demand` is (n, categories)."""
        world = self.world
        weights = world.shoppers.preference[shopper] * demand
        category = world.products.category[product]
        of_category = weights[np.arange(len(shopper)), category] / weights.sum(axis=1)
        chances: Floats = of_category * probability_within(world.tastes, world.shoppers, shopper, product)
        return chances

    def _affinity(self, shopper: Index, product: Index) -> Floats:
        return affinity(self.world.tastes, self.world.shoppers, self.world.products, shopper, product)
