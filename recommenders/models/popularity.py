"""Recommends the most popular products: in a recent window, decayed with age, in the shopper's categories."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from recommenders.base import Model
from recommenders.histories import Floats, Histories
from recommenders.interactions import Interactions, relative_ages


@dataclass
class Popularity(Model):
    """score(u, i) = p(i) · (1 + own · share of u's events in the category of i).

    p(i) = Σ weight · 2^(−age / half-life) over the events of i in the window, divided by the largest sum. The
    window and the half-life are relative to the log's length in time, or in events if it has no times. They
    have no effect if the log has no order.

    Source: the decayed variant of Ji, Sun, Zhang and Li, A Re-visit of the Popularity Baseline in Recommender
    Systems, SIGIR 2020.
    """

    NAME = "popularity"
    SPACE: ClassVar[dict[str, tuple[Any, ...]]] = {
        "window": (1.0, 0.3, 0.1, 0.03),
        "half_life": (1.0, 0.1, 0.02),
        "own": (0.0, 1.0, 10.0),
    }
    WITHOUT_ORDER: ClassVar[dict[str, Any]] = {"window": 1.0, "half_life": 1.0}

    window: float = 1.0
    half_life: float = 1.0
    own: float = 0.0

    def _learn(self, log: Interactions) -> dict[str, NDArray[Any]]:
        ages = relative_ages(log)
        weights = log.weights * np.exp2(-ages / self.half_life) * (ages <= self.window)
        decayed = np.bincount(log.products, weights, minlength=log.product_count)
        learned = {"decayed": (decayed / decayed.max()).astype(np.float32)}
        return learned if log.categories is None else learned | {"categories": log.categories}

    def scores(self, histories: Histories) -> Floats:
        """Return the popularity of the products, increased for the categories of each history."""
        scores = np.tile(self.arrays["decayed"], (len(histories), 1)).astype(np.float32)
        categories = self.arrays.get("categories")
        if categories is None or self.own == 0.0 or categories.max() < 0:
            return scores
        shares = np.zeros((len(histories), categories.max() + 2), np.float32)
        np.add.at(shares, (histories.rows, categories[histories.products]), 1.0)
        shares[:, -1] = 0.0
        shares /= np.maximum(histories.lengths, 1)[:, None]
        return np.asarray(scores * (1.0 + self.own * shares[:, categories]), np.float32)
