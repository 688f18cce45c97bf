"""One live visit, step by step: what it tells, asks for and buys. Pure: whoever drives it answers.

A visit decides by the same formulas as the history (choices.py); only what is recommended comes from outside.
"""

import heapq
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import numpy as np

from producers.simulator.choices import Choices
from producers.simulator.live.steps import Ask, Buy, Context, Planned, Search, Shown, Step, Tell, View
from producers.simulator.visits import (
    RECOMMENDATION,
    SOURCES,
    draw_gaps,
    draw_quantities,
)

CART_SHOWN_SHARE = 0.3
"""Additions after which the cart's page is opened, with what is recommended there."""

_CLICKED_MS = 200
_UNKNOWN = -1


@dataclass(frozen=True)
class Shop:
    """What a visit needs to know of the shop: `price(product, at_ms)` in minor units, and whether so many
    units `in_stock(product, units)` can be bought according to the product's page."""

    choices: Choices
    price: Callable[[int, int], int]
    in_stock: Callable[[int, int], bool]
    index_of: dict[str, int]


@dataclass
class Visit:
    """A visit under way."""

    plan: Planned
    shop: Shop
    rng: np.random.Generator
    cart: dict[int, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        world = self.shop.choices.world
        self._shopper = np.array([self.plan.shopper])
        self._who = {
            "session_id": self.plan.session_id,
            "shopper_id": world.shoppers.ids[self.plan.shopper] if self.plan.signed_in else None,
        }
        self._agenda: list[
            tuple[int, int, Callable[..., Generator[Step, Shown | None]], tuple[Any, ...]]
        ] = []
        self._tie = count()
        self._last_ms = self.plan.started_ms

    def steps(self) -> Generator[Step, Shown | None]:
        """Every step in the order of time; whoever drives it waits until its `at_ms` and sends the answer."""
        if self.plan.recommended:
            self._put(self.plan.started_ms, self._look_at_list, "home", None)
        for at, view in self.plan.views:
            self._put(at, self._look_at, view)
        while self._agenda:
            self._last_ms, _, step, arguments = heapq.heappop(self._agenda)
            yield from step(self._last_ms, *arguments)
        if self.cart and self.plan.checks_out:
            at = self._last_ms + self._gap()
            yield Buy(at, self.plan.shopper, self.plan.session_id, dict(self.cart))

    def _look_at_list(self, at: int, context: Context, anchor: int | None) -> Generator[Step, Shown | None]:
        products = self.shop.choices.world.products
        anchor_id = None if anchor is None else products.ids[anchor]
        visitor = self._who["shopper_id"] or self.plan.session_id
        shown = yield Ask(at, visitor, context, anchor_id)
        if shown is None or not shown.items:
            return
        items = [
            {
                "position": place, "product_id": item.product_id, "seller_id": item.seller_id,
                "score": item.score, "source": item.source,
            }
            for place, item in enumerate(shown.items, 1)
        ]  # fmt: skip
        yield Tell(at, {
            "event": "recommendation_shown", "recommendation_id": shown.recommendation_id, **self._who,
            "surface": context, "strategy": shown.strategy, "model_version": None,
            "experiment": "recommendations", "variant": "shown", "anchor_product_id": anchor_id,
            "items": items,
        })  # fmt: skip
        for place, product in self._clicked(shown):
            self._put(at + self._gap(), self._click, shown.recommendation_id, context, place, product)

    def _clicked(self, shown: Shown) -> list[tuple[int, int]]:
        """(position, product) of what this shopper clicks; products of other worlds leave them cold."""
        products = [self.shop.index_of.get(item.product_id, _UNKNOWN) for item in shown.items]
        places = np.arange(1, len(products) + 1)
        chance = self.shop.choices.click(self._shopper, np.array(products), places)
        clicked = np.flatnonzero(self.rng.random(len(products)) < chance).tolist()
        return [(row + 1, products[row]) for row in clicked if products[row] != _UNKNOWN]

    def _click(
        self, at: int, list_id: str, context: Context, place: int, product: int
    ) -> Generator[Step, Shown | None]:
        yield Tell(at, {
            "event": "recommendation_clicked", "recommendation_id": list_id, **self._who,
            "surface": context, "product_id": self.shop.choices.world.products.ids[product],
            "position": place,
        })  # fmt: skip
        choices = self.shop.choices
        adds = self.rng.random() < choices.add(self._shopper, np.array([product]), np.array([at]))[0]
        removes = self.rng.random() < choices.behaviour.remove_share
        quantity = int(draw_quantities(self.rng, 1)[0])
        view = View(product, RECOMMENDATION, bool(adds), bool(removes), quantity, list_id)
        self._put(at + _CLICKED_MS, self._look_at, view)

    def _look_at(self, at: int, view: View) -> Generator[Step, Shown | None]:
        if view.search is not None:
            yield Tell(at, self._searched(view.search))
        yield Tell(at, {
            "event": "product_viewed", **self._who,
            "product_id": self.shop.choices.world.products.ids[view.product],
            "seller_id": self._seller_of(view.product), "source": SOURCES[view.source],
            "search_id": view.search and view.search.search_id, "recommendation_id": view.list_id,
        })  # fmt: skip
        beside = self.shop.choices.behaviour.similar_shown_share
        if view.first and self.plan.recommended and self.rng.random() < beside:
            self._put(at, self._look_at_list, "product", view.product)
        if view.adds:
            self._put(at + self._gap() // 2, self._add, view)

    def _searched(self, search: Search) -> dict[str, Any]:
        ids = self.shop.choices.world.products.ids
        return {
            "event": "search_performed", "search_id": search.search_id, **self._who,
            "query": search.query, "filters": {}, "page_number": 1, "result_count": search.result_count,
            "product_ids": list(dict.fromkeys([ids[row] for row in search.page])),
        }  # fmt: skip

    def _add(self, at: int, view: View) -> Generator[Step, Shown | None]:
        """Unless the product's page says that it is sold out."""
        before = self.cart.get(view.product, 0)
        if not self.shop.in_stock(view.product, before + view.quantity):
            return
        yield self._change_cart(at, view.product, before + view.quantity, view.list_id)
        if view.removes:
            self._put(at + self._gap(), self._remove, view.product, view.quantity)
        if self.plan.recommended and self.rng.random() < CART_SHOWN_SHARE:
            self._put(at, self._look_at_list, "cart", view.product)

    def _remove(self, at: int, product: int, quantity: int) -> Generator[Step, Shown | None]:
        yield self._change_cart(at, product, self.cart[product] - quantity, None)

    def _change_cart(self, at: int, product: int, now: int, list_id: str | None) -> Tell:
        world, before = self.shop.choices.world, self.cart.pop(product, 0)
        if now:
            self.cart[product] = now
        return Tell(at, {
            "event": "cart_changed", "cart_id": f"{self.plan.session_id}-c", **self._who,
            "product_id": world.products.ids[product], "seller_id": self._seller_of(product),
            "quantity_before": before, "quantity": now, "currency": world.shape.currency,
            "unit_price_minor": self.shop.price(product, at), "recommendation_id": list_id,
        })  # fmt: skip

    def _put(self, at: int, step: Callable[..., Generator[Step, Shown | None]], *arguments: Any) -> None:
        heapq.heappush(self._agenda, (at, next(self._tie), step, arguments))

    def _gap(self) -> int:
        return int(draw_gaps(self.rng, 1)[0])

    def _seller_of(self, product: int) -> str:
        world = self.shop.choices.world
        return world.sellers.ids[int(world.products.seller[product])]
