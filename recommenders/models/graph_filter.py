"""Filters on the graph of shoppers and products: smoothing, sharpening, and an ideal low-pass filter."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, csr_matrix
from sklearn.utils.extmath import randomized_svd

from recommenders.base import ItemWeights, Model, affinity_with_bounded_gram
from recommenders.histories import Floats, Histories
from recommenders.interactions import Interactions
from recommenders.sparse import largest_of_product, largest_per_row, linkprop_weights, powers, scaled

SEED = 0


@dataclass
class GraphFilter(ItemWeights):
    """W = P + `second` · P · Q, P = D_i^−history · Rᵀ · D_u^−shopper · R · D_i^−target, plus an ideal filter.

    R is the affinity; D_u and D_i hold its row and column sums. Q is P with rows that sum to 1, so P · Q
    has the scale of P. Each row keeps its `neighbours` largest values. A positive `second` smooths further, a
    negative one sharpens. The ideal low-pass filter is D_i^−½ V Vᵀ D_i^½, where V holds the first `factors`
    right singular vectors of D_u^−½ R D_i^−½. Its scores are scaled to `ideal` times the size of the scores
    by W.

    Sources: Shen et al., How Powerful is Graph Convolution for Recommendation? (GF-CF), CIKM 2021; Park et
    al., Turbo-CF, SIGIR 2024 (polynomials); Choi et al., Blurring-Sharpening Process Models, SIGIR 2023; the
    separate exponents: Fu et al., Revisiting Neighborhood-based Link Prediction (LinkProp), WSDM 2022.
    """

    NAME = "graph_filter"
    SPACE: ClassVar[dict[str, tuple[Any, ...]]] = {
        "shopper": (0.5, 1.0, 0.25),
        "history": (0.7, 0.5, 0.3),
        "target": (0.3, 0.5, 0.1),
        "second": (0.0, 0.3, -0.2),
        "ideal": (0.0, 0.1, 0.3),
        "decay": (1.0, 0.8, 0.5),
        "trend": (1.0, 0.0),
    }

    trend: float = 1.0
    shopper: float = 0.5
    history: float = 0.7
    target: float = 0.3
    second: float = 0.0
    ideal: float = 0.0
    factors: int = 128
    neighbours: int = 500

    def _learn(self, log: Interactions) -> dict[str, NDArray[Any]]:
        weights = super()._learn(log)
        size = min(self.factors, min(log.affinity.shape) - 1)
        if self.ideal == 0.0 or size < 1:
            return weights
        normalised = csr_matrix(scaled(log.affinity, 0.5, 0.5))
        _, _, vectors = randomized_svd(normalised, size, n_iter=3, random_state=SEED)
        degrees = np.asarray(log.affinity.sum(axis=0))
        return weights | {
            "said": (vectors * powers(degrees, -0.5)).astype(np.float32),
            "meant": (vectors * powers(degrees, 0.5) * self._trend(log)).astype(np.float32),
        }

    def _item_weights(self, log: Interactions) -> csr_array:
        affinity = affinity_with_bounded_gram(log)
        first = linkprop_weights(affinity, self.shopper, self.history, self.target, self.neighbours)
        if not self.second:
            return first
        second = largest_of_product(first, scaled(first, 1.0, 0.0), self.neighbours, diagonal=True)
        return largest_per_row(csr_array(first + second * np.float32(self.second)), self.neighbours)

    def scores(self, histories: Histories) -> Floats:
        """Return the filtered histories. The size of scores is their root mean square over the products."""
        scores = super().scores(histories)
        if "said" not in self.arrays:
            return scores
        matrix = histories.with_decay(self.decay).matrix(self.product_count)
        smooth = (matrix @ self._history_factors) @ self.arrays["meant"]
        scores += self.ideal * _size(scores) / np.maximum(_size(smooth), 1e-12) * smooth
        return scores

    def _nearest_neighbours(self) -> csr_array:
        """Return the largest values of each row of W, or the results of `similar` with an ideal filter."""
        return super()._nearest_neighbours() if "said" not in self.arrays else Model._nearest_neighbours(self)

    @cached_property
    def _history_factors(self) -> Floats:
        return np.ascontiguousarray(self.arrays["said"].T)


def _size(scores: Floats) -> Floats:
    return np.asarray(np.sqrt(np.mean(np.square(scores), axis=1, keepdims=True)), np.float32)
