"""Sellers: a few big ones and many small ones, with a quality and a handling time."""

from dataclasses import dataclass

import numpy as np

from producers.simulator.randomness import Floats, Index, named_rng
from producers.simulator.world.languages import draw_languages
from producers.simulator.world.places import Places, draw_places
from producers.simulator.world.shape import WorldShape

SIZE_SIGMA = 1.5
"""Spread of the logarithm of a seller's size: at 1.5 a tenth of the sellers make over half of the sales."""

_FIRST = ("Amber", "Birch", "Cedar", "Coral", "Delta", "Ember", "Fern", "Harbour", "Indigo", "Juniper",
          "Maple", "Meadow", "Nova", "Orchard", "Pine", "Quarry", "River", "Saffron", "Willow")  # fmt: skip
_SECOND = ("Bazaar", "Brothers", "Corner", "Depot", "Goods", "House", "Market", "Store", "Supply",
           "Trading", "Workshop", "& Co")  # fmt: skip


@dataclass(frozen=True)
class Sellers:
    """n sellers, the biggest first.

    `size` sums to 1; `quality` is in standard deviations; `handling_days` is the mean time from confirmation
    to the carrier; `commission_bp` what the marketplace keeps, in basis points; `languages` are those in
    which they write, `en` or `pt_BR`.
    """

    ids: list[str]
    names: list[str]
    size: Floats
    quality: Floats
    handling_days: Floats
    commission_bp: Index
    places: Places
    languages: list[str]


def draw_sellers(shape: WorldShape) -> Sellers:
    """Draw the sellers of this world."""
    rng, n = named_rng(shape.seed, "sellers"), shape.sellers
    size = np.sort(rng.lognormal(0, SIZE_SIGMA, n))[::-1]
    first, second = rng.integers(len(_FIRST), size=n), rng.integers(len(_SECOND), size=n)
    return Sellers(
        ids=[f"seller-{number:04d}" for number in range(1, n + 1)],
        names=[f"{_FIRST[a]} {_SECOND[b]}" for a, b in zip(first.tolist(), second.tolist(), strict=True)],
        size=size / size.sum(),
        quality=rng.normal(0, 0.7, n),
        handling_days=rng.lognormal(0, 0.5, n),
        commission_bp=rng.choice(np.array([800, 1000, 1200, 1400, 1600]), n),
        places=draw_places(shape, "sellers", n),
        languages=draw_languages(shape, "sellers", n),
    )
