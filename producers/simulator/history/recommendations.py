"""Recommendations of the history: the lists of a simple recommender, and the clicks on them."""

from dataclasses import dataclass

import numpy as np

from producers.feed.events import Millis
from producers.simulator.decisions import DecisionModel
from producers.simulator.randomness import Floats, Index, hex_ids
from producers.simulator.visits import (
    RECOMMENDATION,
    Views,
    Visits,
    draw_gaps,
    draw_views,
)
from producers.simulator.world.world import World

LIST_LENGTH = 6
"""Products in a list."""

STRATEGIES = ("popular_products", "popular_in_category", "item_neighbours")
POPULAR, IN_CATEGORY, NEIGHBOURS = range(3)
NO_ANCHOR = -1

_POPULAR_LISTS = 256
_LISTS_PER_CATEGORY = 8
_AFTER_MS = 700


@dataclass(frozen=True)
class RecommendedLists:
    """n lists that were shown.

    `items` (n, LIST_LENGTH) are products. `anchor` is the product on whose page the list was shown, or
    NO_ANCHOR on the home page. `strategy` is an index of STRATEGIES.
    """

    ids: list[str]
    visit: Index
    at: Millis
    strategy: Index
    anchor: Index
    items: Index


@dataclass(frozen=True)
class Clicks:
    """Clicks on items of lists; `position` counts from 1."""

    list_index: Index
    position: Index
    at: Millis
    product: Index


class HistoryRecommender:
    """The recommender of the history: popular and similar products, without personal tastes."""

    def __init__(self, world: World, rng: np.random.Generator) -> None:
        products = world.products
        everywhere = [np.arange(len(products.ids))] * _POPULAR_LISTS
        spans = zip(products.starts[:-1].tolist(), products.starts[1:].tolist(), strict=True)
        leaves = [np.arange(*span) for span in spans for _ in range(_LISTS_PER_CATEGORY)]
        self._world = world
        self._popular = np.stack([_draw_distinct(rng, of, products.popularity) for of in everywhere])
        self._in_category = np.stack([_draw_distinct(rng, of, products.popularity) for of in leaves])

    def home(self, rng: np.random.Generator, visits: Visits) -> RecommendedLists:
        """Return the lists of home pages: popular products, or popular ones of a preferred category.

        The latter are shown in half of the visits of signed-in shoppers.
        """
        visit = np.flatnonzero(visits.recommended)
        n, shoppers = len(visit), self._world.shoppers
        preferred = np.argmax(shoppers.preference[visits.shopper[visit]] * visits.demand[visit], axis=1)
        by_category = visits.signed_in[visit] & (rng.random(n) < 0.5)
        popular = self._popular[rng.integers(_POPULAR_LISTS, size=n)]
        which = preferred * _LISTS_PER_CATEGORY + rng.integers(_LISTS_PER_CATEGORY, size=n)
        return RecommendedLists(
            hex_ids(rng, n),
            visit,
            visits.started[visit],
            np.where(by_category, IN_CATEGORY, POPULAR),
            np.full(n, NO_ANCHOR),
            np.where(by_category[:, None], self._in_category[which], popular),
        )

    def beside(
        self, rng: np.random.Generator, visits: Visits, views: Views, share: float
    ) -> RecommendedLists:
        """Return lists of similar products beside the first product of a share of the visits."""
        first = np.flatnonzero(np.diff(views.visit, prepend=-1))
        shown = visits.recommended[views.visit[first]] & (rng.random(len(first)) < share)
        row = first[shown]
        anchor = views.product[row]
        return RecommendedLists(
            hex_ids(rng, len(row)),
            views.visit[row],
            views.at[row] + _AFTER_MS,
            np.full(len(row), NEIGHBOURS),
            anchor,
            self._world.neighbours[anchor, :LIST_LENGTH],
        )


def draw_clicks(
    decisions: DecisionModel, rng: np.random.Generator, visits: Visits, lists: RecommendedLists
) -> tuple[Clicks, Views, Floats]:
    """The clicks on these lists, the views they lead to, and (n, LENGTH) the probability of every click."""
    n = len(lists.ids)
    shopper = np.repeat(visits.shopper[lists.visit], LIST_LENGTH)
    position = np.tile(np.arange(1, LIST_LENGTH + 1), n)
    chance = decisions.click_probability(shopper, lists.items.ravel(), position)
    clicked = np.flatnonzero(rng.random(len(chance)) < chance)
    of_list = clicked // LIST_LENGTH
    product = lists.items.ravel()[clicked]
    at = lists.at[of_list] + draw_gaps(rng, len(clicked))
    clicks = Clicks(of_list, position[clicked], at, product)
    source = np.full(len(clicked), RECOMMENDATION)
    views = draw_views(decisions, rng, visits, lists.visit[of_list], at + 200, product, source, of_list)
    return clicks, views, chance.reshape(n, LIST_LENGTH)


def concatenate_lists(first: RecommendedLists, second: RecommendedLists) -> RecommendedLists:
    """Return the lists of both, `first` first."""
    return RecommendedLists(
        first.ids + second.ids,
        np.concatenate([first.visit, second.visit]),
        np.concatenate([first.at, second.at]),
        np.concatenate([first.strategy, second.strategy]),
        np.concatenate([first.anchor, second.anchor]),
        np.concatenate([first.items, second.items]),
    )


def _draw_distinct(rng: np.random.Generator, candidates: Index, popularity: Floats) -> Index:
    """LENGTH different products, popular ones more often: of these, and of others when these are too few."""
    weight = np.where(np.isin(np.arange(len(popularity)), candidates), popularity, 1e-9 * popularity)
    chosen: Index = rng.choice(len(popularity), LIST_LENGTH, replace=False, p=weight / weight.sum())
    return chosen
