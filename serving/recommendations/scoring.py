"""Ranks the neighbours of viewed products. Pure; plain Python is faster than numpy at this size."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from heapq import nlargest
from math import exp2, inf, sqrt
from typing import NamedTuple

HALF_LIFE_S = 1_800.0
"""A view half an hour earlier weighs half as much."""

CART_WEIGHT = 2.0
"""The weight of a product in the cart; a viewed product weighs 1."""

ANCHOR_WEIGHT = 4.0
"""The weight of the product whose page is open."""

MAX_SEEDS = 12
"""The largest number of seeds. The heaviest are used."""

COVISIT_EPOCH_S = 1_451_606_400
"""2016-01-01 UTC: a co-visit at t adds 2^((t - this) / `COVISIT_HALF_LIFE_S`) to the sums in Redis."""

COVISIT_HALF_LIFE_S = 14 * 86_400.0

SUPPORT = 2.0
"""The number of co-visits at which a cosine is halved (docs/recommendations.md has the measurement)."""

PAIRS = 3.0
"""The number of pairs of visits at which a neighbour counts as half supported: three visits are three pairs
(docs/decisions/cold-start.md)."""

SUPPORTED_LIST = 12
"""The number of best neighbours that decide how far visits support those of a product."""

LEAST_SUPPORT = 0.05
"""Neighbours that no visits support count this much: they are shown where nothing else is found."""

MAX_HISTORY = 20
"""The largest number of newest products whose neighbours in a trained model are candidates."""

MIN_EVENT_WEIGHT = 1e-6
"""Events of a history with a smaller weight are left out."""


@dataclass(frozen=True, slots=True)
class Seed:
    """A product whose neighbours are candidates, and its weight."""

    product_id: str
    weight: float


class ScoredProduct(NamedTuple):
    """A candidate and its score."""

    product_id: str
    score: float


Neighbours = Mapping[str, float]
"""product → its cosine with the product whose neighbours they are, best first."""


class CoVisits(NamedTuple):
    """The neighbours of a product by co-visits, and how far the visits support them, from 0 to 1."""

    neighbours: Neighbours
    support: float


def seeds(viewed: Mapping[str, float], carted: Mapping[str, float], anchor: str | None = None) -> list[Seed]:
    """Return the products that a visitor viewed or carted last, the heaviest first.

    Args:
        viewed: product → when it was last viewed (Unix seconds).
        carted: product → when it was last put into the cart (Unix seconds).
        anchor: the product whose page is open.

    Weights decay from the newest of these times, not from the current time. A visitor who returns after a
    week gets the same seeds as before.
    """
    newest = max([*viewed.values(), *carted.values()], default=0.0)
    weights: dict[str, float] = {anchor: ANCHOR_WEIGHT} if anchor else {}
    for factor, moment_of in ((1.0, viewed), (CART_WEIGHT, carted)):
        for product_id, moment in moment_of.items():
            weight = factor * 2.0 ** ((moment - newest) / HALF_LIFE_S)
            weights[product_id] = max(weights.get(product_id, 0.0), weight)
    ranked = sorted(weights.items(), key=lambda each: (-each[1], each[0]))
    return [Seed(product_id, weight) for product_id, weight in ranked[:MAX_SEEDS]]


def history(
    viewed: Mapping[str, float],
    carted: Mapping[str, float],
    bought: Mapping[str, float],
    anchor: str | None = None,
) -> list[str]:
    """Return the products that a visitor viewed, carted or bought last, newest first: at most `MAX_HISTORY`.

    The product whose page is open is the newest.
    """
    newest: dict[str, float] = {}
    for moments in (viewed, carted, bought):
        for product_id, moment in moments.items():
            newest[product_id] = max(newest.get(product_id, moment), moment)
    if anchor is not None:
        newest[anchor] = inf
    return sorted(newest, key=lambda product_id: (-newest[product_id], product_id))[:MAX_HISTORY]


def cosines(
    together: Iterable[tuple[str, float]], own: float, theirs: Mapping[str, float], support: float = 0.0
) -> Neighbours:
    """Return the neighbours of a product with their cosines in (0, 1], without scores that decayed to 0.

    A cosine is multiplied by n / (n + `support`), where n is the co-visits, because a pair that was seen once
    says next to nothing.

    Args:
        together: product → its co-visits with this one, as `similar:{product_id}` holds them.
        own: the interest in this product: its co-visits with itself.
        theirs: the interest in each of the other products.
        support: the co-visits at which a cosine is halved.

    All are sums in the same decayed units (jobs/recommendations). With the cosine, a product that everyone
    views is not similar to all others. A product without interest counts as if its interest equalled the
    co-visits.
    """
    return {
        product_id: cosine
        for product_id, sum_ in together
        if (cosine := _cosine(sum_, own, theirs.get(product_id, 0.0)) * _shrinkage(sum_, support)) > 0.0
    }


def visits_together(together: float, own: float, visits: float) -> float:
    """Return about how many of the visits to a product had another one, too.

    A visit that bought both adds nine times as much to the co-visits as one that viewed both. The share of
    the co-visits in the interest does not depend on that, nor on their age.

    Args:
        together: the co-visits of both.
        own: the interest in the product: its co-visits with itself, in the same decayed units.
        visits: the number of visits to it.
    """
    return visits * min(1.0, together / own) if own > 0.0 else 0.0


def list_support(neighbours: Neighbours, visits: Mapping[str, float]) -> float:
    """Return how far visits support the best neighbours, from 0 to 1; 0 without neighbours.

    A neighbour with n common visits counts p / (p + `PAIRS`), where p = n (n − 1) / 2 is the number of pairs
    of visits that agree on it. So what one visit had together says nothing, and what two had little. Pairs of
    people are the idea of Swing (Yang et al. 2020, arXiv 2010.05525). The mean is weighted by the cosines.

    Args:
        neighbours: product → cosine.
        visits: product → the visits that had both, as `visits_together` counts them.
    """
    best = nlargest(SUPPORTED_LIST, neighbours, key=neighbours.__getitem__)
    pairs = {each: max(0.0, 0.5 * visits[each] * (visits[each] - 1.0)) for each in best}
    supported = sum(neighbours[each] * agree / (agree + PAIRS) for each, agree in pairs.items())
    whole = sum(neighbours[each] for each in best)
    return supported / whole if whole else 0.0


def supported_seeds(seeds: Sequence[Seed], co_visits: Mapping[str, CoVisits]) -> list[Seed]:
    """Return the seeds, of which those count less whose neighbours few visits support.

    A seed counts in full once half of its neighbours are supported. Among several seeds, a product that few
    have seen would otherwise decide: its few neighbours have high cosines.
    """
    supports = (min(1.0, 2.0 * co_visits[seed.product_id].support) for seed in seeds)
    return [
        Seed(seed.product_id, seed.weight * max(LEAST_SUPPORT, support))
        for seed, support in zip(seeds, supports, strict=True)
    ]


def unsupported_seeds(seeds: Sequence[Seed], co_visits: Mapping[str, CoVisits], limit: int) -> list[Seed]:
    """Return at most `limit` seeds with the weight that visits leave open, the heaviest first."""
    open_ = (
        Seed(seed.product_id, seed.weight * (1.0 - co_visits[seed.product_id].support)) for seed in seeds
    )
    weighted = (seed for seed in open_ if seed.weight > 0.0)
    return sorted(weighted, key=lambda seed: (-seed.weight, seed.product_id))[:limit]


def covisit_unit(at_s: float) -> float:
    """Return what a co-visit of two views at a time (Unix seconds) adds to the sums."""
    return exp2(max(-1_000.0, min(1_000.0, (at_s - COVISIT_EPOCH_S) / COVISIT_HALF_LIFE_S)))


def _shrinkage(together: float, support: float) -> float:
    return 1.0 / (1.0 + support / together) if together > 0.0 else 0.0


def _cosine(together: float, own: float, theirs: float) -> float:
    # By the Cauchy-Schwarz inequality, co-visits exceed at most one of both interests, unless a figure lags.
    # The product of two ratios of at most 1 can't overflow. `own * theirs` could overflow, or underflow to 0.
    if together <= 0.0:
        return 0.0
    cosine = sqrt(together / own) if own > together else 1.0
    return cosine * sqrt(together / theirs) if theirs > together else cosine


def fold_in_seeds(history: Sequence[str], decay: float) -> list[Seed]:
    """Return the products of a history, newest first, weighed as `CompactModel.fold_in` weighs them.

    An event weighs `decay`, in (0, 1], times as much as the next newer one.
    """
    weighted = [Seed(product_id, decay**age) for age, product_id in enumerate(history)]
    return [seed for seed in weighted if seed.weight >= MIN_EVENT_WEIGHT]


def score(
    seeds: Sequence[Seed], neighbours: Mapping[str, Neighbours], limit: int, excluded: Iterable[str] = ()
) -> list[ScoredProduct]:
    """Return the `limit` best neighbours of the seeds, by Σ weight · cosine(seed, neighbour).

    A neighbour whose score is 0 is left out.
    """
    totals: dict[str, float] = {}
    for seed in seeds:
        weight = seed.weight
        for product_id, cosine in neighbours.get(seed.product_id, {}).items():
            totals[product_id] = totals.get(product_id, 0.0) + weight * cosine
    for product_id in excluded:
        totals.pop(product_id, None)
    ranked = sorted((-total, product_id) for product_id, total in totals.items() if total > 0.0)
    return [ScoredProduct(product_id, -total) for total, product_id in ranked[:limit]]


def favourite_categories(
    seeds: Sequence[Seed], category_of: Mapping[str, str | None], limit: int
) -> dict[str, float]:
    """Return the `limit` largest categories of the seeds, with weights relative to that of the first."""
    weights: dict[str, float] = {}
    for seed in seeds:
        if category := category_of.get(seed.product_id):
            weights[category] = weights.get(category, 0.0) + seed.weight
    most = max(weights.values(), default=1.0)
    ordered = sorted(weights, key=lambda category: (-weights[category], category))
    return {category: weights[category] / most for category in ordered[:limit]}
