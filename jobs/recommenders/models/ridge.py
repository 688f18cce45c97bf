"""A linear model of each product on those that go with it, of degree-normalised counts."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from scipy.linalg import inv
from scipy.sparse import csr_array

from jobs.recommenders.compiled import compiled
from jobs.recommenders.histories import Floats, Ints
from jobs.recommenders.interactions import Interactions
from jobs.recommenders.item_weights import ItemWeights
from jobs.recommenders.sparse import from_rows, largest_of_product, powers, scaled
from jobs.recommenders.vocabulary import Codes

DENSE = 6_000
"""Up to so many products one dense inverse (float32, 144 MB) is faster than a system for each product."""


@dataclass
class Ridge(ItemWeights):
    """W = D^−degree · B · D^degree, B minimising |X − X B|² + λ |B|² with a diagonal of zeros.

    X = D_u^−shopper/2 R D^−degree, λ = `regularisation` · mean of the gram's diagonal. Up to `DENSE` products
    B = I − P · diag(1 / P) with P = (XᵀX + λ I)⁻¹ (Steck, Embarrassingly Shallow Autoencoders, WWW 2019).
    With more, each column is solved on its `candidates` closest products alone, after Ning and Karypis
    (fsSLIM, ICDM 2011) and Levy and Jack (Efficient Top-N Recommendation by Linear Regression, 2013).
    """

    NAME = "ridge"
    SPACE: ClassVar[dict[str, tuple[Any, ...]]] = {
        "shopper": (0.5, 0.0, 1.0),
        "degree": (0.3, 0.1, 0.5),
        "regularisation": (1.0, 0.3, 3.0, 10.0),
        "decay": (1.0, 0.8, 0.5),
    }

    shopper: float = 0.5
    degree: float = 0.3
    regularisation: float = 1.0
    candidates: int = 150
    neighbours: int = 500

    def _weigh(self, log: Interactions) -> csr_array:
        normalised = scaled(log.affinity, self.shopper / 2, self.degree)
        gram = csr_array(normalised.T.tocsr() @ normalised)
        regular = self.regularisation * max(float(gram.diagonal().mean()), 1e-9)
        if log.product_count <= DENSE:
            solved = _inverted(gram, regular, self.neighbours)
        else:
            solved = self._local(normalised, gram, regular)
        degrees = np.asarray(log.affinity.sum(axis=0))
        values = solved.data * powers(degrees, self.degree)[solved.indices]
        values *= np.repeat(powers(degrees, -self.degree), np.diff(solved.indptr))
        return from_rows(
            csr_array((values, solved.indices, solved.indptr), shape=solved.shape), self.neighbours
        )

    def _local(self, normalised: csr_array, gram: csr_array, regular: float) -> csr_array:
        chosen = largest_of_product(csr_array(normalised.T.tocsr()), normalised, self.candidates)
        weights = np.zeros(chosen.nnz, np.float32)
        indptr, indices = chosen.indptr.astype(np.int64), chosen.indices.astype(np.int32)
        parts = gram.indptr.astype(np.int64), gram.indices.astype(np.int32), gram.data.astype(np.float32)
        _solve(parts, indptr, indices, regular, weights)
        columns = csr_array((weights, indices, indptr), shape=chosen.shape)
        return csr_array(columns.T.tocsr())


def _inverted(gram: csr_array, regular: float, most: int) -> csr_array:
    """B, with the `most` largest values > 0 of each row."""
    dense = gram.toarray().astype(np.float32)
    dense[np.diag_indices_from(dense)] += regular
    inverse = inv(dense, overwrite_a=True)
    weights = inverse / -np.diag(inverse)
    np.fill_diagonal(weights, 0.0)
    return from_rows(csr_array(weights), most)


@compiled
def _solve(
    gram: tuple[Ints, Codes, Floats], indptr: Ints, chosen: Codes, regular: float, weights: Floats
) -> None:
    """The weights of each product's candidates, from the rows and columns of the gram that are theirs."""
    places = np.full(len(indptr) - 1, -1, np.int32)
    for product in range(len(indptr) - 1):
        mine = chosen[indptr[product] : indptr[product + 1]]
        if len(mine) == 0:
            continue
        system = np.zeros((len(mine), len(mine)), np.float32)
        right = np.zeros(len(mine), np.float32)
        for place in range(len(mine)):
            places[mine[place]] = place
        for place in range(len(mine)):
            for at in range(gram[0][mine[place]], gram[0][mine[place] + 1]):
                column = gram[1][at]
                if places[column] >= 0:
                    system[place, places[column]] = gram[2][at]
                elif column == product:
                    right[place] = gram[2][at]
            system[place, place] += regular
        weights[indptr[product] : indptr[product + 1]] = np.linalg.solve(system, right)
        for other in mine:
            places[other] = -1
