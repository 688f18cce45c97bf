"""Draws the searches before views: queries and pages of results. A misspelt search has no results."""

from dataclasses import dataclass

import numpy as np

from producers.simulator.randomness import Index, hex_ids
from producers.simulator.world.categories import LEAVES
from producers.simulator.world.tastes import draw_within
from producers.simulator.world.world import World

PAGE_SIZE = 10
"""Products on a page of search results, before duplicates are dropped."""

EMPTY_SHARE = 0.06
"""Share of the searches that follow a misspelt search of the same visit."""

_BY_NOUN_SHARE = 0.7


@dataclass(frozen=True)
class DrawnSearches:
    """n searches. `pages` (n, PAGE_SIZE): product indices. `result_counts` (n): sizes of their categories."""

    ids: list[str]
    queries: list[str]
    result_counts: list[int]
    pages: Index


def draw_searches(world: World, rng: np.random.Generator, shopper: Index, product: Index) -> DrawnSearches:
    """Draw a search that finds each product, by its noun or its category.

    `shopper` has the same length as `product`. The other products on a page are drawn from the category by
    the shopper's taste.
    """
    n, products = len(product), world.products
    ids = hex_ids(rng, n)
    category = products.category[product]
    by_noun = rng.random(n) < _BY_NOUN_SHARE
    others = draw_within(
        world.tastes,
        world.shoppers,
        rng,
        np.repeat(shopper, PAGE_SIZE - 1),
        np.repeat(category, PAGE_SIZE - 1),
    )
    page = np.column_stack([product, others.reshape(n, PAGE_SIZE - 1)])
    names = zip(by_noun.tolist(), product.tolist(), category.tolist(), strict=True)
    return DrawnSearches(
        ids=ids,
        queries=[(products.nouns[row] if noun else LEAVES[leaf].name).lower() for noun, row, leaf in names],
        result_counts=np.diff(products.starts)[category].tolist(),
        pages=rng.permuted(page, axis=1),
    )


@dataclass(frozen=True)
class EmptySearches:
    """Searches without a result. `before` are indices of the searches that correct them."""

    ids: list[str]
    queries: list[str]
    before: Index


def draw_empty_searches(rng: np.random.Generator, searches: DrawnSearches) -> EmptySearches:
    """Draw misspelt searches before a share of `searches`. They lack one letter of the query."""
    before = np.flatnonzero(rng.random(len(searches.ids)) < EMPTY_SHARE)
    missing = rng.random(len(before)).tolist()
    queries = [
        _without_letter(searches.queries[row], 1 + int(place * (len(searches.queries[row]) - 2)))
        for row, place in zip(before.tolist(), missing, strict=True)
    ]
    return EmptySearches(hex_ids(rng, len(before)), queries, before)


def _without_letter(text: str, place: int) -> str:
    return text[:place] + text[place + 1 :]
