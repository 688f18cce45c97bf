"""Ridge regression of each product on the other products, with degree-normalised counts."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from scipy.linalg import inv
from scipy.sparse import csr_array

from recommenders.gram_limit import affinity_with_bounded_gram
from recommenders.histories import Floats
from recommenders.interactions import Interactions
from recommenders.item_weights import ItemWeights
from recommenders.local_ridge import solve
from recommenders.sparse import largest_of_product, powers, scaled, transposed

MAX_DENSE_PRODUCTS = 6_000
"""Up to this many products, a dense inverse (float32, 144 MB) is faster than one system per product."""

COLUMNS_AT_ONCE = 500
"""Columns whose largest weights are found together, because copies of all of them take memory."""


@dataclass
class Ridge(ItemWeights):
    """W = D^−degree · B · D^degree, where B minimises |X − X B|² + λ |B|² and has a zero diagonal.

    X = D_u^−shopper/2 R D^−degree, where R is the affinity, and D_u and D hold its row and column sums. λ is
    `regularisation` times the mean of the diagonal of XᵀX. Up to `MAX_DENSE_PRODUCTS` products, B = I − P ·
    diag(1 / P) with P = (XᵀX + λ I)⁻¹ (Steck, Embarrassingly Shallow Autoencoders, WWW 2019). Each column of
    this B keeps its `kept` weights of the largest absolute value, positive or negative. With more products,
    each column has weights only for its `candidates` nearest products, as in Ning and Karypis (fsSLIM, ICDM
    2011) and Levy and Jack (Efficient Top-N Recommendation by Linear Regression, 2013).
    """

    NAME = "ridge"
    SPACE: ClassVar[dict[str, tuple[Any, ...]]] = {
        "shopper": (0.5, 0.0, 1.0),
        "degree": (0.3, 0.1, 0.5),
        "regularisation": (3.0, 1.0, 10.0, 0.3),
        "decay": (1.0, 0.8, 0.5),
        "trend": (0.0, 1.0),
    }

    shopper: float = 0.5
    degree: float = 0.3
    regularisation: float = 3.0
    candidates: int = 300
    kept: int = 1_000

    def _item_weights(self, log: Interactions) -> csr_array:
        affinity = affinity_with_bounded_gram(log, held=log.product_count > MAX_DENSE_PRODUCTS)
        normalised = scaled(affinity, self.shopper / 2, self.degree)
        by_product = transposed(normalised)
        gram = csr_array(by_product @ normalised)
        penalty = self.regularisation * max(float(gram.diagonal().mean()), 1e-9)
        if log.product_count <= MAX_DENSE_PRODUCTS:
            dense = gram.astype(np.float32).toarray()
            del gram  # up to three times as large
            solved = _solve_dense(dense, penalty, self.kept)
        else:
            chosen = largest_of_product(by_product, normalised, self.candidates)
            solved = transposed(solve(gram, chosen, penalty))
        degrees = np.asarray(affinity.sum(axis=0))
        values = solved.data * powers(degrees, self.degree)[solved.indices]
        values *= np.repeat(powers(degrees, -self.degree), np.diff(solved.indptr))
        return csr_array((values, solved.indices, solved.indptr), shape=solved.shape)


def _solve_dense(gram: Floats, penalty: float, kept: int) -> csr_array:
    """Return B with the `kept` weights of the largest absolute value in each column. Overwrites `gram`.

    Raises:
        MemoryError: there is no room for the inverse.
    """
    gram[np.diag_indices_from(gram)] += penalty
    try:
        weights: Floats = inv(gram, overwrite_a=True)
    except RuntimeError as error:  # SciPy's name for a failed allocation
        raise MemoryError(str(error)) from error
    weights /= -np.diag(weights)
    np.fill_diagonal(weights, 0.0)
    if kept < len(weights):
        for first in range(0, len(weights), COLUMNS_AT_ONCE):
            columns = weights[:, first : first + COLUMNS_AT_ONCE]
            sizes = np.abs(columns)
            bound = -np.partition(-sizes, kept, axis=0)[kept]
            columns[sizes <= bound] = 0.0
    return csr_array(weights)
