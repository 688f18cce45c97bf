"""The base class of models that learn one sparse matrix of weights between products."""

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from recommenders.base import Model, csr_from_arrays, csr_to_arrays
from recommenders.compact import NEIGHBOURS
from recommenders.histories import Floats, Histories, Ints
from recommenders.interactions import Interactions
from recommenders.recency import trend_ratios
from recommenders.sparse import csr_parts, dense_product, largest_per_row
from recommenders.vocabulary import Codes


@dataclass
class ItemWeights(Model):
    """score(i | h) = t(i)^trend · Σ decay^age(j) · W[j, i] over the events j of the history h.

    The newest event has age 0. t is `recency.trend_ratios`: it corrects W, which counts old and recent events
    alike, for changes of popularity. Source: Saerens, Latinne and Decaestecker, Adjusting the Outputs of a
    Classifier to New a Priori Probabilities, Neural Computation 2002.
    """

    WITHOUT_ORDER: ClassVar[Mapping[str, Any]] = {"decay": 1.0, "trend": 0.0}

    decay: float = 1.0
    trend: float = 0.0

    def _learn(self, log: Interactions) -> dict[str, NDArray[Any]]:
        weights = self._item_weights(log)
        values = weights.data * self._trend(log)[weights.indices]
        return csr_to_arrays("weights", csr_array((values, weights.indices, weights.indptr), weights.shape))

    def _trend(self, log: Interactions) -> Floats:
        """Return t(i)^trend, float32 [products]."""
        return np.asarray(np.power(trend_ratios(log), self.trend), np.float32)

    @abstractmethod
    def _item_weights(self, log: Interactions) -> csr_array:
        """Return W: CSR float32 [products, products], with few values per row."""

    def scores(self, histories: Histories) -> Floats:
        """Return the decayed sums of the rows of `weights`."""
        return dense_product(histories.with_decay(self.decay), self._parts, self.product_count)

    def _nearest_neighbours(self) -> csr_array:
        """Return the largest weights of each row."""
        return largest_per_row(self.weights, NEIGHBOURS, diagonal=False)

    @property
    def history_decay(self) -> float:
        """The same decay as in `scores`."""
        return self.decay

    @cached_property
    def weights(self) -> csr_array:
        """W with its columns multiplied by the trend: CSR float32 [products, products]."""
        return csr_from_arrays("weights", self.arrays, self.product_count)

    @cached_property
    def _parts(self) -> tuple[Ints, Codes, Floats]:
        return csr_parts(self.weights)
