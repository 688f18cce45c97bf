"""Recommendations in the history: what a simple recommender would have shown, and which clicks it led to."""

from dataclasses import dataclass

import numpy as np

from producers.feed.events import Millis
from producers.simulator.choices import Choices
from producers.simulator.draws import Floats, Index, hex_ids
from producers.simulator.visits import (
    RECOMMENDATION,
    Views,
    Visits,
    decide,
    draw_gaps,
)
from producers.simulator.world.world import World

LENGTH = 6
"""Products of a list."""

STRATEGIES = ("popular_products", "popular_in_category", "item_neighbours")
POPULAR, IN_CATEGORY, NEIGHBOURS = range(3)
NO_ANCHOR = -1

_POPULAR_LISTS = 256
_LISTS_PER_CATEGORY = 8
_AFTER_MS = 700


@dataclass(frozen=True)
class Lists:
    """n lists that came into view. `items` (n, LENGTH) are products; `anchor` the product beside which the
    list stood, or NO_ANCHOR on the home page; `strategy` an index of STRATEGIES."""

    ids: list[str]
    visit: Index
    at: Millis
    strategy: Index
    anchor: Index
    items: Index


@dataclass(frozen=True)
class Clicks:
    """Which items of which lists were clicked, `position` from 1, and when."""

    of_list: Index
    position: Index
    at: Millis
    product: Index


class Recommender:
    """The recommender of the history. It knows what is popular and what is alike, and nobody's taste."""

    def __init__(self, world: World, rng: np.random.Generator) -> None:
        products = world.products
        everywhere = [np.arange(len(products.ids))] * _POPULAR_LISTS
        spans = zip(products.starts[:-1].tolist(), products.starts[1:].tolist(), strict=True)
        leaves = [np.arange(*span) for span in spans for _ in range(_LISTS_PER_CATEGORY)]
        self._world = world
        self._popular = np.stack([_some(rng, of, products.popularity) for of in everywhere])
        self._in_category = np.stack([_some(rng, of, products.popularity) for of in leaves])

    def home(self, rng: np.random.Generator, visits: Visits) -> Lists:
        """Half of the visits that get recommendations see what is popular, half what is in one category."""
        visit = np.flatnonzero(visits.recommended)
        n, shoppers = len(visit), self._world.shoppers
        loved = np.argmax(shoppers.love[visits.shopper[visit]] * visits.demand[visit], axis=1)
        by_category = visits.signed_in[visit] & (rng.random(n) < 0.5)
        popular = self._popular[rng.integers(_POPULAR_LISTS, size=n)]
        which = loved * _LISTS_PER_CATEGORY + rng.integers(_LISTS_PER_CATEGORY, size=n)
        return Lists(
            hex_ids(rng, n),
            visit,
            visits.started[visit],
            np.where(by_category, IN_CATEGORY, POPULAR),
            np.full(n, NO_ANCHOR),
            np.where(by_category[:, None], self._in_category[which], popular),
        )

    def beside(self, rng: np.random.Generator, visits: Visits, views: Views, share: float) -> Lists:
        """Similar products beside the first product of a share of the visits."""
        first = np.flatnonzero(np.diff(views.visit, prepend=-1))
        shown = visits.recommended[views.visit[first]] & (rng.random(len(first)) < share)
        row = first[shown]
        anchor = views.product[row]
        return Lists(
            hex_ids(rng, len(row)),
            views.visit[row],
            views.at[row] + _AFTER_MS,
            np.full(len(row), NEIGHBOURS),
            anchor,
            self._world.neighbours[anchor, :LENGTH],
        )


def follow(
    choices: Choices, rng: np.random.Generator, visits: Visits, lists: Lists
) -> tuple[Clicks, Views, Floats]:
    """The clicks on these lists, the views they lead to, and (n, LENGTH) the probability of every click."""
    n = len(lists.ids)
    shopper = np.repeat(visits.shopper[lists.visit], LENGTH)
    position = np.tile(np.arange(1, LENGTH + 1), n)
    chance = choices.click(shopper, lists.items.ravel(), position)
    clicked = np.flatnonzero(rng.random(len(chance)) < chance)
    of_list = clicked // LENGTH
    product = lists.items.ravel()[clicked]
    at = lists.at[of_list] + draw_gaps(rng, len(clicked))
    clicks = Clicks(of_list, position[clicked], at, product)
    source = np.full(len(clicked), RECOMMENDATION)
    views = decide(choices, rng, visits, lists.visit[of_list], at + 200, product, source, of_list)
    return clicks, views, chance.reshape(n, LENGTH)


def joined(first: Lists, second: Lists) -> Lists:
    """Both, one after the other."""
    return Lists(
        first.ids + second.ids,
        np.concatenate([first.visit, second.visit]),
        np.concatenate([first.at, second.at]),
        np.concatenate([first.strategy, second.strategy]),
        np.concatenate([first.anchor, second.anchor]),
        np.concatenate([first.items, second.items]),
    )


def _some(rng: np.random.Generator, of: Index, popularity: Floats) -> Index:
    """LENGTH different products, popular ones more often: of these, and of others when these are too few."""
    weight = np.where(np.isin(np.arange(len(popularity)), of), popularity, 1e-9 * popularity)
    chosen: Index = rng.choice(len(popularity), LENGTH, replace=False, p=weight / weight.sum())
    return chosen
