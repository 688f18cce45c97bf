"""The Gini coefficient: how unequally exposure is distributed."""

from collections.abc import Iterable
from dataclasses import dataclass


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
