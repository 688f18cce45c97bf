"""Bounds what the pairs of products of one shopper cost: they grow with the square of their number."""

import numpy as np
from scipy.sparse import csr_array

from jobs.recommenders.histories import Ints
from jobs.recommenders.interactions import Interactions
from jobs.recommenders.ragged import indptr_of

MOST_ADDED = 20_000_000_000
"""Values that a gram may be summed of: about a minute of one core."""

MOST_HELD = 400_000_000
"""Values of a gram that may be in memory at once: 3.2 GB, and at most as much again for its dense part."""


def of_bounded_gram(log: Interactions, held: bool = False) -> csr_array:
    """The log's affinity, in which nobody has so many products that its gram can't be computed.

    Where the gram would be summed of more than `MOST_ADDED` values, or, if all of it is to be `held`, have
    more than `MOST_HELD`, shoppers keep their newest products only: half of the largest number, a quarter ...
    """
    counts = np.diff(log.affinity.indptr).astype(np.int64)
    most = int(counts.max())
    while most > 1 and _is_too_much(log.affinity, np.minimum(counts, most), held):
        most //= 2
    return log.affinity if most == counts.max() else _newest(log, most)


def _is_too_much(affinity: csr_array, counts: Ints, held: bool) -> bool:
    if (counts**2).sum() > MOST_ADDED:
        return True
    if not held:
        return False
    met = np.bincount(affinity.indices, np.repeat(counts, np.diff(affinity.indptr)), affinity.shape[1])
    return bool(np.minimum(met, affinity.shape[1]).sum() > MOST_HELD)


def _newest(log: Interactions, most: int) -> csr_array:
    affinity, histories = log.affinity, log.histories
    kept = np.ones(affinity.nnz, np.bool_)
    for row in np.flatnonzero(np.diff(affinity.indptr) > most):
        start, end = affinity.indptr[row], affinity.indptr[row + 1]
        newest_first = histories.products[histories.indptr[row] : histories.indptr[row + 1]][::-1]
        distinct, places = np.unique(newest_first, return_index=True)
        newest = distinct[np.argsort(places)[:most]]
        kept[start:end] = np.isin(affinity.indices[start:end], newest)
    indptr = indptr_of(kept)[affinity.indptr]
    return csr_array((affinity.data[kept], affinity.indices[kept], indptr), shape=affinity.shape)
