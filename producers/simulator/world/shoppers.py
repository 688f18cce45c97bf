"""Shoppers: how often they come, what they love, how they look at prices, how ready they are to pay."""

from dataclasses import dataclass

import numpy as np

from producers.simulator.draws import Floats, stream
from producers.simulator.world.categories import LEAVES
from producers.simulator.world.shape import Shape

ARCHETYPES = 12
"""Tastes that a shopper's own taste is mixed from."""


@dataclass(frozen=True)
class Shoppers:
    """n shoppers.

    `activity` (n,) sums to 1: the share of all visits; `mixture` (n, ARCHETYPES) and `love` (n, categories)
    are distributions; `price_sensitivity` is what one unit of log price takes off the logit of adding;
    `checkout` the probability to check out a visit's cart; `joins` in [0, 1) when they register: at 0 before
    the history begins, else at that share of it. `common_love` (categories,) is what all have in common.
    """

    ids: list[str]
    activity: Floats
    mixture: Floats
    love: Floats
    common_love: Floats
    price_sensitivity: Floats
    checkout: Floats
    joins: Floats


def draw_shoppers(shape: Shape) -> Shoppers:
    """The shoppers of this world."""
    rng, n = stream(shape.seed, "shoppers"), shape.shoppers
    common = rng.lognormal(0, 0.4, len(LEAVES))
    love = common * rng.gamma(0.35, size=(n, len(LEAVES))) + 0.002
    activity = rng.lognormal(0, 1.0, n)
    return Shoppers(
        ids=[f"shopper-{number:06d}" for number in range(1, n + 1)],
        activity=activity / activity.sum(),
        mixture=rng.dirichlet(np.full(ARCHETYPES, 0.25), n),
        love=love / love.sum(axis=1, keepdims=True),
        common_love=common / common.sum(),
        price_sensitivity=rng.lognormal(-0.7, 0.5, n),
        checkout=1 / (1 + np.exp(-rng.normal(-0.5, 0.5, n))),
        joins=np.where(rng.random(n) < 0.7, 0.0, rng.random(n)),
    )
