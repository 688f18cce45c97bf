"""Learns the weights of the sources of recommendations from what was shown, clicked and bought. Pure.

For each surface, the weights and the discount of popularity are those by which the clicked products of a list
rank above the others. Weights are learned from pairs of products of the same list, one clicked and one not.

Only the order within a list matters, so only products of the same list are compared: how willing a visitor is
to click, and how high all scores of a list are, cancels out. The probability that a is the clicked one of a
and b is 1 / (1 + exp(u(b) - u(a))), as in a logistic regression with a constant for each list (Chamberlain,
"Analysis of covariance with qualitative data", 1980). People click first places more often whatever is there,
so the position is a part of u in training, and constant when serving (Guo et al., PAL: a position-bias aware
learning framework for CTR prediction, RecSys 2019).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

from recommenders.histories import run_indices
from schemas.published_model.weights import BLENDED, DISCOUNT, MAX_DISCOUNT, SURFACES, Weights

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
        lengths = np.searchsorted(items.lists, items.lists[items.clicked], side="right") - starts
        clicked, other = np.repeat(np.flatnonzero(items.clicked), lengths), run_indices(starts, lengths)
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


def smoothed(scores: Numbers, weights: Numbers) -> Numbers:
    """Return the weighed score of each item plus `MIN_SCORE`: float64 [items]."""
    return np.asarray(scores @ weights + MIN_SCORE)


MIN_CLICKS = 300
"""With fewer clicks, nothing is learned."""

TEST_SHARE = 1 / 3
"""The newest share of the pairs, on which weights that were learned from the others are compared."""

CERTAIN = 1.645
"""Standard errors by which learned weights must be better."""

MAX_SLOPE = 20.0
"""The largest factor of the logarithm of the score; it keeps the search away from infinity."""

MIN_DIFFERING = 0.01
"""The smallest share of pairs whose scores a source must tell apart to get a weight."""

MAX_STEPS = 100
"""The largest number of steps of a search."""

MAIN_SHARE = 0.7
"""The weight of one source in a start of the search."""


@dataclass(frozen=True)
class LearnedWeights:
    """The weights of each surface: learned ones, or those in use. `reasons` says for each surface why."""

    weights: Weights
    reasons: dict[str, str]


@dataclass(frozen=True)
class Ranking:
    """The weight of each of `BLENDED`, which add up to 1, and the exponent of 1 + popularity."""

    weights: Numbers
    discount: float

    @classmethod
    def of(cls, weights: Mapping[str, float]) -> "Ranking":
        """Return the ranking that serving makes with these weights."""
        return cls(np.array([weights.get(each, 0.0) for each in BLENDED]), weights.get(DISCOUNT, 0.0))

    def plain(self) -> dict[str, float]:
        """Return the weights as serving reads them; sources without a weight are left out."""
        shares = zip(BLENDED, self.weights.round(4).tolist(), strict=True)
        discount = round(self.discount, 4)
        return {source: share for source, share in shares if share} | (
            {DISCOUNT: discount} if discount else {}
        )

    def differences(self, pairs: ClickPairs) -> Numbers:
        """Return how much higher the clicked product ranks, and how much further back it was: [pairs, 2]."""
        items = pairs.items
        scores = smoothed(items.scores, self.weights / self.weights.sum())
        ranks = np.log(scores) - self.discount * np.log1p(items.popularity)
        return np.column_stack([pairs.differences(ranks), pairs.differences(np.log(items.positions))])


def learn_weights(shown: ShownItems, in_use: Weights) -> LearnedWeights:
    """Return the weights and the discounts that rank clicked products highest.

    Those of a surface are taken if weights that were learned from the older pairs rank the newest ones better
    than the weights in use do: by log loss, at the 5 % level of a one-sided test by visitor. A surface with
    too few clicks gets what all surfaces together say.
    """
    weights: dict[str, dict[str, float]] = {}
    reasons: dict[str, str] = {}
    of_all = Lesson.of(shown)
    with threadpool_limits(1):  # the matrices are narrow: threads would only wait for each other
        for surface in SURFACES:
            own = shown.take(shown.surfaces == surface)
            lesson = Lesson.of(own) if own.clicked.sum() >= MIN_CLICKS else of_all
            weights[surface], reasons[surface] = lesson.learned(in_use[surface])
    return LearnedWeights(weights, reasons)


@dataclass
class Lesson:
    """What can be learned from some lists. The best rankings are found once, when they are needed."""

    clicks: int
    pairs: ClickPairs

    @classmethod
    def of(cls, items: ShownItems) -> "Lesson":
        """Return the lesson of these lists."""
        return cls(int(items.clicked.sum()), ClickPairs.of(items))

    @cached_property
    def older(self) -> ClickPairs:
        """The pairs from which weights are learned that are tested on the newest ones."""
        return self.pairs.take(~self._is_newest)

    @cached_property
    def newest(self) -> ClickPairs:
        """The pairs on which weights are tested."""
        return self.pairs.take(self._is_newest)

    @cached_property
    def best(self) -> Ranking:
        """The best ranking of all pairs."""
        return best_ranking(self.pairs)

    @cached_property
    def best_of_older(self) -> Ranking:
        """The best ranking of the older pairs."""
        return best_ranking(self.older)

    @property
    def _is_newest(self) -> Flags:
        return np.asarray(np.arange(len(self.pairs)) >= (1 - TEST_SHARE) * len(self.pairs))

    def learned(self, current: Mapping[str, float]) -> tuple[dict[str, float], str]:
        """Return the weights of a surface that has `current` ones, and why they were learned or kept."""
        if self.clicks < MIN_CLICKS or len(self.pairs) < MIN_CLICKS:
            found = f"{self.clicks:,} clicks and {len(self.pairs):,} pairs"
            return dict(current), f"kept: {found} to learn from, of at least {MIN_CLICKS:,} each"
        in_use, learned = (
            _losses(ranking, self.older, self.newest) for ranking in (Ranking.of(current), self.best_of_older)
        )
        compared = f"log loss {learned.mean():.4f} of the newest pairs, {in_use.mean():.4f} with those in use"
        if not _is_better(in_use - learned, self.newest):
            return dict(current), f"kept: {compared}"
        return self.best.plain(), f"learned: {compared}"


def _losses(ranking: Ranking, train: ClickPairs, test: ClickPairs) -> Numbers:
    """Return the log loss of each pair of `test` by a ranking, whose scale is fitted on `train`."""
    columns = ranking.differences(train)
    scale = fit(columns, train)
    if scale[0] < 0.0:  # serving would not rank the other way round
        scale = np.array([0.0, *fit(columns[:, 1:], train)])
    return np.logaddexp(0.0, -(ranking.differences(test) @ scale)) * test.importance


def _is_better(gains: Numbers, pairs: ClickPairs) -> bool:
    """Return whether the mean gain is above 0, with the variance between visitors."""
    by_visitor = np.bincount(np.unique(pairs.visitors, return_inverse=True)[1], gains)
    if len(by_visitor) < MIN_VISITORS:
        return False
    return bool(by_visitor.sum() > CERTAIN * np.sqrt(len(by_visitor)) * by_visitor.std(ddof=1))


def best_ranking(pairs: ClickPairs) -> Ranking:
    """Return the weights and the discount with the least log loss, from several starts of a descent."""
    loss = _loss_of(pairs)
    return min((_descend(loss, start) for start in _starts(pairs)), key=lambda one: one[0])[1]


def _starts(pairs: ClickPairs) -> list[Numbers]:
    """Return equal weights of the sources that tell pairs apart, and one for each with its main weight.

    A source that seldom does is left out: what it would be worth can't be seen.
    """
    scores = pairs.items.scores
    differs = (scores[pairs.clicked] != scores[pairs.other]).mean(axis=0) >= MIN_DIFFERING
    used = differs if differs.any() else np.ones(len(BLENDED), np.bool_)
    equal = used / used.sum()
    mains: Sequence[int] = np.flatnonzero(used).tolist() if used.sum() > 1 else []
    return [equal, *((1 - MAIN_SHARE) * equal + MAIN_SHARE * np.eye(len(BLENDED))[main] for main in mains)]


Loss = Callable[[Numbers], tuple[float, Numbers]]
"""Parameters → the log loss and its gradient."""


def _loss_of(pairs: ClickPairs) -> Loss:
    """Return the mean log loss of pairs by the parameters of a ranking.

    The parameters are the weights, the discount, the factor of the rank (`slope`), and that of the logarithm
    of the position.
    """
    items = pairs.items
    clicked, other = items.scores[pairs.clicked], items.scores[pairs.other]
    popularity = pairs.differences(np.log1p(items.popularity))
    position = pairs.differences(np.log(items.positions))
    importance = pairs.importance / pairs.importance.sum()
    number = len(BLENDED)

    def loss(parameters: Numbers) -> tuple[float, Numbers]:
        weights, (discount, slope, of_position) = parameters[:number], parameters[number:]
        scores = smoothed(clicked, weights), smoothed(other, weights)
        rank = np.log(scores[0] / scores[1]) - discount * popularity
        margin = slope * rank + of_position * position
        pull = -importance * expit(-margin)
        of_weights = slope * ((pull / scores[0]) @ clicked - (pull / scores[1]) @ other)
        # Only the proportions of the weights matter: this term makes them add up to 1.
        excess = weights.sum() - 1.0
        gradient = [*(of_weights + 2 * excess), -slope * (pull @ popularity), pull @ rank, pull @ position]
        return float(importance @ np.logaddexp(0.0, -margin) + excess**2), np.array(gradient)

    return loss


def _descend(loss: Loss, start: Numbers) -> tuple[float, Ranking]:
    """Return the least log loss that is found from the start of the weights, and its ranking.

    A weight of 0 stays 0.
    """
    number = len(start)
    found = minimize(
        loss,
        np.array([*start, 0.0, 0.1, 0.0]),
        jac=True,
        method="L-BFGS-B",
        options={"maxiter": MAX_STEPS},
        bounds=[
            *((0.0, float(share > 0.0)) for share in start),
            (0.0, MAX_DISCOUNT),
            (0.0, MAX_SLOPE),
            (None, None),
        ],
    )
    weights = found.x[:number]
    return float(found.fun), Ranking(weights / weights.sum(), float(found.x[number]))
