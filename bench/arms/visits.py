"""Runs simulated visits: their lists, clicks, views, carts and orders, drawn by the simulator's decisions."""

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

import numpy as np

from bench.arms.lists import ChosenList, ListRequest, choose, choose_randomly
from bench.arms.log import InteractionLog, ShownList, ShownLog
from bench.arms.paired import PairedClicks
from bench.arms.shop import Shop
from common.experiments.assignment import HOLDOUT, Assignment
from common.experiments.definition import DEFAULT_STRATEGY, StrategyName
from producers.simulator.decisions import DecisionModel
from producers.simulator.live.visit import CART_SHOWN_SHARE
from producers.simulator.randomness import Floats, Index
from producers.simulator.visits import Views, Visits, draw_quantities
from schemas.published_model.weights import BLENDED
from serving.recommendations.strategies import STRATEGIES

CLICK_AFTER_S = 12.0
"""The median time from one step of a visit to the next, `producers.simulator.visits.GAP_MEDIAN_S`."""


@dataclass
class VisitOutcome:
    """What a visit did. The expected figures follow from the true probabilities of what its lists showed.

    `purchases` are products in an order, and `revenue_minor` what they cost; `from_lists` are those of them
    that were clicked on a list of the visit. `expected_purchases` are those that clicks on lists lead to.
    """

    lists: int = 0
    clicks: int = 0
    purchases: int = 0
    from_lists: int = 0
    revenue_minor: int = 0
    expected_clicks: float = 0.0
    expected_purchases: float = 0.0


@dataclass
class _OpenVisit:
    visitor: str
    shopper: int
    assignment: Assignment
    outcome: VisitOutcome = field(default_factory=VisitOutcome)
    cart: dict[str, int] = field(default_factory=dict)
    prices: dict[str, int] = field(default_factory=dict)
    clicked_in: dict[str, list[tuple[ShownList, int]]] = field(default_factory=dict)
    clicked: set[str] = field(default_factory=set)
    can_buy: bool = False


class VisitRunner:
    """Runs visits in the order of their starts; a visit ends before the next one starts."""

    def __init__(
        self,
        shop: Shop,
        decisions: DecisionModel,
        interactions: InteractionLog,
        shown: ShownLog,
        assign: Callable[[str, str, float], Assignment],
        exploration: float,
        paired_share: float,
        seed: int,
    ) -> None:
        self._shop, self._decisions = shop, decisions
        self._interactions, self._shown = interactions, shown
        self._assign, self._exploration = assign, exploration
        self._random, self._rng = Random(f"lists {seed}"), np.random.default_rng([seed, 33])
        self._ids = decisions.world.products.ids
        self.paired = PairedClicks(paired_share)
        self._unsettled: list[tuple[VisitOutcome, int, Index, Floats, float]] = []

    def run(
        self, visits: Visits, views: Views, number: int, first: int, last: int
    ) -> tuple[str, VisitOutcome]:
        """Run visit `number`, whose organic views are `first` up to `last`, and return its visitor."""
        shopper, visitor = int(visits.shopper[number]), self.visitor(visits, number)
        start_s = visits.started[number] / 1_000
        open_visit = _OpenVisit(visitor, shopper, self._assign(visitor, "home", start_s))
        open_visit.can_buy = bool(visits.registered[number])
        behaviour = self._decisions.behaviour
        self._show(open_visit, "home", None, start_s)
        at_s = start_s
        for row in range(first, last):
            product, at_s = self._ids[views.product[row]], views.at[row] / 1_000
            self._view(open_visit, product, at_s)
            if row == first and self._rng.random() < behaviour.similar_shown_share:
                self._show(open_visit, "product", product, at_s)
            if views.adds[row]:
                self._add(open_visit, product, int(views.quantity[row]), bool(views.removes[row]), at_s)
        if open_visit.cart and visits.checks_out[number]:
            self._order(open_visit, self._decisions.world.shoppers.ids[shopper], at_s + CLICK_AFTER_S)
        return visitor, open_visit.outcome

    def visitor(self, visits: Visits, number: int) -> str:
        """Return who visits: the shopper who is signed in, else the session."""
        if visits.signed_in[number]:
            return self._decisions.world.shoppers.ids[int(visits.shopper[number])]
        return visits.ids[number]

    def _show(self, visit: _OpenVisit, surface: str, anchor: str | None, at_s: float) -> None:
        request = ListRequest(self._shop.visitors[visit.visitor], surface, anchor, at_s)
        if visit.assignment.experiment is not None:
            self.paired.add(self._shop, self._decisions, request, visit.shopper, self._random)
        strategy = _name(visit.assignment)
        is_held_out = visit.assignment.experiment == HOLDOUT
        if not is_held_out and self._random.random() < self._exploration:
            chosen = choose_randomly(self._shop, request, self._random)
        else:
            chosen = choose(self._shop, request, STRATEGIES[strategy])
        if not chosen.products:
            return
        codes = np.array([self._shop.code_of[each] for each in chosen.products])
        chance = self._click_chances(visit, codes, at_s)
        hit = np.flatnonzero(self._rng.random(len(codes)) < chance)
        clicked = [chosen.products[row] for row in hit.tolist()]
        visit.outcome.lists += 1
        visit.outcome.clicks += len(clicked)
        has_all_sources = chosen.is_explored or strategy == DEFAULT_STRATEGY
        if has_all_sources and self._shop.model is not None:
            self._log(visit, chosen, surface, at_s, set(clicked))
        if clicked:
            self._follow(visit, clicked, codes[hit], at_s + CLICK_AFTER_S)

    def settle(self) -> None:
        """Add the expected purchases to the outcomes of all visits until now, faster than list by list."""
        if not self._unsettled:
            return
        outcomes, shoppers, codes, chances, times = zip(*self._unsettled, strict=True)
        lengths = [len(each) for each in codes]
        shopper = np.repeat(shoppers, lengths)
        at = np.repeat((1_000 * np.array(times)).astype(np.int64), lengths)
        carted = self._decisions.in_cart_probability(shopper, np.concatenate(codes), at)
        bought = np.concatenate(chances) * carted * self._decisions.world.shoppers.checkout[shopper]
        of_lists = np.add.reduceat(bought, np.cumsum([0, *lengths[:-1]]))
        for outcome, expected in zip(outcomes, of_lists.tolist(), strict=True):
            outcome.expected_purchases += expected
        self._unsettled.clear()

    def _click_chances(self, visit: _OpenVisit, codes: Index, at_s: float) -> Floats:
        """Return the true chance of a click on each place."""
        shopper = np.full(len(codes), visit.shopper)
        chance = self._decisions.click_probability(shopper, codes, np.arange(1, len(codes) + 1))
        visit.outcome.expected_clicks += float(chance.sum())
        if visit.can_buy:
            self._unsettled.append((visit.outcome, visit.shopper, codes, chance, at_s))
        return chance

    def _follow(
        self,
        visit: _OpenVisit,
        clicked: list[str],
        codes: Index,
        at_s: float,
    ) -> None:
        """View the clicked products, and add some of them to the cart."""
        visit.clicked.update(clicked)
        at = np.full(len(codes), int(1_000 * at_s))
        add = self._decisions.add_probability(np.full(len(codes), visit.shopper), codes, at)
        adds = self._rng.random(len(codes)) < add
        removes = self._rng.random(len(codes)) < self._decisions.behaviour.remove_share
        quantities = draw_quantities(self._rng, len(codes))
        for place, product in enumerate(clicked):
            self._view(visit, product, at_s + place)
            if adds[place]:
                self._add(visit, product, int(quantities[place]), bool(removes[place]), at_s + place)

    def _view(self, visit: _OpenVisit, product: str, at_s: float) -> None:
        self._shop.view(visit.visitor, product, at_s)
        self._interactions.add(visit.visitor, product, "viewed", at_s)

    def _add(self, visit: _OpenVisit, product: str, quantity: int, removes: bool, at_s: float) -> None:
        self._shop.add_to_cart(visit.visitor, product, at_s)
        self._interactions.add(visit.visitor, product, "carted", at_s)
        if self._rng.random() < CART_SHOWN_SHARE:
            self._show(visit, "cart", product, at_s)
        if removes:
            self._shop.remove_from_cart(visit.visitor, product)
            visit.cart.pop(product, None)
            return
        visit.cart[product] = visit.cart.get(product, 0) + quantity
        code, at = np.array([self._shop.code_of[product]]), np.array([int(1_000 * at_s)])
        visit.prices[product] = int(self._decisions.calendar.prices(code, at)[0])

    def _order(self, visit: _OpenVisit, shopper_id: str, at_s: float) -> None:
        self._shop.order(visit.visitor, shopper_id, visit.cart, at_s)
        for product, units in visit.cart.items():
            self._interactions.add(shopper_id, product, "bought", at_s)
            visit.outcome.purchases += 1
            visit.outcome.revenue_minor += units * visit.prices[product]
            visit.outcome.from_lists += product in visit.clicked
            for shown, place in visit.clicked_in.get(product, ()):
                shown.bought[place] = True

    def _log(
        self, visit: _OpenVisit, chosen: ChosenList, surface: str, at_s: float, clicked: set[str]
    ) -> None:
        """Log the items that a blended source scored."""
        scores = chosen.scores()
        kept = [place for place, each in enumerate(chosen.products) if each in scores]
        if not kept:
            return
        products = [chosen.products[place] for place in kept]
        shown = ShownList(
            visit.visitor,
            surface,
            at_s,
            products,
            [place + 1 for place in kept],
            [[scores[each].get(source, 0.0) for source in BLENDED] for each in products],
            [self._shop.popularity(each, at_s) for each in products],
            [each in clicked for each in products],
            [False] * len(products),
        )
        self._shown.lists.append(shown)
        for place, product in enumerate(products):
            if product in clicked:
                visit.clicked_in.setdefault(product, []).append((shown, place))


def _name(assignment: Assignment) -> StrategyName:
    for name in STRATEGIES:
        if name == assignment.strategy:
            return name
    return DEFAULT_STRATEGY
