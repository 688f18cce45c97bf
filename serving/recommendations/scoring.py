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


Neighbours = Sequence[tuple[str, float]]
"""(product_id, its cosine with the product whose neighbours they are)."""


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


def cosines(together: Iterable[tuple[str, float]], own: float, theirs: Mapping[str, float]) -> Neighbours:
    """The neighbours of a product with their cosines, in (0, 1]; without what is so old that nothing is left.

    Args:
        together: product → its co-visits with this one, as `similar:{product_id}` holds them.
        own: the interest in this product: its co-visits with itself.
        theirs: the interest in each of the others.

    All are sums in the same decayed units (jobs/recommendations). Cosines keep what everyone looks at from
    being similar to all. A product without interest is taken at its co-visits alone, so as if it had as many.
    """
    return [
        (product_id, cosine)
        for product_id, sum_ in together
        if (cosine := _cosine(sum_, own, theirs.get(product_id, 0.0))) > 0.0
    ]


def _cosine(together: float, own: float, theirs: float) -> float:
    # By Cauchy and Schwarz no co-visits exceed both; a figure that lags a moment behind may.
    # Ratios of at most 1 neither overflow nor divide by an underflow, as a product of sums would.
    if together <= 0.0:
        return 0.0
    found = sqrt(together / own) if own > together else 1.0
    return found * sqrt(together / theirs) if theirs > together else found


def score(
    asked: Sequence[Seed], neighbours: Mapping[str, Neighbours], most: int, excluded: Iterable[str] = ()
) -> list[Scored]:
    """The `most` best of all neighbours of the seeds: Σ weight · cosine(seed, neighbour).

    What weighs so little that nothing is left of it says nothing.
    """
    totals: dict[str, float] = {}
    reasons: dict[str, tuple[float, str]] = {}
    for seed in asked:
        weight, because_of = seed.weight, seed.product_id
        for product_id, cosine in neighbours.get(because_of, ()):
            part = weight * cosine
            totals[product_id] = totals.get(product_id, 0.0) + part
            if product_id not in reasons or part > reasons[product_id][0]:
                reasons[product_id] = part, because_of
    for product_id in excluded:
        totals.pop(product_id, None)
    ranked = sorted((-total, product_id) for product_id, total in totals.items() if total > 0.0)
    return [Scored(product_id, -total, reasons[product_id][1]) for total, product_id in ranked[:most]]


def favourite_categories(asked: Sequence[Seed], category_of: Mapping[str, str | None]) -> list[str]:
    """The categories of the seeds, the one that they say most for first."""
    weights: dict[str, float] = {}
    for seed in asked:
        if category := category_of.get(seed.product_id):
            weights[category] = weights.get(category, 0.0) + seed.weight
    return sorted(weights, key=lambda category: (-weights[category], category))
