"""Ridge regression of each product on the other products, with degree-normalised counts.

`solve` regresses each product on a few other products, given a large sparse Gram matrix.
"""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from scipy.linalg import inv
from scipy.sparse import csr_array

from recommenders.base import ItemWeights, affinity_with_bounded_gram
from recommenders.compiled import compiled
from recommenders.histories import Codes, Floats, Ints
from recommenders.interactions import Interactions
from recommenders.sparse import csr_parts, largest_of_product, powers, scaled, transposed, with_values

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
        by_row = np.repeat(powers(degrees, -self.degree), np.diff(solved.indptr))
        return with_values(solved, solved.data * powers(degrees, self.degree)[solved.indices] * by_row)


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
            columns[sizes <= -np.partition(-sizes, kept, axis=0)[kept]] = 0.0
    return csr_array(weights)


HEAD = 6_000
"""A dense copy, 144 MB, holds the part of the Gram matrix for this many products with the most neighbours."""

MAX_STEPS = 40
TOLERANCE = 1e-3
"""Conjugate gradients stop when the residual has shrunk to this share of its initial length."""


def solve(gram: csr_array, chosen: csr_array, penalty: float) -> csr_array:
    """Return w for each row j of `chosen`, where (G_cc + λ I) w = G_cj and c are the columns of row j.

    G is `gram`, symmetric CSR float32 [products, products]; λ is `penalty`. The result has the sparsity
    pattern of `chosen`, whose diagonal must be empty. The systems are solved by conjugate gradients.
    """
    head = np.argsort(-np.diff(gram.indptr), kind="stable")[:HEAD]
    places = np.full(gram.shape[0], -1, np.int32)
    places[head] = np.arange(len(head))
    weights = np.zeros(chosen.nnz, np.float32)
    indptr, columns, _ = csr_parts(chosen)
    dense = gram[head][:, head].toarray().astype(np.float32)
    _solve_each(csr_parts(gram), (dense, places), indptr, columns, penalty, weights)
    return csr_array((weights, columns, indptr), shape=chosen.shape)


@compiled
def _solve_each(
    gram: tuple[Ints, Codes, Floats],
    head: tuple[Floats, Codes],
    indptr: Ints,
    chosen: Codes,
    penalty: float,
    weights: Floats,
) -> None:
    starts, columns, values = gram
    places = np.full(len(indptr) - 1, -1, np.int32)
    for product in range(len(indptr) - 1):
        selected = chosen[indptr[product] : indptr[product + 1]]
        if len(selected) == 0:
            continue
        for place in range(len(selected)):
            places[selected[place]] = place
        system = _system(gram, head, selected, places, penalty)
        right = np.zeros(len(selected), np.float32)
        for at in range(starts[product], starts[product + 1]):
            if places[columns[at]] >= 0:
                right[places[columns[at]]] = values[at]
        _conjugate_gradients(system, right, weights[indptr[product] : indptr[product + 1]])
        for other in selected:
            places[other] = -1


@compiled
def _system(
    gram: tuple[Ints, Codes, Floats],
    head: tuple[Floats, Codes],
    selected: Codes,
    places: Codes,
    penalty: float,
) -> Floats:
    """Return G_cc + λ I.

    The rows of head products are long, so values between two head products come from the dense copy. All
    other values are read from the sparse rows of the remaining products, and written to both triangles.
    """
    starts, columns, values = gram
    dense, head_places = head
    system = np.zeros((len(selected), len(selected)), np.float32)
    for place in range(len(selected)):
        head_place = head_places[selected[place]]
        if head_place >= 0:
            for other in range(len(selected)):
                if head_places[selected[other]] >= 0:
                    system[place, other] = dense[head_place, head_places[selected[other]]]
            continue
        for at in range(starts[selected[place]], starts[selected[place] + 1]):
            other = places[columns[at]]
            if other >= 0:
                system[place, other] = values[at]
                system[other, place] = values[at]
    for place in range(len(selected)):
        system[place, place] += penalty
    return system


@compiled
def _conjugate_gradients(system: Floats, right: Floats, solution: Floats) -> None:
    """Solve by conjugate gradients (Hestenes and Stiefel, 1952). `solution` holds zeros, then the result."""
    residual = right.copy()
    direction = right.copy()
    size = np.dot(residual, residual)
    target_size = size * TOLERANCE * TOLERANCE
    for _ in range(MAX_STEPS):
        if size <= target_size:
            break
        moved = np.dot(system, direction)
        length = size / np.dot(direction, moved)
        solution += length * direction
        residual -= length * moved
        previous_size = size
        size = np.dot(residual, residual)
        direction *= size / previous_size
        direction += residual
