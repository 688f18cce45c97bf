"""Sparse matrix products that keep only the largest values of each row, and degree normalisation."""

import numpy as np
from scipy.sparse import csr_array, eye_array

from recommenders.compiled import compiled
from recommenders.histories import Codes, Floats, Histories, Ints, indptr_from_lengths
from recommenders.ranking import push_to_heap, sort_heap


def scaled(matrix: csr_array, rows: float, columns: float) -> csr_array:
    """Return D_r^−rows · M · D_c^−columns, CSR float32. D_r and D_c hold the row and column sums of M.

    If both exponents are ½, the result is the normalised adjacency matrix of the bipartite graph.
    """
    by_row = np.repeat(powers(matrix.sum(axis=1), -rows), np.diff(matrix.indptr))
    by_column = powers(matrix.sum(axis=0), -columns)[matrix.indices]
    return with_values(matrix, (matrix.data * by_row * by_column).astype(np.float32))


def with_values(matrix: csr_array, values: Floats) -> csr_array:
    """Return a CSR matrix with the sparsity pattern of `matrix` and other values."""
    return csr_array((values, matrix.indices, matrix.indptr), shape=matrix.shape)


def powers(sums: Floats, exponent: float) -> Floats:
    """Return `sums` to the power of `exponent`, float32; 0 where the sum is 0."""
    values = np.zeros(len(sums), np.float32)
    np.power(sums, exponent, out=values, where=np.asarray(sums) > 0)
    return values


def largest_of_product(left: csr_array, right: csr_array, limit: int, diagonal: bool = False) -> csr_array:
    """Return left · right with only the `limit` largest values > 0 of each row, CSR float32.

    Of equal values, those in lower columns are kept. Without `diagonal`, the result has no diagonal. Each row
    is summed in one dense array, so the whole product is never in memory (Gustavson, Two Fast Algorithms for
    Sparse Matrices, TOMS 1978).
    """
    rows, columns = left.shape[0], right.shape[1]
    limit = min(limit, columns)
    found = np.full((rows, limit), -1, np.int32)
    values = np.full((rows, limit), -np.inf, np.float32)
    _largest(csr_parts(left), csr_parts(right), diagonal, np.zeros(columns, np.float32), found, values)
    return csr_from_lists(found, values, columns)


def dense_product(histories: Histories, weights: tuple[Ints, Codes, Floats], columns: int) -> Floats:
    """Return the weights of the histories' events · a sparse matrix, dense: float32 [rows, columns].

    `weights` is the matrix in the form that `csr_parts` returns.
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
    """Return CSR float32 [rows, count] from lists of columns and values [rows, k]; column -1 is padding."""
    is_column = columns >= 0
    indptr = indptr_from_lengths(is_column.sum(axis=1))
    matrix = csr_array((values[is_column], columns[is_column], indptr), shape=(len(columns), count))
    matrix.sort_indices()
    return matrix


def transposed(matrix: csr_array) -> csr_array:
    """Return Mᵀ as CSR."""
    return csr_array(matrix.T.tocsr())


def linkprop_weights(
    affinity: csr_array, shopper: float, history: float, target: float, limit: int
) -> csr_array:
    """Return the `limit` largest values > 0 of each row of D_i^−history Rᵀ D_u^−shopper R D_i^−target.

    R is `affinity` [shoppers, products]; D_u and D_i hold its row and column sums. Source: Fu et al.,
    Revisiting Neighborhood-based Link Prediction (LinkProp), WSDM 2022.
    """
    source, destination = scaled(affinity, shopper / 2, history), scaled(affinity, shopper / 2, target)
    return largest_of_product(transposed(source), destination, limit, diagonal=True)


def csr_parts(matrix: csr_array) -> tuple[Ints, Codes, Floats]:
    """Return (indptr, indices, values) in the types of compiled loops, without a copy if they match."""
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
    """Return a CSR matrix with the `limit` largest values > 0 of each row, without `diagonal` if False."""
    identity = csr_array(eye_array(matrix.shape[1], format="csr", dtype=np.float32))
    return largest_of_product(matrix, identity, limit, diagonal)
