"""Solves a ridge regression of each product on a few other products, given a large sparse Gram matrix."""

import numpy as np
from scipy.sparse import csr_array

from recommenders.compiled import compiled
from recommenders.histories import Floats, Ints
from recommenders.sparse import csr_parts
from recommenders.vocabulary import Codes

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
