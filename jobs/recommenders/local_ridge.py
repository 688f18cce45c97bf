"""Ridge regressions of every product on few others, each a small system of a large sparse gram."""

import numpy as np
from scipy.sparse import csr_array

from jobs.recommenders.compiled import compiled
from jobs.recommenders.conjugate_gradients import step
from jobs.recommenders.histories import Floats, Ints
from jobs.recommenders.sparse import csr_parts
from jobs.recommenders.vocabulary import Codes

HEAD = 6_000
"""The products with most neighbours; their part of the gram is looked up in a dense array of 144 MB."""

STEPS = 40
TOLERANCE = 1e-3
"""Conjugate gradients end when the residual has this share of its first size."""


def solve(gram: csr_array, chosen: csr_array, regular: float) -> csr_array:
    """For each row j of `chosen`, w with (G_cc + λ I) w = G_cj, c being the columns chosen for j.

    `gram` is a symmetric CSR float32 [products, products], λ is `regular`; the result has the pattern of
    `chosen`, which must not hold the diagonal. By conjugate gradients.
    """
    head = np.argsort(-np.diff(gram.indptr), kind="stable")[:HEAD]
    places = np.full(gram.shape[0], -1, np.int32)
    places[head] = np.arange(len(head))
    weights = np.zeros(chosen.nnz, np.float32)
    indptr, columns, _ = csr_parts(chosen)
    dense = gram[head][:, head].toarray().astype(np.float32)
    _solve_each(csr_parts(gram), (dense, places), indptr, columns, regular, weights)
    return csr_array((weights, columns, indptr), shape=chosen.shape)


@compiled
def _solve_each(
    gram: tuple[Ints, Codes, Floats],
    head: tuple[Floats, Codes],
    indptr: Ints,
    chosen: Codes,
    regular: float,
    weights: Floats,
) -> None:
    starts, columns, values = gram
    places = np.full(len(indptr) - 1, -1, np.int32)
    for product in range(len(indptr) - 1):
        mine = chosen[indptr[product] : indptr[product + 1]]
        if len(mine) == 0:
            continue
        for place in range(len(mine)):
            places[mine[place]] = place
        system = _system(gram, head, mine, places, regular)
        right = np.zeros(len(mine), np.float32)
        for at in range(starts[product], starts[product + 1]):
            if places[columns[at]] >= 0:
                right[places[columns[at]]] = values[at]
        _descend(system, right, weights[indptr[product] : indptr[product + 1]])
        for other in mine:
            places[other] = -1


@compiled
def _system(
    gram: tuple[Ints, Codes, Floats], head: tuple[Floats, Codes], mine: Codes, places: Codes, regular: float
) -> Floats:
    """G_cc + λ I. Rows of the head are long but looked up; the others are read, for both their triangles."""
    starts, columns, values = gram
    dense, head_of = head
    system = np.zeros((len(mine), len(mine)), np.float32)
    for place in range(len(mine)):
        mine_in_head = head_of[mine[place]]
        if mine_in_head >= 0:
            for other in range(len(mine)):
                if head_of[mine[other]] >= 0:
                    system[place, other] = dense[mine_in_head, head_of[mine[other]]]
            continue
        for at in range(starts[mine[place]], starts[mine[place] + 1]):
            other = places[columns[at]]
            if other >= 0:
                system[place, other] = values[at]
                system[other, place] = values[at]
    for place in range(len(mine)):
        system[place, place] += regular
    return system


@compiled
def _descend(system: Floats, right: Floats, found: Floats) -> None:
    """Conjugate gradients from 0, into `found`."""
    residual = right.copy()
    direction = right.copy()
    size = np.dot(residual, residual)
    enough = size * TOLERANCE * TOLERANCE
    for _ in range(STEPS):
        if size <= enough:
            break
        size = step(found, residual, direction, np.dot(system, direction), size)
