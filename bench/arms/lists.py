"""Chooses the products of a list as the API does, with its own scoring, blend and strategies."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from bench.arms.shop import Shop, Visitor
from schemas.published_model.weights import DISCOUNT
from serving.recommendations.blend import blend, discounted, relative_scores
from serving.recommendations.category_rankings import popular_in, relative
from serving.recommendations.exploration import explored
from serving.recommendations.proposal import Proposal
from serving.recommendations.recommender import CANDIDATES, CATEGORIES, neighbour_proposals
from serving.recommendations.scoring import (
    Neighbours,
    Seed,
    favourite_categories,
    fold_in_seeds,
    history,
    seeds,
)
from serving.recommendations.strategies import STRATEGIES, Strategy, single_sources

LIST_LENGTH = 12
"""The products of a list, as on the home page."""


@dataclass(frozen=True, slots=True)
class ListRequest:
    """What a list is asked for: a visitor on a surface, at a time in Unix seconds.

    `anchor` is the product of the page.
    """

    visitor: Visitor
    surface: str
    anchor: str | None
    at_s: float


@dataclass(frozen=True, slots=True)
class ChosenList:
    """The products of a list, and what each blended source proposed.

    `is_explored` says whether their order is random.
    """

    products: Sequence[str]
    blended: Mapping[str, Sequence[Proposal]]
    is_explored: bool = False

    def scores(self) -> Mapping[str, Mapping[str, float]]:
        """Return product → source → relative score, as answers log them."""
        return relative_scores(self.blended)


class Sources:
    """The candidates of one request. Each source is asked once."""

    def __init__(self, shop: Shop, request: ListRequest) -> None:
        visitor, anchor = request.visitor, request.anchor
        of_cart_alone = request.surface == "cart" and bool(visitor.carted)
        viewed, bought = ({}, {}) if of_cart_alone else (visitor.viewed, visitor.bought)
        self._shop, self._now_s = shop, request.at_s
        self._seeds = seeds(viewed, visitor.carted, anchor)
        self._history = history(viewed, visitor.carted, bought, anchor)
        self._excluded = {*visitor.viewed, *visitor.carted, *visitor.bought}
        if anchor is not None:
            self._excluded.add(anchor)
        self._surface = request.surface
        self._asked: dict[str, Sequence[Proposal]] = {}

    @property
    def has_history(self) -> bool:
        """Whether anything is known of the visitor, or a product's page is open."""
        return bool(self._history)

    def chosen(self, strategy: Strategy, n: int) -> tuple[list[str], dict[str, Sequence[Proposal]]]:
        """Return the products that a strategy shows, at most `n`, and what its blended sources proposed."""
        blended = {each: self._ask(each) for each in strategy.blended}
        weights = strategy.weights(self._shop.weights, self._surface)
        every = blend(blended, weights, sum(map(len, blended.values())))
        if exponent := weights.get(DISCOUNT, 0.0):
            every = discounted(every, self._popularity(every), exponent, n)
        found = [one.product_id for one in every[:n]]
        for name in strategy.fallbacks:
            if len(found) >= n:
                break
            known = {*found, *self._excluded}
            found += [each for each in self._popular(name) if each not in known][: n - len(found)]
        return found, blended

    def _popularity(self, proposals: Sequence[Proposal]) -> Mapping[str, float]:
        return {each.product_id: self._shop.popularity(each.product_id, self._now_s) for each in proposals}

    def _ask(self, source: str) -> Sequence[Proposal]:
        if source not in self._asked:
            self._asked[source] = self._propose(source)
        return self._asked[source]

    def _propose(self, source: str) -> Sequence[Proposal]:
        if source == "item_neighbours":
            live = {
                each.product_id: self._shop.neighbours(each.product_id, self._now_s) for each in self._seeds
            }
            return self._neighbours(self._seeds, live)
        if source == "popular_in_category":
            return self._popular_in_categories()
        model = self._shop.model
        if model is None:
            return ()
        rows = model.trained if source == "trained_neighbours" else model.content
        return self._neighbours(fold_in_seeds(self._history, model.decay), rows)

    def _neighbours(self, weighted: Sequence[Seed], rows: Mapping[str, Neighbours]) -> Sequence[Proposal]:
        return neighbour_proposals("similar", weighted, rows, CANDIDATES, self._excluded)

    def _popular(self, source: str) -> list[str]:
        if source == "popular_products":
            return [product for product, _ in self._shop.popular(self._now_s)]
        return [each.product_id for each in self._ask(source)]

    def _popular_in_categories(self) -> Sequence[Proposal]:
        favourites = favourite_categories(self._seeds, self._shop.category_of, CATEGORIES)
        rankings = {each: relative(self._shop.popular_in(each, self._now_s)) for each in favourites}
        return popular_in(favourites, rankings, self._excluded, 2 * LIST_LENGTH)


def choose(shop: Shop, request: ListRequest, strategy: Strategy, n: int = LIST_LENGTH) -> ChosenList:
    """Return the list of a strategy."""
    products, blended = Sources(shop, request).chosen(strategy, n)
    return ChosenList(products, blended)


def choose_randomly(shop: Shop, request: ListRequest, random: Random, n: int = LIST_LENGTH) -> ChosenList:
    """Return a random list of the products that all strategies and each blended source would show."""
    sources = Sources(shop, request)
    lists: list[list[Any]] = []
    every: dict[str, Sequence[Proposal]] = {}
    for strategy in (*single_sources(STRATEGIES), *STRATEGIES.values()):
        products, blended = sources.chosen(strategy, n)
        lists.append([{"product_id": each} for each in products])
        every |= blended

    def shuffled(count: int) -> list[int]:
        return random.sample(range(count), count)

    items, _ = explored(lists, n, shuffled)
    return ChosenList([each["product_id"] for each in items], every, is_explored=True)
