"""Pairs of products of the same list, one clicked and one not, from which weights are learned. Pure.

Only the order within a list matters, so only products of the same list are compared: how willing a visitor is
to click, and how high all scores of a list are, cancels out. The probability that a is the clicked one of a
and b is 1 / (1 + exp(u(b) - u(a))), as in a logistic regression with a constant for each list (Chamberlain,
"Analysis of covariance with qualitative data", 1980). People click first places more often whatever is there,
so the position is a part of u in training, and constant when serving (Guo et al., PAL: a position-bias aware
learning framework for CTR prediction, RecSys 2019).
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from schemas.published_model.weights import BLENDED

Numbers = NDArray[np.float64]
Codes = NDArray[np.int64]
Flags = NDArray[np.bool_]

BOUGHT_WEIGHT = 3.0
"""A click that led to a purchase counts as often as this, as in `training_data.WEIGHTS`."""

MIN_SCORE = 1e-3
"""What is added to each weighed score, because 0 has no logarithm."""

MAX_PAIRS = 30_000
"""The number of pairs that are learned from, which bounds the time. They are taken evenly from all."""

MIN_VISITORS = 30
"""With clicks of fewer visitors, nothing is decided: the variance between them would not be known."""


@dataclass(frozen=True)
class ShownItems:
    """Items of lists that came into view, oldest first; all columns are [items].

    `lists` are ascending numbers, one for each list, and `visitors` numbers, one for each visitor. `surfaces`
    has names of `SURFACES`, and `positions` counts from 1. `scores`, [items, `BLENDED`], has the score that
    each source gave, relative to its best; 0 if it did not propose the product. `popularity` is the interest
    in the product before, in visits, as `serving.recommendations.product_cache` reads it.
    """

    lists: Codes
    visitors: Codes
    surfaces: NDArray[np.str_]
    positions: Codes
    scores: Numbers
    popularity: Numbers
    clicked: Flags
    bought: Flags

    def take(self, rows: Flags) -> "ShownItems":
        """Return some of the items."""
        return ShownItems(
            self.lists[rows],
            self.visitors[rows],
            self.surfaces[rows],
            self.positions[rows],
            self.scores[rows],
            self.popularity[rows],
            self.clicked[rows],
            self.bought[rows],
        )


@dataclass(frozen=True)
class ClickPairs:
    """Pairs of rows of `items`: the clicked product of a list and another one that was not. [pairs] each.

    `importance` is how often each pair counts.
    """

    items: ShownItems
    clicked: Codes
    other: Codes
    importance: Numbers

    @classmethod
    def of(cls, items: ShownItems, most: int = MAX_PAIRS) -> "ClickPairs":
        """Return at most `most` pairs of a clicked product and one that was not, of the same list."""
        starts = np.searchsorted(items.lists, items.lists[items.clicked])
        ends = np.searchsorted(items.lists, items.lists[items.clicked], side="right")
        lengths = ends - starts
        clicked = np.repeat(np.flatnonzero(items.clicked), lengths)
        first = np.repeat(starts - (np.cumsum(lengths) - lengths), lengths)
        other = first + np.arange(len(clicked))
        pairs = np.flatnonzero(~items.clicked[other])
        if len(pairs) > most:
            pairs = pairs[np.linspace(0, len(pairs) - 1, most).astype(np.int64)]
        clicked, other = clicked[pairs], other[pairs]
        return cls(items, clicked, other, np.where(items.bought[clicked], BOUGHT_WEIGHT, 1.0))

    def __len__(self) -> int:
        return len(self.clicked)

    @property
    def visitors(self) -> Codes:
        """Return the number of the visitor of each pair."""
        return self.items.visitors[self.clicked]

    def take(self, rows: Flags) -> "ClickPairs":
        """Return some of the pairs."""
        return ClickPairs(self.items, self.clicked[rows], self.other[rows], self.importance[rows])

    def differences(self, column: Numbers) -> Numbers:
        """Return the value of the clicked product less that of the other one. `column` is [items]."""
        return column[self.clicked] - column[self.other]


def fit(columns: Numbers, pairs: ClickPairs) -> Numbers:
    """Return the coefficients that tell which product of a pair was clicked: float64 [columns].

    `columns` has the differences of the clicked product from the other one: [pairs, columns].
    """
    # The regression needs two classes: every second pair is turned round.
    signs = np.where(np.arange(len(pairs)) % 2, -1.0, 1.0)
    regression = LogisticRegression(C=1.0, fit_intercept=False, max_iter=1_000)
    regression.fit(columns * signs[:, None], signs, sample_weight=pairs.importance)
    return np.asarray(regression.coef_[0])


def losses(columns: Numbers, coefficients: Numbers) -> Numbers:
    """Return the log loss of each pair: float64 [pairs]."""
    return np.logaddexp(0.0, -(columns @ coefficients))


def vector(weights: Mapping[str, float]) -> Numbers:
    """Return the weight of each of `BLENDED`: float64 [sources]."""
    return np.array([weights.get(source, 0.0) for source in BLENDED])


def smoothed(scores: Numbers, weights: Numbers) -> Numbers:
    """Return the weighed score of each item plus `MIN_SCORE`: float64 [items]."""
    return np.asarray(scores @ weights + MIN_SCORE)


def logarithms(items: ShownItems, weights: Numbers) -> Numbers:
    """Return the logarithm of the weighed score of each item: float64 [items]."""
    return np.asarray(np.log(smoothed(items.scores, weights / weights.sum())))
