"""Recommends products of the history that shoppers often come back to."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from recommenders.base import Model
from recommenders.histories import Floats, Histories
from recommenders.interactions import Interactions


@dataclass
class Repeat(Model):
    """score(i | h) = p(i) · Σ decay^age over the events of product i in history h. p(i) is its repeat rate.

    p(i) = (r(i) + `prior` · Σ r / Σ n) / (n(i) + `prior`), where r(i) is the number of repeated events of i,
    n(i) is the number of its shoppers, and the sums are over all products. This Bayesian shrinkage pulls the
    rate of products with few shoppers towards the mean. Source of the model of repeated events: Benson, Kumar
    and Tomkins, Modeling User Consumption Sequences, WWW 2016.
    """

    NAME = "repeat"
    SPACE: ClassVar[dict[str, tuple[Any, ...]]] = {"decay": (0.8, 0.5, 0.95), "prior": (10.0, 100.0)}
    WITHOUT_ORDER: ClassVar[dict[str, Any]] = {"decay": 1.0}

    decay: float = 0.8
    prior: float = 10.0

    def _learn(self, log: Interactions) -> dict[str, NDArray[Any]]:
        repeats = np.bincount(log.products, minlength=log.product_count) - log.popularity
        common = repeats.sum() / log.popularity.sum()
        rates = (repeats + self.prior * common) / (log.popularity + self.prior)
        return {"rates": np.maximum(rates, 1e-6).astype(np.float32)}

    def scores(self, histories: Histories) -> Floats:
        """Return the scores; 0 for products that are not in the history."""
        event_weights = histories.with_decay(self.decay).matrix(self.product_count).toarray()
        return np.asarray(event_weights * self.arrays["rates"], np.float32)
