"""What most models are in the end: a sparse matrix of what each product says for each other one."""

from abc import abstractmethod
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from jobs.recommenders.base import Model, as_arrays, as_matrix
from jobs.recommenders.compact import NEIGHBOURS
from jobs.recommenders.histories import Floats, Histories
from jobs.recommenders.interactions import Interactions
from jobs.recommenders.sparse import from_rows


@dataclass
class ItemWeights(Model):
    """score(i | h) = Σ decay^age(j) · W[j, i] over the events j of the history h; the newest has age 0."""

    decay: float = 1.0

    def _learn(self, log: Interactions) -> dict[str, NDArray[Any]]:
        return as_arrays("weights", self._weigh(log))

    @abstractmethod
    def _weigh(self, log: Interactions) -> csr_array:
        """W: CSR float32 [products, products], few values a row."""

    def scores(self, histories: Histories) -> Floats:
        """The decayed sums of the rows of W."""
        found = histories.faded(self.decay).matrix(self.product_count) @ self.weights
        return np.asarray(found.toarray(), np.float32)

    def _nearest(self) -> csr_array:
        """The largest of each row of W."""
        return from_rows(self.weights, NEIGHBOURS, diagonal=False)

    @property
    def fading(self) -> float:
        """As in `scores`."""
        return self.decay

    @cached_property
    def weights(self) -> csr_array:
        """W: CSR float32 [products, products]."""
        return as_matrix("weights", self.arrays, self.product_count)
