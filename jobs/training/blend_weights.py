"""Learns the weights of the sources of recommendations from what was shown, clicked and bought. Pure.

For each surface, a logistic regression predicts a click from the sources' scores, the popularity of the
product and the position. People click first places more often whatever is there, so the position is a feature
in training and constant when serving (Guo et al., PAL: a position-bias aware learning framework for CTR
prediction, RecSys 2019): only the coefficients of the scores become weights. A second regression on the
logarithms of the weighed score and of the popularity gives the exponent of the discount.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from schemas.published_model.weights import BLENDED, DISCOUNT, MAX_DISCOUNT, SURFACES, Weights

Numbers = NDArray[np.float64]
Flags = NDArray[np.bool_]

MIN_CLICKS = 300
"""With fewer clicks on a surface, its weights are not learned."""

FOLDS = 3
"""Each third of the items, in the order of time, is predicted by what is learned from the others."""

CERTAIN = 1.645
"""Standard errors by which learned weights must be better."""

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


@dataclass(frozen=True)
class LearnedWeights:
    """The weights of each surface: learned ones, or those in use. `reasons` says for each surface why."""

    weights: Weights
    reasons: dict[str, str]


@dataclass(frozen=True)
class _Ranking:
    """The weight of each source, float64 [`BLENDED`], and the exponent of the discount of popularity."""

    weights: Numbers
    discount: float

    def logarithms(self, items: ShownItems) -> Numbers:
        """Return the logarithm of the score by which serving ranks each item: float64 [items]."""
        blended = np.maximum(items.scores @ self.weights, MIN_SCORE)
        return np.asarray(np.log(blended) - self.discount * np.log1p(items.popularity))

    def as_plain(self) -> dict[str, float]:
        """Return the weights by source, which add up to 1, and the exponent."""
        shares = (self.weights / self.weights.sum()).round(4).tolist()
        return dict(zip(BLENDED, shares, strict=True)) | {DISCOUNT: round(self.discount, 4)}


def learn_weights(shown: ShownItems, in_use: Weights) -> LearnedWeights:
    """Return the weights and the discount that predict clicks best.

    Learned ones are taken if they predict clicks better that they were not learned from than those in use do:
    by log loss, at the 5 % level of a one-sided paired test. Weights add up to 1, and none is negative: a
    source with a negative coefficient is left out, and the others are learned again.
    """
    weights: dict[str, dict[str, float]] = {}
    reasons: dict[str, str] = {}
    for surface in SURFACES:
        current = dict(in_use[surface])
        weights[surface], reasons[surface] = _of_surface(shown.take(shown.surfaces == surface), current)
    return LearnedWeights(weights, reasons)


def _of_surface(items: ShownItems, current: dict[str, float]) -> tuple[dict[str, float], str]:
    clicks = int(items.clicked.sum())
    folds = np.arange(len(items.clicked)) * FOLDS // max(1, len(items.clicked))
    every_fold_has_both = all(0 < items.clicked[folds == each].mean() < 1 for each in np.unique(folds))
    if clicks < MIN_CLICKS or not every_fold_has_both:
        return current, f"kept: {clicks:,} clicks to learn from, of at least {MIN_CLICKS:,}"
    learned = _learned(items)
    if learned is None:
        return current, "kept: no source's score goes with clicks"
    now = _Ranking(np.array([current.get(source, 0.0) for source in BLENDED]), current.get(DISCOUNT, 0.0))
    losses = [_losses(now, items.take(folds != each), items.take(folds == each)) for each in range(FOLDS)]
    before, after = (np.concatenate(each) for each in zip(*losses, strict=True))
    gains = before - after
    compared = f"log loss {after.mean():.5f} of other items, {before.mean():.5f} with the weights in use"
    if gains.mean() <= CERTAIN * gains.std(ddof=1) / np.sqrt(len(gains)):
        return current, f"kept: {compared}"
    return learned.as_plain(), f"learned: {compared}"


def _learned(items: ShownItems) -> _Ranking | None:
    """Return what is learned from these items; None if no source's score goes with clicks."""
    coefficients = _coefficients(items)
    if not coefficients.any():
        return None
    weights = coefficients / coefficients.sum()
    return _Ranking(weights, _discount(items, weights))


def _coefficients(items: ShownItems) -> Numbers:
    """Return the coefficient of each source, 0 for one that is left out."""
    found = np.zeros(len(BLENDED))
    used = [number for number in range(len(BLENDED)) if items.scores[:, number].any()]
    while used:
        fitted = _fit(np.column_stack([items.scores[:, used], np.log1p(items.popularity)]), items)
        coefficients = fitted.coef_[0, : len(used)]
        if (coefficients > 0).all():
            found[used] = coefficients
            break
        used = [number for number, value in zip(used, coefficients, strict=True) if value > 0]
    return found


def _discount(items: ShownItems, weights: Numbers) -> float:
    """Return the exponent of 1 + popularity by which a score is divided, from 0 to `MAX_DISCOUNT`.

    With the logit of a click c · ln(score) - d · ln(1 + popularity), the best order is that of
    score / (1 + popularity)^(d / c).
    """
    undiscounted = _Ranking(weights, 0.0).logarithms(items)
    fitted = _fit(np.column_stack([undiscounted, np.log1p(items.popularity)]), items)
    of_score, of_popularity = fitted.coef_[0, :2].tolist()
    if of_popularity >= 0:
        return 0.0
    return min(MAX_DISCOUNT, -of_popularity / of_score) if of_score > 0 else MAX_DISCOUNT


def _losses(now: _Ranking, train: ShownItems, test: ShownItems) -> tuple[Numbers, Numbers]:
    """Return the log loss of each item of `test` with the weights in use, and with those of `train`."""
    learned = _learned(train) or now
    return _loss(now, train, test), _loss(learned, train, test)


def _loss(ranking: _Ranking, train: ShownItems, test: ShownItems) -> Numbers:
    """Return the log loss of each item of `test` by its rank score and position, fitted on `train`."""
    fitted = _fit(ranking.logarithms(train)[:, None], train)
    predicted = fitted.predict_log_proba(_features(ranking.logarithms(test)[:, None], test))
    return np.asarray(-predicted[np.arange(len(test.clicked)), test.clicked.astype(int)] * _importance(test))


def _fit(columns: Numbers, items: ShownItems) -> LogisticRegression:
    regression = LogisticRegression(C=1.0, max_iter=1_000)
    return regression.fit(_features(columns, items), items.clicked, sample_weight=_importance(items))


def _features(columns: Numbers, items: ShownItems) -> Numbers:
    """Return the columns, [items, n], and the logarithm of the position: float64 [items, n + 1]."""
    return np.column_stack([columns, np.log(items.positions)])


def _importance(items: ShownItems) -> Numbers:
    return np.where(items.clicked & items.bought, BOUGHT_WEIGHT, 1.0)
