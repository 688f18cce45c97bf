"""Learns by how much popular products are ranked lower than their scores say. Pure.

A regression of clicks over all surfaces gives the exponent, from the logarithms of the weighed score and of
the popularity. It is the same on all surfaces, because the lists of one surface alone tell too little: they
are ordered by the scores, so the scores of what they show hardly differ.
"""

import numpy as np

from jobs.training.click_regression import (
    Numbers,
    ShownItems,
    fit,
    logarithms,
    standard_errors,
    too_few,
    vector,
)
from schemas.published_model.weights import DISCOUNT, MAX_DISCOUNT, SURFACES, Weights

CERTAIN_OF_BOTH = 1.96
"""Standard errors by which popularity must raise or lower clicks for a new discount."""


def learn_discounts(shown: ShownItems, in_use: Weights) -> tuple[dict[str, float], str]:
    """Return the exponent of each surface, and why it was learned or kept.

    It is learned if, with the one in use, popularity still says something about clicks: at the 5 % level of a
    two-sided test.
    """
    now = {surface: in_use[surface].get(DISCOUNT, 0.0) for surface in SURFACES}
    if reason := too_few(shown):
        return now, reason
    blended = np.zeros(len(shown.clicked))
    exponents = np.zeros(len(shown.clicked))
    for surface in SURFACES:
        rows = shown.surfaces == surface
        blended[rows] = logarithms(shown.take(rows), vector(in_use[surface]))
        exponents[rows] = now[surface]
    popularity = np.log1p(shown.popularity)
    errors = standard_errors(np.column_stack([popularity, blended - exponents * popularity]), shown)
    found = f"at equal scores, popularity changes clicks by {errors:+.1f} standard errors"
    if abs(errors) <= CERTAIN_OF_BOTH:
        return now, f"kept: {found}"
    exponent = round(_discount(shown, blended), 4)
    if set(now.values()) == {exponent}:
        return now, f"kept: {found}, but {exponent:g} is the limit"
    return dict.fromkeys(SURFACES, exponent), f"learned: {found}"


def _discount(items: ShownItems, blended: Numbers) -> float:
    """Return the exponent of 1 + popularity by which a score is divided, from 0 to `MAX_DISCOUNT`.

    `blended` is the logarithm of the weighed score. With the logit of a click c · ln(score) -
    d · ln(1 + popularity), the best order is that of score / (1 + popularity)^(d / c).
    """
    fitted = fit(np.column_stack([blended, np.log1p(items.popularity)]), items)
    of_score, of_popularity = fitted.coef_[0, :2].tolist()
    if of_popularity >= 0:
        return 0.0
    return min(MAX_DISCOUNT, -of_popularity / of_score) if of_score > 0 else MAX_DISCOUNT
