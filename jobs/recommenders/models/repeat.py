"""What one took before and takes again."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from jobs.recommenders.base import Model
from jobs.recommenders.histories import Floats, Histories
from jobs.recommenders.interactions import Interactions


@dataclass
class Repeat(Model):
    """score(i | h) = Σ decay^age over the events of i in h · p(i), p how often who took i takes it again.

    p(i) = (repeats of i + `prior` · repeats of all / shoppers of all) / (shoppers of i + `prior`), so that a
    product of few shoppers is taken for one like all (Bayesian shrinkage). Source of the split into repeats
    and the rest: Benson, Kumar and Tomkins, Modeling User Consumption Sequences, WWW 2016.
    """

    NAME = "repeat"
    SPACE: ClassVar[dict[str, tuple[Any, ...]]] = {"decay": (0.8, 0.5, 0.95), "prior": (10.0, 100.0)}

    decay: float = 0.8
    prior: float = 10.0

    def _learn(self, log: Interactions) -> dict[str, NDArray[Any]]:
        events = np.bincount(log.products, minlength=log.product_count)
        repeats = events - log.popularity
        common = repeats.sum() / log.popularity.sum()
        rates = (repeats + self.prior * common) / (log.popularity + self.prior)
        return {"rates": np.maximum(rates, 1e-6).astype(np.float32)}

    def scores(self, histories: Histories) -> Floats:
        """0 for what is not in the history."""
        taken = histories.with_decay(self.decay).matrix(self.product_count).toarray()
        return np.asarray(taken * self.arrays["rates"], np.float32)

    @property
    def history_decay(self) -> float:
        """As in `scores`."""
        return self.decay
