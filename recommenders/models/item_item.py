"""Recommends products with the same shoppers as those of the history: cosine, TF-IDF or BM25."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from scipy.sparse import csr_array

from recommenders.base import ItemWeights, affinity_with_bounded_gram
from recommenders.interactions import Interactions
from recommenders.sparse import largest_of_product, powers, transposed


@dataclass
class ItemItem(ItemWeights):
    """W = XᵀX with the `neighbours` largest values of each row. X is the affinity x, weighted by `weighting`.

    - cosine: x / |x(i)|
    - tfidf: the same with x · idf(u) for x, where idf(u) = ln(1 + N / (1 + n(u))) for N products, of which
      shopper u has n(u)
    - bm25: x · (K1 + 1) / (K1 · (1 − B + B · d(i)) + x) · idf(u), where d(i) is Σ x(i) relative to its mean

    Sources: Sarwar et al., Item-based Collaborative Filtering, WWW 2001; Robertson and Zaragoza, The
    Probabilistic Relevance Framework, 2009, with products as documents and shoppers as words.
    """

    NAME = "item_item"
    SPACE: ClassVar[dict[str, tuple[Any, ...]]] = {
        "weighting": ("cosine", "tfidf", "bm25"),
        "neighbours": (500, 100, 30),
        "decay": (1.0, 0.8, 0.5),
        "trend": (0.0, 1.0),
    }
    K1: ClassVar[float] = 1.2
    B: ClassVar[float] = 0.5

    weighting: str = "cosine"
    neighbours: int = 500

    def _item_weights(self, log: Interactions) -> csr_array:
        weighted = self._weighted(affinity_with_bounded_gram(log))
        return largest_of_product(transposed(weighted), weighted, self.neighbours)

    def _weighted(self, matrix: csr_array) -> csr_array:
        values, columns = matrix.data.copy(), matrix.indices
        if self.weighting != "cosine":
            idf = np.log1p(matrix.shape[1] / (1.0 + np.diff(matrix.indptr)))
            values *= np.repeat(idf, np.diff(matrix.indptr)).astype(np.float32)
        if self.weighting == "bm25":
            sums = np.asarray(matrix.sum(axis=0))
            lengths = 1.0 - self.B + self.B * sums / max(sums[sums > 0].mean(), 1e-9)
            values *= (self.K1 + 1.0) / (self.K1 * lengths[columns] + matrix.data)
        else:
            squares = np.bincount(columns, values.astype(np.float64) ** 2, minlength=matrix.shape[1])
            values *= powers(squares.astype(np.float32), -0.5)[columns]
        return csr_array((values.astype(np.float32), columns, matrix.indptr), shape=matrix.shape)
