"""Learns the weights of the sources of recommendations from what was shown, clicked and bought. Pure.

For each surface, a logistic regression predicts a click from the sources' scores, the popularity of the
product and the position. People click first places more often whatever is there, so the position is a feature
in training and constant when serving (Guo et al., PAL: a position-bias aware learning framework for CTR
prediction, RecSys 2019): only the coefficients of the scores become weights.

Before, a regression over all surfaces gives the exponent of the discount of popularity, from the logarithms
of the weighed score and of the popularity. It is the same on all surfaces, because the lists of one surface
alone tell too little: they are ordered by the scores, so the scores of what they show hardly differ.
"""

from collections.abc import Callable, Mapping
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

CERTAIN_OF_BOTH = 1.96
"""Standard errors by which popularity must raise or lower clicks for a new discount."""

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


def learn_weights(shown: ShownItems, in_use: Weights) -> LearnedWeights:
    """Return the weights and the discount that predict clicks best.

    A discount is learned if, with the one in use, popularity still says something about clicks: at the 5 %
    level of a two-sided test. Weights are taken if they predict clicks better that they were not learned from
    than those in use do: by log loss, at the 5 % level of a one-sided paired test. They add up to 1, and none
    is negative: a source with a negative coefficient is left out, and the others are learned again.
    """
    discounts, why = _discounts(shown, in_use)
    weights: dict[str, dict[str, float]] = {}
    reasons: dict[str, str] = {}
    for surface in SURFACES:
        items = shown.take(shown.surfaces == surface)
        weights[surface], of_sources = _of_surface(items, dict(in_use[surface]), discounts[surface])
        reasons[surface] = f"{of_sources}; discount {why}"
    return LearnedWeights(weights, reasons)


def _discounts(shown: ShownItems, in_use: Weights) -> tuple[dict[str, float], str]:
    """Return the exponent of each surface, and why it was learned or kept."""
    now = {surface: in_use[surface].get(DISCOUNT, 0.0) for surface in SURFACES}
    if reason := _too_few(shown):
        return now, reason
    blended = np.zeros(len(shown.clicked))
    exponents = np.zeros(len(shown.clicked))
    for surface in SURFACES:
        rows = shown.surfaces == surface
        blended[rows] = _logarithms(shown.take(rows), _vector(in_use[surface]))
        exponents[rows] = now[surface]
    popularity = np.log1p(shown.popularity)
    errors = _standard_errors(np.column_stack([popularity, blended - exponents * popularity]), shown)
    found = f"at equal scores, popularity changes clicks by {errors:+.1f} standard errors"
    if abs(errors) <= CERTAIN_OF_BOTH:
        return now, f"kept: {found}"
    exponent = round(_discount(shown, blended), 4)
    return dict.fromkeys(SURFACES, exponent), f"learned: {found}"


def _standard_errors(columns: Numbers, items: ShownItems) -> float:
    """Return the coefficient of the first column, divided by its standard error.

    The variance is that of Huber and White, because purchases count several times: H⁻¹ (Σ w² r² x xᵀ) H⁻¹
    with H = Σ w p (1 - p) x xᵀ and the residual r = y - p.
    """
    fitted = _fit(columns, items)
    features = np.column_stack([_features(columns, items), np.ones(len(columns))])
    chances, importance = fitted.predict_proba(features[:, :-1])[:, 1], _importance(items)
    # A surface without items has a column of zeros, and all surfaces together are the constant.
    inverse = np.linalg.pinv(features.T @ (features * (importance * chances * (1 - chances))[:, None]))
    scores = features * (importance * (items.clicked - chances))[:, None]
    covariance = inverse @ (scores.T @ scores) @ inverse
    return float(fitted.coef_[0, 0] / np.sqrt(covariance[0, 0]))


def _discount(items: ShownItems, blended: Numbers) -> float:
    """Return the exponent of 1 + popularity by which a score is divided, from 0 to `MAX_DISCOUNT`.

    `blended` is the logarithm of the weighed score. With the logit of a click c · ln(score) -
    d · ln(1 + popularity), the best order is that of score / (1 + popularity)^(d / c).
    """
    fitted = _fit(np.column_stack([blended, np.log1p(items.popularity)]), items)
    of_score, of_popularity = fitted.coef_[0, :2].tolist()
    if of_popularity >= 0:
        return 0.0
    return min(MAX_DISCOUNT, -of_popularity / of_score) if of_score > 0 else MAX_DISCOUNT


def _of_surface(
    items: ShownItems, current: dict[str, float], discount: float
) -> tuple[dict[str, float], str]:
    """Return the weights of a surface with its new discount, and why they were learned or kept."""
    kept = _with_discount(current, discount)
    if reason := _too_few(items):
        return kept, reason
    weights = _weights(items)
    if not weights.any():
        return kept, "kept: no source's score goes with clicks"
    discounted = discount * np.log1p(items.popularity)
    before = _logarithms(items, _vector(current)) - discounted

    def learned(train: Flags) -> Numbers:
        found = _weights(items.take(train))
        return _logarithms(items, found) - discounted if found.any() else before

    is_better, compared = _compared(items, lambda _: before, learned)
    if not is_better:
        return kept, f"kept: {compared}"
    shares = dict(zip(BLENDED, weights.round(4).tolist(), strict=True))
    return _with_discount(shares, discount), f"learned: {compared}"


def _with_discount(weights: Mapping[str, float], discount: float) -> dict[str, float]:
    of_sources = {source: weights[source] for source in BLENDED if source in weights}
    return {**of_sources, DISCOUNT: discount} if discount else of_sources


def _weights(items: ShownItems) -> Numbers:
    """Return the weight of each source, which add up to 1; all 0 if no source's score goes with clicks."""
    found = np.zeros(len(BLENDED))
    used = [number for number in range(len(BLENDED)) if items.scores[:, number].any()]
    while used:
        fitted = _fit(np.column_stack([items.scores[:, used], np.log1p(items.popularity)]), items)
        coefficients = fitted.coef_[0, : len(used)]
        if (coefficients > 0).all():
            found[used] = coefficients / coefficients.sum()
            break
        used = [number for number, value in zip(used, coefficients, strict=True) if value > 0]
    return found


def _vector(weights: Mapping[str, float]) -> Numbers:
    return np.array([weights.get(source, 0.0) for source in BLENDED])


def _logarithms(items: ShownItems, weights: Numbers) -> Numbers:
    """Return the logarithm of the weighed score of each item: float64 [items]."""
    return np.asarray(np.log(np.maximum(items.scores @ (weights / weights.sum()), MIN_SCORE)))


def _folds(items: ShownItems) -> NDArray[np.int64]:
    """Return the fold of each item: int64 [items]."""
    return np.arange(len(items.clicked)) * FOLDS // max(1, len(items.clicked))


def _too_few(items: ShownItems) -> str:
    """Return why these items are too few to learn from, or nothing."""
    clicks, folds = int(items.clicked.sum()), _folds(items)
    of_folds = [items.clicked[folds == each] for each in range(FOLDS)]
    if clicks >= MIN_CLICKS and all(each.any() and not each.all() for each in of_folds):
        return ""
    return f"kept: {clicks:,} clicks to learn from, of at least {MIN_CLICKS:,}"


def _compared(
    items: ShownItems, before: Callable[[Flags], Numbers], after: Callable[[Flags], Numbers]
) -> tuple[bool, str]:
    """Return whether the second ranking predicts clicks better, and both log losses.

    Both return the logarithm of the score by which serving ranks each item, learned from some of the items.
    """
    folds = _folds(items)
    pairs = [
        tuple(
            _loss(ranking(folds != each), items, folds != each, folds == each) for ranking in (before, after)
        )
        for each in range(FOLDS)
    ]
    losses = [np.concatenate(each) for each in zip(*pairs, strict=True)]
    gains = losses[0] - losses[1]
    compared = (
        f"log loss {losses[1].mean():.5f} of items left out, {losses[0].mean():.5f} with what is in use"
    )
    return bool(gains.mean() > CERTAIN * gains.std(ddof=1) / np.sqrt(len(gains))), compared


def _loss(ranking: Numbers, items: ShownItems, train: Flags, test: Flags) -> Numbers:
    """Return the log loss of each item of `test` by its rank score and position, fitted on `train`."""
    fitted, tested = _fit(ranking[train, None], items.take(train)), items.take(test)
    predicted = fitted.predict_log_proba(_features(ranking[test, None], tested))
    return np.asarray(
        -predicted[np.arange(len(tested.clicked)), tested.clicked.astype(int)] * _importance(tested)
    )


def _fit(columns: Numbers, items: ShownItems) -> LogisticRegression:
    regression = LogisticRegression(C=1.0, max_iter=1_000)
    return regression.fit(_features(columns, items), items.clicked, sample_weight=_importance(items))


def _features(columns: Numbers, items: ShownItems) -> Numbers:
    """Return the columns, [items, n], the logarithm of the position, and the surface: [items, n + 4]."""
    surfaces = [items.surfaces == surface for surface in SURFACES]
    return np.column_stack([columns, np.log(items.positions), *surfaces])


def _importance(items: ShownItems) -> Numbers:
    return np.where(items.clicked & items.bought, BOUGHT_WEIGHT, 1.0)
