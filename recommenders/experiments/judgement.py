"""Judges strategies by the clicks on random lists, before any visitor gets them.

A random list shows each product of all strategies' lists at each place with the same chance. A click on it
tells about every strategy that would have shown this product at this place. That a click depends on the
product and the place but not on the other products of the list is assumed (Li et al. 2018, "Offline
Evaluation of Ranking Policies with Click Models", item-position model).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recommenders.experiments.intervals import Interval
from recommenders.experiments.off_policy import Estimate, Floats, doubly_robust, ips, snips

Codes = NDArray[np.int64]

NOTHING = -1
"""The code of a place at which a strategy would show nothing."""

FOLDS = 2
PRIOR_CLICKS = 5.0
"""How many expected clicks of a product count as much as its own clicks: a product without clicks is "
"average."""

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
        """Return the log of rows with visitor_id, position, product_id, propensity, clicked and "
        "strategies."""
        visitors: dict[str, int] = {}
        products: dict[str, int] = {}

        def coded(codes: dict[str, int], values: Iterable[str]) -> Codes:
            return np.array([codes.setdefault(value, len(codes)) for value in values], np.int64)

        shown = coded(products, (row["product_id"] for row in rows))
        names = sorted({name for row in rows for name in row["strategies"]})
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
                for name in names
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
    ones = np.ones(len(values))
    return ips(values, ones, log.visitors).interval


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
    shown_by_strategy = log.strategies[strategy]
    weights = (shown_by_strategy == log.products) / log.propensities
    return weights, predicted(log, log.products), predicted(log, shown_by_strategy)


def predicted(log: ExploredLog, products: Codes) -> Floats:
    """Return the predicted click of these products at the places of the log, 0 for `NOTHING`.

    The prediction is the click rate of the place times the attraction of the product: its clicks divided by
    those that an average product would have had at its places, shrunk to 1. It is learned from other
    visitors only.
    """
    count = int(max(log.products.max(initial=0), products.max(initial=0))) + 1
    folds = log.visitors % FOLDS
    result = np.zeros(len(products))
    for fold in range(FOLDS):
        learned, applied = folds != fold, folds == fold
        shown = np.bincount(log.places[learned], minlength=_length(log))
        clicked = np.bincount(log.places[learned], log.clicks[learned], minlength=_length(log))
        rates = clicked / np.maximum(shown, 1)
        expected = np.bincount(log.products[learned], rates[log.places[learned]], minlength=count)
        own = np.bincount(log.products[learned], log.clicks[learned], minlength=count)
        attraction = (own + PRIOR_CLICKS) / (expected + PRIOR_CLICKS)
        result[applied] = rates[log.places[applied]] * attraction[products[applied]]
    result[products == NOTHING] = 0.0
    return np.minimum(1.0, result)


def _length(log: ExploredLog) -> int:
    return int(log.places.max(initial=0)) + 1
