"""Limits the cost of a gram matrix: a shopper with n products adds n² terms to it."""

import numpy as np
from scipy.sparse import csr_array

from recommenders.histories import Ints
from recommenders.interactions import Interactions
from recommenders.ragged import indptr_from_lengths

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
    return log.affinity if limit == counts.max() else _newest(log, limit)


def _is_too_large(affinity: csr_array, counts: Ints, held: bool) -> bool:
    if (counts**2).sum() > MAX_GRAM_TERMS:
        return True
    if not held:
        return False
    row_bounds = np.bincount(affinity.indices, np.repeat(counts, np.diff(affinity.indptr)), affinity.shape[1])
    return bool(np.minimum(row_bounds, affinity.shape[1]).sum() > MAX_GRAM_VALUES)


def _newest(log: Interactions, limit: int) -> csr_array:
    affinity, histories = log.affinity, log.histories
    kept = np.ones(affinity.nnz, np.bool_)
    for row in np.flatnonzero(np.diff(affinity.indptr) > limit):
        start, end = affinity.indptr[row], affinity.indptr[row + 1]
        newest_first = histories.products[histories.indptr[row] : histories.indptr[row + 1]][::-1]
        distinct, places = np.unique(newest_first, return_index=True)
        newest = distinct[np.argsort(places)[:limit]]
        kept[start:end] = np.isin(affinity.indices[start:end], newest)
    indptr = indptr_from_lengths(kept)[affinity.indptr]
    return csr_array((affinity.data[kept], affinity.indices[kept], indptr), shape=affinity.shape)
