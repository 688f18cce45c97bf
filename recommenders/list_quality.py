"""What lists of recommendations do besides being right: how much they show, and how unequally. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass


def catalogue_coverage(shown: int, offered: int) -> float | None:
    """Return the share of the offered products that any list showed; None if nothing is offered.

    Source: Ge, Delgado-Battenfeld and Jannach, Beyond Accuracy: Evaluating Recommender Systems by Coverage
    and Serendipity, RecSys 2010 (catalogue coverage).
    """
    return min(1.0, shown / offered) if offered else None


def popularity_lift(shown: float, catalogue: float) -> float | None:
    """Return how much more popular what is shown is than the catalogue: 0.5 is 50 % more.

    None if nothing in the catalogue is popular. Both are average popularities (of what is shown: average
    recommendation popularity, Yin et al., Challenging the Long Tail Recommendation, VLDB 2012). Source: the
    lift of Abdollahpouri et al., The Unfairness of Popularity Bias in Recommendation, RMSE 2019, relative to
    the catalogue instead of to profiles.
    """
    return (shown - catalogue) / catalogue if catalogue else None


@dataclass(frozen=True, slots=True)
class RankedSums:
    """What the Gini coefficient needs of positive amounts, which a database can add up.

    `count` is the number of amounts, `total` their sum, and `ranked` the sum of rank · amount, where the
    smallest amount has rank 1.
    """

    count: int
    total: float
    ranked: float

    @classmethod
    def of(cls, amounts: Iterable[float]) -> "RankedSums":
        """Return the sums of these amounts; those that are 0 are left out."""
        ordered = sorted(amount for amount in amounts if amount > 0)
        return cls(len(ordered), sum(ordered), sum(rank * each for rank, each in enumerate(ordered, 1)))


def gini(sums: RankedSums, population: int) -> float | None:
    """Return the Gini coefficient of the amounts, from 0 (all equal) to (n - 1) / n (one has everything).

    `population` is n, the number of all members; those without an amount have 0. One below `sums.count`
    counts as `sums.count`. None if nobody has anything.

    G = (2 Σ i · x_i) / (n Σ x) - (n + 1) / n, with x in ascending order and i from 1. Source: Dixon, Weiner,
    Mitchell-Olds and Woodley, Bootstrapping the Gini Coefficient of Inequality, Ecology 68, 1987; for sales
    that recommenders cause: Fleder and Hosanagar, Management Science 55, 2009.
    """
    if sums.total <= 0:
        return None
    n = max(population, sums.count)
    # Members without an amount have the first ranks, so all other ranks are that much higher.
    ranked = sums.ranked + (n - sums.count) * sums.total
    return max(0.0, 2 * ranked / (n * sums.total) - (n + 1) / n)


def shares(amounts: Mapping[str, float]) -> dict[str, float]:
    """Return each amount as a share of their sum; all 0 if the sum is 0."""
    total = sum(amounts.values())
    return {name: amount / total if total else 0.0 for name, amount in amounts.items()}


def total_variation(first: Mapping[str, float], second: Mapping[str, float]) -> float:
    """Return the total variation distance of two distributions: ½ Σ |p - q|, from 0 (equal) to 1 (disjoint).

    It is the share of exposure that would have to move to other groups to make both equal. The amounts need
    not add up to 1. If either has no amounts, the distance is 0. Source: Levin, Peres and Wilmer, Markov
    Chains and Mixing Times, 2009, proposition 4.2.
    """
    one, other = shares(first), shares(second)
    if not any(one.values()) or not any(other.values()):
        return 0.0
    return sum(abs(one.get(name, 0.0) - other.get(name, 0.0)) for name in {*one, *other}) / 2
