"""Confidence intervals of means over shoppers, and a significance test for the difference of two models.

Cases of one visit depend on each other, so they are resampled, or change their sign, together. More than
10,000 shoppers or visits are combined into 10,000 random blocks, which limits the cost. The width of the
intervals changes by at most one percent.
"""

from dataclasses import dataclass

import numpy as np

from recommenders.evaluation.sets import Floats, Numbers

RESAMPLES = 1_000
LEVEL = 0.95
"""The confidence level of all intervals."""

MAX_BLOCKS = 10_000
_BATCHES = (50,) * (RESAMPLES // 50)
"""The numbers of resamples that are drawn together."""


@dataclass(frozen=True)
class Interval:
    """A mean and its confidence interval. All three are NaN if there was no case."""

    mean: float
    low: float
    high: float

    def is_disjoint(self, other: "Interval") -> bool:
        """Return whether the two intervals don't overlap."""
        return self.low > other.high or other.low > self.high


@dataclass(frozen=True)
class PairedDifference:
    """One model's mean minus another's over the same cases, with the p-value of the randomisation test."""

    interval: Interval
    p_value: float


def interval(values: Floats, seed: int, groups: Numbers | None = None) -> Interval:
    """Return the mean of `values` [n] with its percentile bootstrap interval.

    Each value is resampled on its own, or each of the `groups` [n] as a whole. Sources: Efron and Tibshirani,
    An Introduction to the Bootstrap, 1993, chapter 13; for groups, Davison and Hinkley, Bootstrap Methods and
    their Application, 1997, section 3.8.
    """
    if not len(values):
        return Interval(np.nan, np.nan, np.nan)
    rng = np.random.default_rng(seed)
    sums, sizes = _blocks(values, groups, rng)
    means = np.concatenate([_resampled(sums, sizes, count, rng) for count in _BATCHES])
    low, high = np.quantile(means, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Interval(float(values.mean()), float(low), float(high))


def difference(first: Floats, second: Floats, seed: int, groups: Numbers | None = None) -> PairedDifference:
    """Return the mean of `first` - `second`, values of the same cases, with a two-sided randomisation test.

    If the models are equally good, the difference of each case, or of each of the `groups` [n], is as likely
    to have the opposite sign. Source: Smucker, Allan and Carterette, A Comparison of Statistical Significance
    Tests for IR Evaluation, CIKM 2007.

    Raises:
        ValueError: `first` and `second` have different lengths.
    """
    if first.shape != second.shape:
        raise ValueError(f"{len(first)} values against {len(second)}")
    differences = first - second
    if not differences.any():
        return PairedDifference(interval(differences, seed, groups), 1.0)
    rng = np.random.default_rng(seed)
    sums, _ = _blocks(differences, groups, rng)
    observed = abs(differences.sum()) * (1 - 1e-9)
    extreme = sum(
        int((np.abs(rng.choice((-1.0, 1.0), (count, len(sums))) @ sums) >= observed).sum())
        for count in _BATCHES
    )
    return PairedDifference(interval(differences, seed, groups), (extreme + 1) / (RESAMPLES + 1))


def _blocks(values: Floats, groups: Numbers | None, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Return the sums and sizes of at most `MAX_BLOCKS` random blocks, with equally many groups in each.

    Without `groups`, each value is a group of its own.
    """
    codes = np.arange(len(values)) if groups is None else np.unique(groups, return_inverse=True)[1]
    members = int(codes.max()) + 1
    count = min(members, MAX_BLOCKS)
    block = (rng.permutation(members) % count)[codes]
    sums = np.bincount(block, values, count)
    return sums.astype(np.float64), np.bincount(block, minlength=count).astype(np.float64)


def _resampled(sums: Floats, sizes: Floats, count: int, rng: np.random.Generator) -> Floats:
    drawn = rng.integers(0, len(sums), (count, len(sums)))
    return np.asarray(sums[drawn].sum(axis=1) / sizes[drawn].sum(axis=1))
