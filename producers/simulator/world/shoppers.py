"""Shoppers: activity, preferred categories, tastes, price sensitivity and checkout probability."""

from dataclasses import dataclass

import numpy as np

from producers.simulator.randomness import Floats, named_rng
from producers.simulator.world.categories import LEAVES
from producers.simulator.world.languages import draw_languages
from producers.simulator.world.places import Places, draw_places
from producers.simulator.world.shape import WorldShape

ARCHETYPES = 12
"""Number of archetypes of which a shopper's taste is a mixture."""


@dataclass(frozen=True)
class Shoppers:
    """n shoppers.

    `activity` (n,) sums to 1: the share of all visits. `mixture` (n, ARCHETYPES) and `preference`
    (n, categories) are distributions; `common_preference` (categories,) is what all have in common.
    `price_sensitivity` is the decrease of the logit of adding per unit of log price. `checkout` is the
    probability to check out a visit's cart. `joins` in [0, 1) is the share of the history before the shopper
    registers. `languages` are those in which they search, `en` or `pt_BR`.
    """

    ids: list[str]
    activity: Floats
    mixture: Floats
    preference: Floats
    common_preference: Floats
    price_sensitivity: Floats
    checkout: Floats
    joins: Floats
    places: Places
    languages: list[str]


def draw_shoppers(shape: WorldShape) -> Shoppers:
    """Draw the shoppers of this world."""
    rng, n = named_rng(shape.seed, "shoppers"), shape.shoppers
    common = rng.lognormal(0, 0.4, len(LEAVES))
    preference = common * rng.gamma(0.35, size=(n, len(LEAVES))) + 0.002
    activity = rng.lognormal(0, 1.0, n)
    return Shoppers(
        ids=[f"shopper-{number:06d}" for number in range(1, n + 1)],
        activity=activity / activity.sum(),
        mixture=rng.dirichlet(np.full(ARCHETYPES, 0.25), n),
        preference=preference / preference.sum(axis=1, keepdims=True),
        common_preference=common / common.sum(),
        price_sensitivity=rng.lognormal(-0.7, 0.5, n),
        checkout=1 / (1 + np.exp(-rng.normal(-0.5, 0.5, n))),
        joins=np.where(rng.random(n) < 0.7, 0.0, rng.random(n)),
        places=draw_places(shape, "shoppers", n),
        languages=draw_languages(shape, "shoppers", n),
    )
