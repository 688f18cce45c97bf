"""Variants: which products are one product that a seller offers in several colours or sizes."""

from dataclasses import dataclass, replace

import numpy as np

from producers.simulator.randomness import Index, named_rng
from producers.simulator.world.categories import NOUNS, Noun
from producers.simulator.world.shape import WorldShape
from schemas.product_categories import default_tree

_GROUPS = 0.09
"""Share of the draws of a group. The groups have about a quarter of the products."""

_SIZES = (2, 6)
"""Fewest products of a group, and one more than the most."""


@dataclass(frozen=True)
class Variants:
    """n products; those of a group follow each other. `seller` is an index.

    `leader` is the first product of the product's group, or the product itself; `member` counts from 0.
    """

    seller: Index
    leader: Index
    member: Index

    def grouped(self) -> "np.ndarray[tuple[int], np.dtype[np.bool_]]":
        """Return which products have variants."""
        sizes = np.bincount(self.leader, minlength=len(self.leader))
        return sizes[self.leader] > 1

    def at_most(self, limit: Index) -> "Variants":
        """Return a copy in which a group has at most `limit` products; those beyond are without variants."""
        beyond = self.member >= limit
        return replace(
            self,
            leader=np.where(beyond, np.arange(len(limit)), self.leader),
            member=np.where(beyond, 0, self.member),
        )


def draw_variants(shape: WorldShape, category: Index, seller: Index) -> Variants:
    """Arrange the sellers of products, so that some products of one category and seller form groups.

    `category` (n,) ascends. Every seller has as many products as in `seller` (n,).
    """
    rng, n = named_rng(shape.seed, "variants"), len(seller)
    places = np.sort(seller)
    sizes = np.where(rng.random(n) < _GROUPS, rng.integers(*_SIZES, size=n), 1)
    unit = np.searchsorted(np.cumsum(sizes), np.arange(n), side="right")
    first = np.flatnonzero((np.diff(unit, prepend=-1) != 0) | (np.diff(places, prepend=-1) != 0))
    order = rng.permutation(len(first))
    counts = np.diff(first, append=n)[order]
    arranged = np.repeat(places[first[order]], counts)
    unit = np.repeat(np.arange(len(order)), counts)
    begins = np.flatnonzero((np.diff(unit, prepend=-1) != 0) | (np.diff(category, prepend=-1) != 0))
    leader = np.repeat(begins, np.diff(begins, append=n))
    return Variants(arranged, leader, np.arange(n) - leader)


def axes(noun: Noun) -> tuple[str, ...]:
    """Return the attributes in which the variants of a product with this noun differ, at most two."""
    tree = default_tree()
    varied = [key for key, values in noun.attributes.items() if len(values) > 1]
    return tuple(key for key in varied if tree.attributes[key].is_variant)[:2]


def combinations(noun: Noun) -> int:
    """Return how many variants a product with this noun can have."""
    return int(np.prod([len(noun.attributes[key]) for key in axes(noun)]))


AXES: tuple[tuple[str, ...], ...] = tuple(axes(noun) for noun in NOUNS)
COMBINATIONS = np.array([combinations(noun) for noun in NOUNS])


def steps(count: int, lengths: tuple[int, ...], draw: float) -> list[tuple[int, ...]]:
    """Return for each of `count` variants how far it is from the first one in each axis; all differ.

    `lengths` are the numbers of values of the axes, whose product is at least `count`. Variants differ in one
    axis or in two, by `draw` in [0, 1).
    """
    if len(lengths) == 1:
        return [(number,) for number in range(count)]
    first, second = lengths
    if draw < 0.5 and first >= count:
        return [(number, 0) for number in range(count)]
    if draw < 0.7 and second >= count:
        return [(0, number) for number in range(count)]
    width = min(second, max(2, -(-count // first)))
    return [(number // width, number % width) for number in range(count)]
