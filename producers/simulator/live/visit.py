"""The steps of one live visit: its events, requests and checkout. Pure: `SessionRunner` executes the steps.

Visits use the same probabilities as the history (decisions.py). Only recommendations come from the API.
"""

import heapq
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import numpy as np

from producers.simulator.decisions import DecisionModel
from producers.simulator.live.steps import (
    ChangeCart,
    EmitEvent,
    PerformedSearch,
    PlannedView,
    PlannedVisit,
    RecommendedList,
    RequestRecommendations,
    Step,
    SubmitCart,
    Surface,
)
from producers.simulator.visits import (
    RECOMMENDATION,
    SOURCES,
    draw_gaps,
    draw_quantities,
)

CART_SHOWN_SHARE = 0.3
"""Share of additions after which the cart page with its recommendations is opened."""

_CLICKED_MS = 200
_UNKNOWN = -1


@dataclass(frozen=True)
class VisitContext:
    """The shop's data that visits use.

    `in_stock(product, units)` returns whether the product page offers this number of units. `index_of` is
    product id → index.
    """

    decisions: DecisionModel
    in_stock: Callable[[int, int], bool]
    index_of: dict[str, int]


@dataclass
class LiveVisit:
    """A running visit."""

    plan: PlannedVisit
    context: VisitContext
    rng: np.random.Generator
    cart: dict[int, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        world = self.context.decisions.world
        self._shopper = np.array([self.plan.shopper])
        self._identity = {
            "session_id": self.plan.session_id,
            "shopper_id": world.shoppers.ids[self.plan.shopper] if self.plan.signed_in else None,
        }
        self._visitor = self._identity["shopper_id"] or self.plan.session_id
        self._scheduled: list[
            tuple[int, int, Callable[..., Generator[Step, RecommendedList | None]], tuple[Any, ...]]
        ] = []
        self._tie = count()
        self._last_ms = self.plan.started_ms

    def steps(self) -> Generator[Step, RecommendedList | None]:
        """Yield the steps in the order of their times.

        The runner waits until a step's `at_ms`, executes it, and sends the response to the generator.
        """
        if self.plan.recommended:
            self._schedule(self.plan.started_ms, self._view_list, "home", None)
        for at, view in self.plan.views:
            self._schedule(at, self._view_product, view)
        while self._scheduled:
            self._last_ms, _, step, arguments = heapq.heappop(self._scheduled)
            yield from step(self._last_ms, *arguments)
        if self.cart and self.plan.checks_out:
            at = self._last_ms + self._gap()
            yield SubmitCart(at, self.plan.shopper, self.plan.session_id, dict(self.cart))

    def _view_list(
        self, at: int, surface: Surface, anchor: int | None
    ) -> Generator[Step, RecommendedList | None]:
        products = self.context.decisions.world.products
        anchor_id = None if anchor is None else products.ids[anchor]
        shown = yield RequestRecommendations(at, self._visitor, surface, anchor_id)
        if shown is None or not shown.items:
            return
        items = [
            {
                "position": position, "product_id": item.product_id, "seller_id": item.seller_id,
                "score": item.score, "source": item.source,
            }
            for position, item in enumerate(shown.items, 1)
        ]  # fmt: skip
        yield EmitEvent(at, {
            "event": "recommendation_shown", "recommendation_id": shown.recommendation_id, **self._identity,
            "surface": surface, "strategy": shown.strategy, "model_version": shown.model_version,
            "experiment": shown.experiment, "variant": shown.variant, "anchor_product_id": anchor_id,
            "items": items,
        })  # fmt: skip
        list_id = shown.recommendation_id
        for position, product in self._clicked(shown):
            self._schedule(at + self._gap(), self._click, list_id, surface, position, product)

    def _clicked(self, shown: RecommendedList) -> list[tuple[int, int]]:
        """Draw the clicks as (position, product). Products of other worlds are never clicked."""
        products = [self.context.index_of.get(item.product_id, _UNKNOWN) for item in shown.items]
        positions = np.arange(1, len(products) + 1)
        chance = self.context.decisions.click_probability(self._shopper, np.array(products), positions)
        clicked = np.flatnonzero(self.rng.random(len(products)) < chance).tolist()
        return [(row + 1, products[row]) for row in clicked if products[row] != _UNKNOWN]

    def _click(
        self, at: int, list_id: str, surface: Surface, position: int, product: int
    ) -> Generator[Step, RecommendedList | None]:
        yield EmitEvent(at, {
            "event": "recommendation_clicked", "recommendation_id": list_id, **self._identity,
            "surface": surface, "product_id": self.context.decisions.world.products.ids[product],
            "position": position,
        })  # fmt: skip
        decisions = self.context.decisions
        adds = (
            self.rng.random()
            < decisions.add_probability(self._shopper, np.array([product]), np.array([at]))[0]
        )
        removes = self.rng.random() < decisions.behaviour.remove_share
        quantity = int(draw_quantities(self.rng, 1)[0])
        view = PlannedView(product, RECOMMENDATION, bool(adds), bool(removes), quantity, list_id)
        self._schedule(at + _CLICKED_MS, self._view_product, view)

    def _view_product(self, at: int, view: PlannedView) -> Generator[Step, RecommendedList | None]:
        for search in view.searches:
            yield EmitEvent(at, self._searched(search))
        yield EmitEvent(at, {
            "event": "product_viewed", **self._identity,
            "product_id": self.context.decisions.world.products.ids[view.product],
            "seller_id": self._seller_of(view.product), "source": SOURCES[view.source],
            "search_id": view.searches[-1].search_id if view.searches else None,
            "recommendation_id": view.list_id,
        })  # fmt: skip
        similar_shown = self.context.decisions.behaviour.similar_shown_share
        if view.first and self.plan.recommended and self.rng.random() < similar_shown:
            self._schedule(at, self._view_list, "product", view.product)
        if view.adds:
            self._schedule(at + self._gap() // 2, self._add, view)

    def _searched(self, search: PerformedSearch) -> dict[str, Any]:
        ids = self.context.decisions.world.products.ids
        return {
            "event": "search_performed", "search_id": search.search_id, **self._identity,
            "query": search.query, "filters": {}, "page_number": 1, "result_count": search.result_count,
            "product_ids": [ids[row] for row in search.page],
        }  # fmt: skip

    def _add(self, at: int, view: PlannedView) -> Generator[Step, RecommendedList | None]:
        """Add the product to the cart unless it is sold out."""
        before = self.cart.get(view.product, 0)
        if not self.context.in_stock(view.product, before + view.quantity):
            return
        yield self._change_cart(at, view.product, before + view.quantity, view.list_id)
        if view.removes:
            self._schedule(at + self._gap(), self._remove, view.product, view.quantity)
        if self.plan.recommended and self.rng.random() < CART_SHOWN_SHARE:
            self._schedule(at, self._view_list, "cart", view.product)

    def _remove(self, at: int, product: int, quantity: int) -> Generator[Step, RecommendedList | None]:
        yield self._change_cart(at, product, self.cart[product] - quantity, None)

    def _change_cart(self, at: int, product: int, now: int, list_id: str | None) -> ChangeCart:
        before = self.cart.pop(product, 0)
        if now:
            self.cart[product] = now
        product_id = self.context.decisions.world.products.ids[product]
        whose, offer = (self._visitor, self.plan.session_id), (product_id, self._seller_of(product))
        return ChangeCart(at, *whose, *offer, before, now, list_id)

    def _schedule(
        self, at: int, step: Callable[..., Generator[Step, RecommendedList | None]], *arguments: Any
    ) -> None:
        heapq.heappush(self._scheduled, (at, next(self._tie), step, arguments))

    def _gap(self) -> int:
        return int(draw_gaps(self.rng, 1)[0])

    def _seller_of(self, product: int) -> str:
        world = self.context.decisions.world
        return world.sellers.ids[int(world.products.seller[product])]
