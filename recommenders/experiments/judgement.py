"""Judges strategies by the clicks on random lists, before any visitor gets them.

A random list shows each product of all strategies' lists at each place with the same chance. A click on it
tells about every strategy that would have shown this product at this place. That a click depends on the
product and the place but not on the other products of the list is assumed (Li et al. 2018, "Offline
Evaluation of Ranking Policies with Click Models", item-position model).

Every formula is that of the literature cited beside it; `numpy` arrays have one entry for each logged place
of a list.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

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


Codes = NDArray[np.int64]

NOTHING = -1
"""The code of a place at which a strategy would show nothing."""

FOLDS = 2
PRIOR_CLICKS = 5.0
"""How many expected clicks of a product count as much as its own clicks: without clicks, it is average."""

MIN_EFFECTIVE_PLACES = 100.0
"""With a smaller effective sample size, nothing is decided."""


@dataclass(frozen=True, slots=True)
class ExploredLog:
    """The places of random lists, one entry each: visitor, place from 0, product, its chance, and click.

    `strategies` is strategy → the product that it would have shown at each place.
    """

    visitors: Codes
    places: Codes
    products: Codes
    propensities: Floats
    clicks: Floats
    strategies: Mapping[str, Codes]

    @classmethod
    def of(cls, rows: Sequence[Mapping[str, Any]]) -> "ExploredLog":
        """Return the log of rows with visitor_id, position, product_id, propensity, clicked, strategies."""
        visitors: dict[str, int] = {}
        products: dict[str, int] = {}

        def coded(codes: dict[str, int], values: Iterable[str]) -> Codes:
            return np.array([codes.setdefault(value, len(codes)) for value in values], np.int64)

        shown = coded(products, (row["product_id"] for row in rows))
        return cls(
            coded(visitors, (row["visitor_id"] for row in rows)),
            np.array([row["position"] - 1 for row in rows], np.int64),
            shown,
            np.array([row["propensity"] for row in rows], np.float64),
            np.array([float(row["clicked"]) for row in rows], np.float64),
            {
                name: np.array(
                    [products.get(row["strategies"].get(name, ""), NOTHING) for row in rows], np.int64
                )
                for name in sorted({name for row in rows for name in row["strategies"]})
            },
        )


@dataclass(frozen=True, slots=True)
class Judgement:
    """The clicks for each place of a strategy, by three estimators. `places` is the size of the log."""

    strategy: str
    places: int
    ips: Estimate
    snips: Estimate
    doubly_robust: Estimate

    @property
    def is_conclusive(self) -> bool:
        """Return whether the log says enough about the strategy."""
        return self.doubly_robust.effective_sample_size >= MIN_EFFECTIVE_PLACES


def judge(log: ExploredLog, strategy: str) -> Judgement:
    """Return the estimated click rate of a strategy.

    Raises:
        KeyError: the log has no list of this strategy.
    """
    weights, logged, target = _inputs(log, strategy)
    return Judgement(
        strategy,
        len(log.clicks),
        ips(log.clicks, weights, log.visitors),
        snips(log.clicks, weights, log.visitors),
        doubly_robust(log.clicks, weights, logged, target, log.visitors),
    )


def difference(log: ExploredLog, challenger: str, champion: str) -> Interval:
    """Return the doubly robust difference of the click rates, challenger less champion.

    The same places judge both, so what is common to them cancels out.
    """
    weights, logged, target = _inputs(log, challenger)
    other_weights, _, other_target = _inputs(log, champion)
    values = target - other_target + (weights - other_weights) * (log.clicks - logged)
    return ips(values, np.ones(len(values)), log.visitors).interval


def winner(log: ExploredLog, challenger: str, champion: str) -> str | None:
    """Return which of two strategies would have won; None if the log can't tell."""
    if not (judge(log, challenger).is_conclusive and judge(log, champion).is_conclusive):
        return None
    found = difference(log, challenger, champion)
    if found.is_above_zero:
        return challenger
    return champion if found.is_below_zero else None


def _inputs(log: ExploredLog, strategy: str) -> tuple[Floats, Floats, Floats]:
    """Return the weights, and the predicted clicks of what was shown and of what the strategy would show."""
    would_show = log.strategies[strategy]
    weights = (would_show == log.products) / log.propensities
    return weights, predicted(log, log.products), predicted(log, would_show)


def predicted(log: ExploredLog, products: Codes) -> Floats:
    """Return the predicted click of these products at the places of the log, 0 for `NOTHING`.

    The prediction is the click rate of the place times the attraction of the product: its clicks divided by
    those that an average product would have had at its places, shrunk to 1. It is learned from other
    visitors only.
    """
    count = int(max(log.products.max(initial=0), products.max(initial=0))) + 1
    length = int(log.places.max(initial=0)) + 1
    folds = log.visitors % FOLDS
    result = np.zeros(len(products))
    for fold in range(FOLDS):
        learned, applied = folds != fold, folds == fold
        shown = np.bincount(log.places[learned], minlength=length)
        clicked = np.bincount(log.places[learned], log.clicks[learned], minlength=length)
        rates = clicked / np.maximum(shown, 1)
        expected = np.bincount(log.products[learned], rates[log.places[learned]], minlength=count)
        own = np.bincount(log.products[learned], log.clicks[learned], minlength=count)
        attraction = (own + PRIOR_CLICKS) / (expected + PRIOR_CLICKS)
        result[applied] = rates[log.places[applied]] * attraction[products[applied]]
    result[products == NOTHING] = 0.0
    return np.minimum(1.0, result)
