"""Tastes: which product a shopper chooses, as exact probabilities and as fast draws.

A shopper u chooses category c with probability ∝ preference[u, c] · season[c], then product i in it with

    P(i | c, u) = Σ_k mixture[u, k] · within[i, k]
    within[i, k] ∝ popularity[i] · exp(STRENGTH · factors[i] · taste[k])

where `within[:, k]` sums to 1 in each category. Every probability is a short sum, so the ground truth needs
no sampling.
"""

from dataclasses import dataclass

import numpy as np

from producers.simulator.randomness import Floats, Index, choose_per_row, named_rng
from producers.simulator.world.products import FACTORS, Products
from producers.simulator.world.shape import WorldShape
from producers.simulator.world.shoppers import ARCHETYPES, Shoppers

TASTE_STRENGTH = 1.3
"""Weight of tastes relative to popularity."""

_MAX_AFFINITY = 3.0
_PREFERENCE_WEIGHT = 0.5


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
    cumulative: Floats
    categories: int


def draw_tastes(shape: WorldShape, products: Products) -> Tastes:
    """Draw the archetypes of this world."""
    taste = named_rng(shape.seed, "tastes").normal(size=(ARCHETYPES, FACTORS))
    taste /= np.linalg.norm(taste, axis=1, keepdims=True)
    liking = np.exp(TASTE_STRENGTH * np.einsum("if,kf->ik", products.factors, taste))
    within = _per_category(products.popularity[:, None] * liking, products)
    categories = len(products.starts) - 1
    cumulative = products.category[:, None] + _cumulative_in_category(within, products)
    cumulative[products.starts[1:] - 1] = np.arange(1, categories + 1)[:, None]
    return Tastes(
        taste=taste,
        within=within,
        popular=_per_category(products.popularity[:, None], products)[:, 0],
        cumulative=(cumulative + categories * np.arange(ARCHETYPES)).T.ravel(),
        categories=categories,
    )


def draw_within(
    tastes: Tastes, shoppers: Shoppers, rng: np.random.Generator, shopper: Index, category: Index
) -> Index:
    """Draw a product of each category, as each shopper (same length) would choose it."""
    n = len(tastes.popular)
    archetype = choose_per_row(rng, shoppers.mixture[shopper])
    target = archetype * tastes.categories + category + rng.random(len(shopper))
    found: Index = np.searchsorted(tastes.cumulative, target, side="right")
    return found - archetype * n


def probability_within(tastes: Tastes, shoppers: Shoppers, shopper: Index, product: Index) -> Floats:
    """Return P(product | its category, shopper) of each pair."""
    chances: Floats = np.einsum("nk,nk->n", shoppers.mixture[shopper], tastes.within[product])
    return chances


def affinity(
    tastes: Tastes, shoppers: Shoppers, products: Products, shopper: Index, product: Index
) -> Floats:
    """Return how much more a shopper likes a product than the average shopper: 0 is as much, within ±3.

    ln(P(i | c, u) / P(i | c)) + 0.5 · ln(preference[u, c] / common_preference[c]).
    """
    category = products.category[product]
    of_product = np.log(probability_within(tastes, shoppers, shopper, product) / tastes.popular[product])
    of_category = np.log(shoppers.preference[shopper, category] / shoppers.common_preference[category])
    liking: Floats = np.clip(of_product + _PREFERENCE_WEIGHT * of_category, -_MAX_AFFINITY, _MAX_AFFINITY)
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
