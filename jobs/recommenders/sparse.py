"""Products of sparse matrices of which only the largest values of each row are kept, and degree powers."""

import numpy as np
from scipy.sparse import csr_array, eye_array

from jobs.recommenders.compiled import compiled
from jobs.recommenders.heap import push_to_heap, sort_heap
from jobs.recommenders.histories import Floats, Histories, Ints
from jobs.recommenders.ragged import indptr_from_lengths
from jobs.recommenders.vocabulary import Codes


def scaled(matrix: csr_array, rows: float, columns: float) -> csr_array:
    """D_r^−rows · M · D_c^−columns, CSR float32, where D_r and D_c hold the sums of the rows and columns.

    With both at ½ it is the normalised adjacency of the bipartite graph.
    """
    row_powers = powers(matrix.sum(axis=1), -rows)
    column_powers = powers(matrix.sum(axis=0), -columns)
    values = matrix.data * np.repeat(row_powers, np.diff(matrix.indptr)) * column_powers[matrix.indices]
    return csr_array((values.astype(np.float32), matrix.indices, matrix.indptr), shape=matrix.shape)


def powers(sums: Floats, exponent: float) -> Floats:
    """`sums` to this power, float32; 0 where the sum is 0."""
    values = np.zeros(len(sums), np.float32)
    np.power(sums, exponent, out=values, where=np.asarray(sums) > 0)
    return values


def largest_of_product(left: csr_array, right: csr_array, limit: int, diagonal: bool = False) -> csr_array:
    """left · right with the `limit` largest values > 0 of each row, CSR float32; ties go to the lower column.

    Without `diagonal`, that is left out. Each row is summed in one dense array, so the whole product is never
    in memory (Gustavson, Two Fast Algorithms for Sparse Matrices, TOMS 1978).
    """
    rows, columns = left.shape[0], right.shape[1]
    limit = min(limit, columns)
    found = np.full((rows, limit), -1, np.int32)
    values = np.full((rows, limit), -np.inf, np.float32)
    _largest(csr_parts(left), csr_parts(right), diagonal, np.zeros(columns, np.float32), found, values)
    return csr_from_lists(found, values, columns)


def dense_product(histories: Histories, weights: tuple[Ints, Codes, Floats], columns: int) -> Floats:
    """Σ of what each history weighs its products times their rows of a matrix: float32 [rows, columns].

    The matrix is given as `csr_parts` tells it.
    """
    sums = np.zeros((len(histories), columns), np.float32)
    _add_up(histories.indptr, histories.products, histories.weights, weights, sums)
    return sums


@compiled
def _add_up(
    rows: Ints, products: Codes, factors: Floats, weights: tuple[Ints, Codes, Floats], sums: Floats
) -> None:
    indptr, columns, values = weights
    for row in range(len(sums)):
        mine = sums[row]
        for event in range(rows[row], rows[row + 1]):
            for at in range(indptr[products[event]], indptr[products[event] + 1]):
                mine[columns[at]] += factors[event] * values[at]


def csr_from_lists(columns: Codes, values: Floats, count: int) -> csr_array:
    """CSR float32 [rows, count] of lists of columns, int32 [rows, k]; -1 is no column."""
    there = columns >= 0
    indptr = indptr_from_lengths(there.sum(axis=1))
    matrix = csr_array((values[there], columns[there], indptr), shape=(len(columns), count))
    matrix.sort_indices()
    return matrix


def transposed(matrix: csr_array) -> csr_array:
    """Mᵀ, CSR as well."""
    return csr_array(matrix.T.tocsr())


def linkprop_weights(
    affinity: csr_array, shopper: float, history: float, target: float, limit: int
) -> csr_array:
    """D_i^−history · Rᵀ · D_u^−shopper · R · D_i^−target with the `limit` largest values > 0 of each row.

    R is the affinity of shoppers and products. Source: Fu et al., Revisiting Neighborhood-based Link
    Prediction (LinkProp), WSDM 2022.
    """
    source, destination = scaled(affinity, shopper / 2, history), scaled(affinity, shopper / 2, target)
    return largest_of_product(transposed(source), destination, limit, diagonal=True)


def csr_parts(matrix: csr_array) -> tuple[Ints, Codes, Floats]:
    """(indptr, indices, values) of the types that compiled loops take, not copied where they have them."""
    return (
        matrix.indptr.astype(np.int64, copy=False),
        matrix.indices.astype(np.int32, copy=False),
        matrix.data.astype(np.float32, copy=False),
    )


@compiled
def _largest(
    left: tuple[Ints, Codes, Floats],
    right: tuple[Ints, Codes, Floats],
    diagonal: bool,
    prior: Floats,
    found: Codes,
    values: Floats,
) -> None:
    sums = np.zeros(len(prior), np.float32)
    touched = np.empty(len(prior), np.int32)
    marked = np.zeros(len(prior), np.bool_)
    for row in range(len(found)):
        count = 0
        for at in range(left[0][row], left[0][row + 1]):
            inner, factor = left[1][at], left[2][at]
            for other in range(right[0][inner], right[0][inner + 1]):
                column = right[1][other]
                if not marked[column]:
                    marked[column] = True
                    touched[count] = column
                    count += 1
                sums[column] += factor * right[2][other]
        size, mine, listed = 0, values[row], found[row]
        for at in range(count):
            column = touched[at]
            value = sums[column]
            allowed = value > 0.0 and (diagonal or column != row)
            if allowed and (size < len(mine) or value >= mine[0]):
                size = push_to_heap(mine, listed, size, value, column, prior)
            sums[column] = 0.0
            marked[column] = False
        sort_heap(mine, listed, size, prior)


def largest_per_row(matrix: csr_array, limit: int, diagonal: bool = True) -> csr_array:
    """A CSR matrix with the `limit` largest values > 0 of each row; without `diagonal`, that is left out."""
    identity = csr_array(eye_array(matrix.shape[1], format="csr", dtype=np.float32))
    return largest_of_product(matrix, identity, limit, diagonal)
