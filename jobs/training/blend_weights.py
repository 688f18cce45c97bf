"""Learns the weights of the sources of recommendations from what was shown, clicked and bought. Pure.

For each surface, a logistic regression predicts a click from the sources' scores, the popularity of the
product and the position. Only the coefficients of the scores become weights (`click_regression`).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from jobs.training.click_regression import (
    FOLDS,
    Flags,
    Numbers,
    ShownItems,
    features_of,
    fit,
    folds_of,
    importance_of,
    logarithms,
    too_few,
    vector,
)
from jobs.training.popularity_discount import learn_discounts
from schemas.published_model.weights import BLENDED, DISCOUNT, SURFACES, Weights

CERTAIN = 1.645
"""Standard errors by which learned weights must be better."""


@dataclass(frozen=True)
class LearnedWeights:
    """The weights of each surface: learned ones, or those in use. `reasons` says for each surface why."""

    weights: Weights
    reasons: dict[str, str]


def learn_weights(shown: ShownItems, in_use: Weights) -> LearnedWeights:
    """Return the weights and the discount that predict clicks best.

    Weights are taken if they predict clicks that they were not learned from better than those in use do: by
    log loss, at the 5 % level of a one-sided paired test. They add up to 1, and none is negative: a source
    with a negative coefficient is left out, and the others are learned again. `learn_discounts` says when a
    discount is taken.
    """
    discounts, why = learn_discounts(shown, in_use)
    weights: dict[str, dict[str, float]] = {}
    reasons: dict[str, str] = {}
    for surface in SURFACES:
        items = shown.take(shown.surfaces == surface)
        weights[surface], of_sources = _of_surface(items, dict(in_use[surface]), discounts[surface])
        reasons[surface] = f"{of_sources}; discount {why}"
    return LearnedWeights(weights, reasons)


def _of_surface(
    items: ShownItems, current: dict[str, float], discount: float
) -> tuple[dict[str, float], str]:
    """Return the weights of a surface with its new discount, and why they were learned or kept."""
    kept = _with_discount(current, discount)
    if reason := too_few(items):
        return kept, reason
    weights = _weights(items)
    if not weights.any():
        return kept, "kept: no source's score goes with clicks"
    discounted = discount * np.log1p(items.popularity)
    before = logarithms(items, vector(current)) - discounted

    def learned(train: Flags) -> Numbers:
        found = _weights(items.take(train))
        return logarithms(items, found) - discounted if found.any() else before

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
        fitted = fit(np.column_stack([items.scores[:, used], np.log1p(items.popularity)]), items)
        coefficients = fitted.coef_[0, : len(used)]
        if (coefficients > 0).all():
            found[used] = coefficients / coefficients.sum()
            break
        used = [number for number, value in zip(used, coefficients, strict=True) if value > 0]
    return found


def _compared(
    items: ShownItems, before: Callable[[Flags], Numbers], after: Callable[[Flags], Numbers]
) -> tuple[bool, str]:
    """Return whether the second ranking predicts clicks better, and both log losses.

    Both return the logarithm of the score by which serving ranks each item, learned from some of the items.
    """
    folds = folds_of(items)
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
    fitted, tested = fit(ranking[train, None], items.take(train)), items.take(test)
    predicted = fitted.predict_log_proba(features_of(ranking[test, None], tested))
    return np.asarray(
        -predicted[np.arange(len(tested.clicked)), tested.clicked.astype(int)] * importance_of(tested)
    )
