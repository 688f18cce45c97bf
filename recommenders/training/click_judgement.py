"""Judges models by the clicks on random lists, before shoppers get them. Pure.

In a random list, the place says nothing about the product. So the better model gives the clicked products
higher scores than the others of the list, by the neighbours of the products of the history, as in serving.
A model is judged by the share of such pairs that it orders right (the area under the ROC curve within a
list), with 1/2 for equal scores.

Only products that co-visits or popularity chose are compared: what the model in use chose by mistake is in
the lists, and what another model would have chosen by mistake is not.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from recommenders.base import Model
from recommenders.experiments.intervals import Interval
from recommenders.experiments.judgement import Floats, ips
from recommenders.training.blend_weights import MIN_VISITORS
from recommenders.training.neighbour_rows import NEIGHBOURS, best_neighbours
from recommenders.training.training_data import RandomList

MIN_LISTS = 200
"""With fewer lists, nothing is judged."""


@dataclass(frozen=True)
class ClickJudgement:
    """The mean share of pairs that each of two models orders right, and challenger less champion.

    `lists` is the number of random lists. The interval (95 %) is by visitor.
    """

    lists: int
    challenger: float
    champion: float
    difference: Interval

    @property
    def is_conclusive(self) -> bool:
        """Return whether one of them is certainly better."""
        return self.difference.is_above_zero or self.difference.is_below_zero

    def __str__(self) -> str:
        found = self.difference
        return (
            f"clicks on {self.lists:,} random lists ordered {found.estimate:+.4f} "
            f"({found.low:+.4f} to {found.high:+.4f})"
        )


def judge_models(challenger: Model, champion: Model, lists: Sequence[RandomList]) -> ClickJudgement | None:
    """Compare two models that have not learned from the events after these lists.

    Lists are left out where neither has a score for any product. None with fewer than `MIN_LISTS` of them, or
    of fewer than `MIN_VISITORS`.
    """
    ordered = [ordered_right(model, lists) for model in (challenger, champion)]
    is_known = ~(np.isnan(ordered[0]) & np.isnan(ordered[1]))
    if is_known.sum() < MIN_LISTS:
        return None
    # Without any score, a model orders like a coin.
    ours, theirs = (np.nan_to_num(each[is_known], nan=0.5) for each in ordered)
    names = [each.visitor for each, known in zip(lists, is_known, strict=True) if known]
    distinct, visitors = np.unique(names, return_inverse=True)
    if len(distinct) < MIN_VISITORS:
        return None
    difference = ips(ours - theirs, np.ones(len(ours)), visitors).interval
    return ClickJudgement(len(ours), float(ours.mean()), float(theirs.mean()), difference)


def ordered_right(model: Model, lists: Sequence[RandomList]) -> Floats:
    """Return the share of pairs of each list that a model orders right: float64 [lists].

    NaN if the model has no score for any product of the list, or all of its products were clicked.
    """
    codes = {str(product): code for code, product in enumerate(model.vocabulary.ids)}
    rows: dict[str, dict[int, float]] = {}
    found = np.full(len(lists), np.nan)
    for number, each in enumerate(lists):
        scores = _scores(model, each, codes, rows)
        clicked = np.array([product in each.clicked for product in each.products], np.bool_)
        if scores.any() and clicked.any() and not clicked.all():
            differences = scores[clicked][:, None] - scores[~clicked][None, :]
            found[number] = ((differences > 0) + 0.5 * (differences == 0)).mean()
    return found


def _scores(
    model: Model, each: RandomList, codes: Mapping[str, int], rows: dict[str, dict[int, float]]
) -> Floats:
    """Return the score of each product of a list, as serving computes it."""
    totals: dict[int, float] = {}
    for age, product in enumerate(each.history):
        if product not in rows:
            code = codes.get(product)
            rows[product] = {} if code is None else dict(best_neighbours(model.compact, code, NEIGHBOURS))
        for code, score in rows[product].items():
            totals[code] = totals.get(code, 0.0) + model.history_decay**age * score
    return np.array([totals.get(codes.get(product, -1), 0.0) for product in each.products], np.float64)
