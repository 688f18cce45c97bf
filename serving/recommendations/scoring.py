"""Which neighbours of what someone looked at come first. Pure; plain Python beats numpy at this size."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import sqrt

HALF_LIFE_S = 1_800.0
"""What was looked at half an hour earlier says half as much."""

CARTED = 2.0
"""How much more it says that a product was put into the cart than that it was looked at."""

ANCHOR = 4.0
"""How much more the product says whose page is open."""

MOST_SEEDS = 12
"""Products, the strongest first, whose neighbours are looked up."""


@dataclass(frozen=True, slots=True)
class Seed:
    """A product whose neighbours are candidates, and how much it says."""

    product_id: str
    weight: float


@dataclass(frozen=True, slots=True)
class Scored:
    """A candidate, its score, and the seed that says most for it."""

    product_id: str
    score: float
    because_of: str


NOTHING = (0.0, 0.0, "")

Neighbours = Sequence[tuple[str, float]]
"""(product_id, how much it goes with the seed), as `similar:{product_id}` holds them, best first."""


def seeds(viewed: Mapping[str, float], carted: Mapping[str, float], anchor: str | None = None) -> list[Seed]:
    """The products that say most of what someone wants now, strongest first.

    Args:
        viewed: product → when it was last seen (Unix seconds).
        carted: product → when it was last put into the cart.
        anchor: the product whose page is open.

    The newest is the measure of time: who comes back after a week is met where they left.
    """
    moments = [*viewed.values(), *carted.values()]
    newest = max(moments, default=0.0)
    weights: dict[str, float] = {anchor: ANCHOR} if anchor else {}
    for times, moment_of in ((1.0, viewed), (CARTED, carted)):
        for product_id, moment in moment_of.items():
            weight = times * 2.0 ** ((moment - newest) / HALF_LIFE_S)
            weights[product_id] = max(weights.get(product_id, 0.0), weight)
    ranked = sorted(weights.items(), key=lambda each: (-each[1], each[0]))
    return [Seed(product_id, weight) for product_id, weight in ranked[:MOST_SEEDS]]


def score(
    asked: Sequence[Seed],
    neighbours: Mapping[str, Neighbours],
    interest: Mapping[str, float],
    excluded: Iterable[str] = (),
) -> list[Scored]:
    """Every neighbour of the seeds, best first: Σ weight · cosine(seed, neighbour).

    `neighbours` holds co-visits and `interest` those of a product with itself, in the same decayed units
    (jobs/recommendations), so that their cosine keeps what everyone looks at from being similar to all. A
    product without interest is taken at its co-visits alone. What is so old that nothing is left of it (a
    weight or a sum that decayed to 0) says nothing.
    """
    without = set(excluded)
    found: dict[str, tuple[float, float, str]] = {}  # total, largest part, and whose that was
    for seed in asked:
        own = interest.get(seed.product_id, 0.0)
        for product_id, together in neighbours.get(seed.product_id, ()):
            if product_id in without or together <= 0.0:
                continue
            # By Cauchy and Schwarz no co-visits exceed both; a figure that lags a moment behind may.
            # Ratios of at most 1 neither overflow nor divide by an underflow, as a product of sums would.
            theirs = interest.get(product_id, 0.0)
            part = seed.weight
            if own > together:
                part *= sqrt(together / own)
            if theirs > together:
                part *= sqrt(together / theirs)
            if part <= 0.0:
                continue
            total, largest, because_of = found.get(product_id, NOTHING)
            if part > largest:
                found[product_id] = total + part, part, seed.product_id
            else:
                found[product_id] = total + part, largest, because_of
    ranked = sorted((-total, product_id, because_of) for product_id, (total, _, because_of) in found.items())
    return [Scored(product_id, -total, because_of) for total, product_id, because_of in ranked]


def favourite_categories(asked: Sequence[Seed], category_of: Mapping[str, str | None]) -> list[str]:
    """The categories of the seeds, the one that they say most for first."""
    weights: dict[str, float] = {}
    for seed in asked:
        if category := category_of.get(seed.product_id):
            weights[category] = weights.get(category, 0.0) + seed.weight
    return sorted(weights, key=lambda category: (-weights[category], category))
