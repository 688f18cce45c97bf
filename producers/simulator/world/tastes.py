"""Tastes: which product a shopper picks, as exact probabilities and as fast draws.

A shopper u picks category c with probability ∝ love[u, c] · season[c], then within it product i with

    P(i | c, u) = Σ_k mixture[u, k] · within[i, k]
    within[i, k] ∝ popularity[i] · exp(STRENGTH · factors[i] · taste[k])

where `within[:, k]` sums to 1 in each category. Every probability is a short sum: truth needs no sampling.
"""

from dataclasses import dataclass

import numpy as np

from producers.simulator.draws import Floats, Index, pick_of_rows, stream
from producers.simulator.world.products import FACTORS, Products
from producers.simulator.world.shape import Shape
from producers.simulator.world.shoppers import ARCHETYPES, Shoppers

STRENGTH = 1.3
"""How much tastes matter beside popularity."""

_MOST = 3.0
_LOVE_WEIGHT = 0.5


@dataclass(frozen=True)
class Tastes:
    """Archetypes and what follows from them; n products, K archetypes, C categories.

    `taste` (K, FACTORS) are unit vectors; `within` (n, K) as above; `popular` (n,) the same for nobody in
    particular: ∝ popularity within each category. `ladder` (K * n,) ascends: archetype k draws from category
    c by looking up k * C + c + u, 0 <= u < 1.
    """

    taste: Floats
    within: Floats
    popular: Floats
    ladder: Floats
    categories: int


def draw_tastes(shape: Shape, products: Products) -> Tastes:
    """The archetypes of this world."""
    taste = stream(shape.seed, "tastes").normal(size=(ARCHETYPES, FACTORS))
    taste /= np.linalg.norm(taste, axis=1, keepdims=True)
    liking = np.exp(STRENGTH * np.einsum("if,kf->ik", products.factors, taste))
    within = _per_category(products.popularity[:, None] * liking, products)
    categories = len(products.starts) - 1
    rungs = products.category[:, None] + _cumulative_in_category(within, products)
    rungs[products.starts[1:] - 1] = np.arange(1, categories + 1)[:, None]
    return Tastes(
        taste=taste,
        within=within,
        popular=_per_category(products.popularity[:, None], products)[:, 0],
        ladder=(rungs + categories * np.arange(ARCHETYPES)).T.ravel(),
        categories=categories,
    )


def draw_within(
    tastes: Tastes, shoppers: Shoppers, rng: np.random.Generator, shopper: Index, category: Index
) -> Index:
    """A product of each category, as each shopper (same length) would pick it."""
    n = len(tastes.popular)
    archetype = pick_of_rows(rng, shoppers.mixture[shopper])
    height = archetype * tastes.categories + category + rng.random(len(shopper))
    rung: Index = np.searchsorted(tastes.ladder, height, side="right")
    return rung - archetype * n


def probability_within(tastes: Tastes, shoppers: Shoppers, shopper: Index, product: Index) -> Floats:
    """P(product | its category, shopper), pair by pair."""
    chances: Floats = np.einsum("nk,nk->n", shoppers.mixture[shopper], tastes.within[product])
    return chances


def affinity(
    tastes: Tastes, shoppers: Shoppers, products: Products, shopper: Index, product: Index
) -> Floats:
    """How much more a shopper likes a product than people do on average: 0 is as much, within ±3.

    ln(P(i | c, u) / P(i | c)) + 0.5 · ln(love[u, c] / common_love[c]).
    """
    category = products.category[product]
    of_product = np.log(probability_within(tastes, shoppers, shopper, product) / tastes.popular[product])
    of_category = np.log(shoppers.love[shopper, category] / shoppers.common_love[category])
    liking: Floats = np.clip(of_product + _LOVE_WEIGHT * of_category, -_MOST, _MOST)
    return liking


def _per_category(weights: Floats, products: Products) -> Floats:
    totals = np.add.reduceat(weights, products.starts[:-1], axis=0)
    shares: Floats = weights / totals[products.category]
    return shares


def _cumulative_in_category(shares: Floats, products: Products) -> Floats:
    running = np.cumsum(shares, axis=0)
    before = np.concatenate([np.zeros((1, shares.shape[1])), running])[products.starts[:-1]]
    within: Floats = running - before[products.category]
    return within
