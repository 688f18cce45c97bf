"""How sure a mean over shoppers is, and whether one model's is higher than another's.

Cases of one visit depend on each other: they are drawn, or change their sign, together. Of more than 10,000
shoppers or visits, a random block stands for its members: 10,000 blocks give the same width within a
hundredth, for a cost that does not grow.
"""

from dataclasses import dataclass

import numpy as np

from jobs.recommenders.evaluation.sets import Floats, Numbers

RESAMPLES = 1_000
LEVEL = 0.95
MAX_BLOCKS = 10_000
_BATCH = 50


@dataclass(frozen=True)
class Interval:
    """A mean and the interval that holds it at the level `LEVEL`. NaN where there was nobody to ask."""

    mean: float
    low: float
    high: float

    def is_disjoint(self, other: "Interval") -> bool:
        """Whether the two intervals share nothing."""
        return self.low > other.high or other.low > self.high


@dataclass(frozen=True)
class Difference:
    """One model's mean less another's over the same shoppers, and how likely chance gives as much."""

    interval: Interval
    p_value: float


def interval(values: Floats, seed: int, groups: Numbers | None = None) -> Interval:
    """The mean of `values` [n] with its percentile bootstrap interval, drawn over shoppers, or `groups` [n].

    Sources: Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapter 13; whole groups: Davison
    and Hinkley, Bootstrap Methods and their Application, 1997, section 3.8.
    """
    if not len(values):
        return Interval(np.nan, np.nan, np.nan)
    rng = np.random.default_rng(seed)
    sums, sizes = _blocks(values, groups, rng)
    means = np.concatenate([_resampled(sums, sizes, count, rng) for count in _batch_sizes()])
    low, high = np.quantile(means, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Interval(float(values.mean()), float(low), float(high))


def difference(first: Floats, second: Floats, seed: int, groups: Numbers | None = None) -> Difference:
    """`first` less `second`, values of the same shoppers: two-sided randomisation test on their differences.

    If the models are alike, each shopper's difference, or that of each of the `groups` [n], is as likely to
    have the other sign. Source: Smucker, Allan and Carterette, A Comparison of Statistical Significance Tests
    for IR Evaluation, CIKM 2007.

    Raises:
        ValueError: there are not as many of one as of the other.
    """
    if first.shape != second.shape:
        raise ValueError(f"{len(first)} values against {len(second)}")
    apart = first - second
    if not apart.any():
        return Difference(interval(apart, seed, groups), 1.0)
    rng = np.random.default_rng(seed)
    sums, _ = _blocks(apart, groups, rng)
    seen = abs(apart.sum()) * (1 - 1e-9)
    extreme = sum(
        int((np.abs(rng.choice((-1.0, 1.0), (count, len(sums))) @ sums) >= seen).sum())
        for count in _batch_sizes()
    )
    return Difference(interval(apart, seed, groups), (extreme + 1) / (RESAMPLES + 1))


def _blocks(values: Floats, groups: Numbers | None, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Sums and sizes of at most `MAX_BLOCKS` random blocks of whole groups, as many in each as in any other.

    Without `groups`, each value is one.
    """
    codes = np.arange(len(values)) if groups is None else np.unique(groups, return_inverse=True)[1]
    members = int(codes.max()) + 1
    count = min(members, MAX_BLOCKS)
    block = (rng.permutation(members) % count)[codes]
    sums: Floats = np.bincount(block, values, count).astype(np.float64)
    return sums, np.bincount(block, minlength=count).astype(np.float64)


def _resampled(sums: Floats, sizes: Floats, count: int, rng: np.random.Generator) -> Floats:
    drawn = rng.integers(0, len(sums), (count, len(sums)))
    means: Floats = sums[drawn].sum(axis=1) / sizes[drawn].sum(axis=1)
    return means


def _batch_sizes() -> list[int]:
    return [_BATCH] * (RESAMPLES // _BATCH)
