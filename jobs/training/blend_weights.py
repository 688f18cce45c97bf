"""Learns the weights of the sources of recommendations from what was shown, clicked and bought. Pure.

For each surface, a logistic regression predicts a click from the sources' scores and the position. People
click first places more often whatever is there, so the position is a feature in training and constant when
serving (Guo et al., PAL: a position-bias aware learning framework for CTR prediction, RecSys 2019): only the
coefficients of the scores become weights.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from schemas.published_model.weights import BLENDED, SURFACES, Weights

Numbers = NDArray[np.float64]
Flags = NDArray[np.bool_]

MIN_CLICKS = 300
"""With fewer clicks on a surface, its weights are not learned."""

TEST_SHARE = 0.2
"""The newest share of the items, on which learned weights are compared with those in use."""

CERTAIN = 1.645
"""Standard errors by which learned weights must be better."""

BOUGHT_WEIGHT = 3.0
"""A click that led to a purchase counts as often as this, as in `training_data.WEIGHTS`."""


@dataclass(frozen=True)
class ShownItems:
    """Items of lists that came into view, oldest first; all columns are [items].

    `surfaces` has names of `SURFACES`, and `positions` counts from 1. `scores`, [items, `BLENDED`], has the
    score that each source gave, relative to its best; 0 if it did not propose the product.
    """

    surfaces: NDArray[np.str_]
    positions: NDArray[np.int64]
    scores: Numbers
    clicked: Flags
    bought: Flags

    def take(self, rows: Flags | slice) -> "ShownItems":
        """Return some of the items."""
        return ShownItems(
            self.surfaces[rows],
            self.positions[rows],
            self.scores[rows],
            self.clicked[rows],
            self.bought[rows],
        )


@dataclass(frozen=True)
class LearnedWeights:
    """The weights of each surface: learned ones, or those in use. `reasons` says for each surface why."""

    weights: Weights
    reasons: dict[str, str]


def learn_weights(shown: ShownItems, in_use: Weights) -> LearnedWeights:
    """Return the weights that predict clicks best.

    Learned weights are taken if they predict the newest clicks better than those in use: by log loss, at the
    5 % level of a one-sided paired test. They add up to 1, and none is negative: a source with a negative
    coefficient is left out, and the others are learned again.
    """
    weights: dict[str, dict[str, float]] = {}
    reasons: dict[str, str] = {}
    for surface in SURFACES:
        current = dict(in_use[surface])
        weights[surface], reasons[surface] = _of_surface(shown.take(shown.surfaces == surface), current)
    return LearnedWeights(weights, reasons)


def _of_surface(items: ShownItems, current: dict[str, float]) -> tuple[dict[str, float], str]:
    cut = int(len(items.clicked) * (1 - TEST_SHARE))
    train, test = items.take(slice(cut)), items.take(slice(cut, None))
    clicks = int(train.clicked.sum())
    if clicks < MIN_CLICKS or train.clicked.all() or not 0 < test.clicked.sum() < len(test.clicked):
        return current, f"kept: {clicks:,} clicks to learn from, of at least {MIN_CLICKS:,}"
    learned = _coefficients(train)
    if not learned.any():
        return current, "kept: no source's score goes with clicks"
    now = np.array([current.get(source, 0.0) for source in BLENDED])
    before, after = (_losses(each, train, test) for each in (now, learned))
    gains = before - after
    compared = f"log loss {after.mean():.5f} of the newest items, {before.mean():.5f} with the weights in use"
    if gains.mean() <= CERTAIN * gains.std(ddof=1) / np.sqrt(len(gains)):
        return current, f"kept: {compared}"
    return dict(
        zip(BLENDED, (learned / learned.sum()).round(4).tolist(), strict=True)
    ), f"learned: {compared}"


def _coefficients(items: ShownItems) -> Numbers:
    """Return the coefficient of each source, 0 for one that is left out."""
    found = np.zeros(len(BLENDED))
    used = [number for number in range(len(BLENDED)) if items.scores[:, number].any()]
    while used:
        fitted = _fit(items.scores[:, used], items)
        coefficients = fitted.coef_[0, : len(used)]
        if (coefficients > 0).all():
            found[used] = coefficients
            break
        used = [number for number, value in zip(used, coefficients, strict=True) if value > 0]
    return found


def _losses(weights: Numbers, train: ShownItems, test: ShownItems) -> Numbers:
    """Return the log loss of each item of `test` by its blended score and position, fitted on `train`."""
    fitted = _fit((train.scores @ weights)[:, None], train)
    predicted = fitted.predict_log_proba(_features((test.scores @ weights)[:, None], test))
    return np.asarray(-predicted[np.arange(len(test.clicked)), test.clicked.astype(int)] * _importance(test))


def _fit(scores: Numbers, items: ShownItems) -> LogisticRegression:
    regression = LogisticRegression(C=1.0, max_iter=1_000)
    return regression.fit(_features(scores, items), items.clicked, sample_weight=_importance(items))


def _features(scores: Numbers, items: ShownItems) -> Numbers:
    """Return the scores and the logarithm of the position: float64 [items, sources + 1]."""
    return np.column_stack([scores, np.log(items.positions)])


def _importance(items: ShownItems) -> Numbers:
    return np.where(items.clicked & items.bought, BOUGHT_WEIGHT, 1.0)
