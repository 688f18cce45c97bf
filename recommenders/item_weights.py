"""The base class of models that learn one sparse matrix of weights between products.

`affinity_with_bounded_gram` limits the cost of a gram matrix: a shopper with n products adds n² terms to it.
"""

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
from recommenders.histories import Codes, Floats, Histories, Ints, indptr_from_lengths
from recommenders.interactions import Interactions, trend_ratios
from recommenders.sparse import csr_parts, dense_product, largest_per_row, with_values


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
        trended = with_values(weights, weights.data * self._trend(log)[weights.indices])
        return csr_to_arrays("weights", trended)

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

    @cached_property
    def weights(self) -> csr_array:
        """W with its columns multiplied by the trend: CSR float32 [products, products]."""
        return csr_from_arrays("weights", self.arrays, self.product_count)

    @cached_property
    def _parts(self) -> tuple[Ints, Codes, Floats]:
        return csr_parts(self.weights)


MAX_GRAM_TERMS = 20_000_000_000
"""The largest number of terms in the sum of a gram: about a minute on one core."""

MAX_GRAM_VALUES = 400_000_000
"""The largest number of values of a gram in memory: 3.2 GB, and at most as much again for its dense part."""


def affinity_with_bounded_gram(log: Interactions, held: bool = False) -> csr_array:
    """Return the log's affinity, limited to the newest products of each shopper if the gram is too large.

    Without an order, these are random products.

    A gram is too large if its sum has more than `MAX_GRAM_TERMS` terms or, with `held` (the caller holds the
    whole gram in memory), if it has more than `MAX_GRAM_VALUES` values. The limit on products per shopper is
    half of the largest number, then a quarter, and so on, until the gram is small enough.
    """
    counts = np.diff(log.affinity.indptr).astype(np.int64)
    limit = int(counts.max())
    while limit > 1 and _is_too_large(log.affinity, np.minimum(counts, limit), held):
        limit //= 2
    return log.affinity if limit == counts.max() else _newest_products(log, limit)


def _is_too_large(affinity: csr_array, counts: Ints, held: bool) -> bool:
    if (counts**2).sum() > MAX_GRAM_TERMS:
        return True
    if not held:
        return False
    row_bounds = np.bincount(affinity.indices, np.repeat(counts, np.diff(affinity.indptr)), affinity.shape[1])
    return bool(np.minimum(row_bounds, affinity.shape[1]).sum() > MAX_GRAM_VALUES)


def _newest_products(log: Interactions, limit: int) -> csr_array:
    affinity, histories = log.affinity, log.histories
    kept = np.ones(affinity.nnz, np.bool_)
    for row in np.flatnonzero(np.diff(affinity.indptr) > limit):
        start, end = affinity.indptr[row], affinity.indptr[row + 1]
        newest_first = histories.products[histories.indptr[row] : histories.indptr[row + 1]][::-1]
        distinct, places = np.unique(newest_first, return_index=True)
        kept[start:end] = np.isin(affinity.indices[start:end], distinct[np.argsort(places)[:limit]])
    indptr = indptr_from_lengths(kept)[affinity.indptr]
    return csr_array((affinity.data[kept], affinity.indices[kept], indptr), shape=affinity.shape)
