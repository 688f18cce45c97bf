"""Estimates what another strategy would have earned, from a log of products drawn with known chances.

Every formula is that of the literature cited beside it; `numpy` arrays have one entry for each logged place
of a list.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recommenders.experiments.intervals import ALPHA, Interval, fixed_interval

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Estimate:
    """An estimated mean reward of a strategy for each place, such as its click rate.

    `effective_sample_size` is (Σw)² / Σw² (Kish 1965): the number of equally weighted places that would be as
    informative. With few of them, the interval is too narrow and should not be trusted.
    """

    interval: Interval
    effective_sample_size: float


def ips(rewards: Floats, weights: Floats, clusters: NDArray[np.int64], alpha: float = ALPHA) -> Estimate:
    """Return the inverse propensity estimate, Σ w·r / N (Horvitz and Thompson 1952).

    Args:
        rewards: shape (places,): what the logged product earned, such as 1 for a click.
        weights: shape (places,): the chance of the logged product under the strategy to judge, divided by
            its logged propensity; 0 if that strategy would have shown another product.
        clusters: shape (places,): the visitor of each place, from 0 without gaps. Places of one visitor are
            not independent, so the variance is that of sums by visitor.

    It is unbiased if every product of the strategy to judge had a positive propensity.
    """
    rewards, weights = _checked(rewards, weights, clusters)
    return _mean_by_cluster(weights * rewards, np.ones(len(rewards)), clusters, weights, alpha)


def snips(rewards: Floats, weights: Floats, clusters: NDArray[np.int64], alpha: float = ALPHA) -> Estimate:
    """Return the self-normalised estimate, Σ w·r / Σ w (Swaminathan and Joachims 2015).

    It has a small bias, which vanishes as the log grows, and far less variance than `ips`. The arguments are
    those of `ips`.
    """
    rewards, weights = _checked(rewards, weights, clusters)
    return _mean_by_cluster(weights * rewards, weights, clusters, weights, alpha)


def doubly_robust(
    rewards: Floats,
    weights: Floats,
    predicted_logged: Floats,
    predicted_target: Floats,
    clusters: NDArray[np.int64],
    alpha: float = ALPHA,
) -> Estimate:
    """Return the doubly robust estimate, Σ (q(target) + w · (r - q(logged))) / N.

    Args:
        rewards: as for `ips`.
        weights: as for `ips`.
        predicted_logged: shape (places,): the reward that a model predicts of the logged product.
        predicted_target: shape (places,): the reward that it predicts of what the strategy to judge would
            show.
        clusters: as for `ips`.
        alpha: one minus the confidence of the interval.

    This is the estimator of Dudík, Langford and Li (2011). It is unbiased if either the propensities or the
    predictions are right. The model should not have seen the places that it predicts.
    """
    rewards, weights = _checked(rewards, weights, clusters)
    values = predicted_target + weights * (rewards - predicted_logged)
    return _mean_by_cluster(values, np.ones(len(rewards)), clusters, weights, alpha)


def effective_sample_size(weights: Floats) -> float:
    """Return (Σw)² / Σw²; 0 if all weights are 0."""
    squares = float(np.square(weights).sum())
    return float(weights.sum()) ** 2 / squares if squares else 0.0


def _mean_by_cluster(
    numerators: Floats, denominators: Floats, clusters: NDArray[np.int64], weights: Floats, alpha: float
) -> Estimate:
    """Return Σ numerators / Σ denominators, with the variance of a ratio of sums by cluster."""
    total = float(denominators.sum())
    size = effective_sample_size(weights)
    if not total:
        return Estimate(Interval(0.0, 0.0, 0.0), size)
    ratio = float(numerators.sum()) / total
    residuals = np.bincount(clusters, numerators - ratio * denominators)
    count = len(residuals)
    correction = count / (count - 1) if count > 1 else 1.0
    variance = correction * float(np.square(residuals).sum()) / total**2
    return Estimate(fixed_interval(ratio, variance, alpha), size)


def _checked(rewards: Floats, weights: Floats, clusters: NDArray[np.int64]) -> tuple[Floats, Floats]:
    if not len(rewards) == len(weights) == len(clusters):
        raise ValueError(
            f"there are {len(rewards)} rewards, {len(weights)} weights and {len(clusters)} clusters: "
            "give one of each for a place"
        )
    if len(weights) and (not np.isfinite(weights).all() or weights.min() < 0):
        raise ValueError("weights must be finite and not negative: a logged propensity of 0 can't be used")
    return np.asarray(rewards, np.float64), np.asarray(weights, np.float64)
