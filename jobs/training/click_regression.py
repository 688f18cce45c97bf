"""The regression of clicks from which weights and the discount are learned, and its items. Pure.

People click first places more often whatever is there, so the position is a feature in training and constant
when serving (Guo et al., PAL: a position-bias aware learning framework for CTR prediction, RecSys 2019).
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from schemas.published_model.weights import BLENDED, SURFACES

Numbers = NDArray[np.float64]
Flags = NDArray[np.bool_]

MIN_CLICKS = 300
"""With fewer clicks, nothing is learned."""

FOLDS = 3
"""Each third of the items, in the order of time, is predicted by what is learned from the others."""

BOUGHT_WEIGHT = 3.0
"""A click that led to a purchase counts as often as this, as in `training_data.WEIGHTS`."""

MIN_SCORE = 1e-3
"""A smaller weighed score counts as this one, because 0 has no logarithm."""


@dataclass(frozen=True)
class ShownItems:
    """Items of lists that came into view, oldest first; all columns are [items].

    `surfaces` has names of `SURFACES`, and `positions` counts from 1. `scores`, [items, `BLENDED`], has the
    score that each source gave, relative to its best; 0 if it did not propose the product. `popularity` is
    the decayed number of views of the product.
    """

    surfaces: NDArray[np.str_]
    positions: NDArray[np.int64]
    scores: Numbers
    popularity: Numbers
    clicked: Flags
    bought: Flags

    def take(self, rows: Flags | slice) -> "ShownItems":
        """Return some of the items."""
        return ShownItems(
            self.surfaces[rows],
            self.positions[rows],
            self.scores[rows],
            self.popularity[rows],
            self.clicked[rows],
            self.bought[rows],
        )


def vector(weights: Mapping[str, float]) -> Numbers:
    """Return the weight of each of `BLENDED`: float64 [sources]."""
    return np.array([weights.get(source, 0.0) for source in BLENDED])


def logarithms(items: ShownItems, weights: Numbers) -> Numbers:
    """Return the logarithm of the weighed score of each item: float64 [items]."""
    return np.asarray(np.log(np.maximum(items.scores @ (weights / weights.sum()), MIN_SCORE)))


def folds_of(items: ShownItems) -> NDArray[np.int64]:
    """Return the fold of each item: int64 [items]."""
    return np.arange(len(items.clicked)) * FOLDS // max(1, len(items.clicked))


def too_few(items: ShownItems) -> str:
    """Return why these items are too few to learn from, or nothing."""
    clicks, folds = int(items.clicked.sum()), folds_of(items)
    of_folds = [items.clicked[folds == each] for each in range(FOLDS)]
    if clicks >= MIN_CLICKS and all(each.any() and not each.all() for each in of_folds):
        return ""
    return f"kept: {clicks:,} clicks to learn from, of at least {MIN_CLICKS:,}"


def fit(columns: Numbers, items: ShownItems) -> LogisticRegression:
    """Fit clicks by columns, [items, n], the position and the surface. Their coefficients come first."""
    regression = LogisticRegression(C=1.0, max_iter=1_000)
    return regression.fit(features_of(columns, items), items.clicked, sample_weight=importance_of(items))


def features_of(columns: Numbers, items: ShownItems) -> Numbers:
    """Return the columns, [items, n], the logarithm of the position, and the surface: [items, n + 4]."""
    surfaces = [items.surfaces == surface for surface in SURFACES]
    return np.column_stack([columns, np.log(items.positions), *surfaces])


def importance_of(items: ShownItems) -> Numbers:
    """Return how often each item counts: float64 [items]."""
    return np.where(items.clicked & items.bought, BOUGHT_WEIGHT, 1.0)


def standard_errors(columns: Numbers, items: ShownItems) -> float:
    """Return the coefficient of the first column, divided by its standard error.

    The variance is that of Huber and White, because purchases count several times: H⁻¹ (Σ w² r² x xᵀ) H⁻¹
    with H = Σ w p (1 - p) x xᵀ and the residual r = y - p.
    """
    fitted = fit(columns, items)
    features = np.column_stack([features_of(columns, items), np.ones(len(columns))])
    chances, importance = fitted.predict_proba(features[:, :-1])[:, 1], importance_of(items)
    # A surface without items has a column of zeros, and all surfaces together are the constant.
    inverse = np.linalg.pinv(features.T @ (features * (importance * chances * (1 - chances))[:, None]))
    scores = features * (importance * (items.clicked - chances))[:, None]
    covariance = inverse @ (scores.T @ scores) @ inverse
    return float(fitted.coef_[0, 0] / np.sqrt(covariance[0, 0]))
