"""Searches before views: what is typed, and the page of results on which the product is found."""

from dataclasses import dataclass

import numpy as np

from producers.simulator.draws import Index, hex_ids
from producers.simulator.world.categories import LEAVES
from producers.simulator.world.tastes import draw_within
from producers.simulator.world.world import World

PAGE = 10
"""Products on a page of search results; one that comes twice is shown once."""

_BY_NOUN_SHARE = 0.7


@dataclass(frozen=True)
class Searches:
    """n searches. `pages` (n, PAGE) are products, `result_counts` how many there are of the category."""

    ids: list[str]
    queries: list[str]
    result_counts: list[int]
    pages: Index


def search(world: World, rng: np.random.Generator, shopper: Index, product: Index) -> Searches:
    """A search that finds each of these products, by its noun or its category, among others that the
    shopper (same length) would pick there."""
    n, products = len(product), world.products
    ids = hex_ids(rng, n)
    category = products.category[product]
    by_noun = rng.random(n) < _BY_NOUN_SHARE
    others = draw_within(
        world.tastes, world.shoppers, rng, np.repeat(shopper, PAGE - 1), np.repeat(category, PAGE - 1)
    )
    page = np.column_stack([product, others.reshape(n, PAGE - 1)])
    names = zip(by_noun.tolist(), product.tolist(), category.tolist(), strict=True)
    return Searches(
        ids=ids,
        queries=[(products.nouns[row] if noun else LEAVES[leaf].name).lower() for noun, row, leaf in names],
        result_counts=np.diff(products.starts)[category].tolist(),
        pages=rng.permuted(page, axis=1),
    )
