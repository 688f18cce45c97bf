"""The compact form of a model, for serving: only the nearest neighbours of every product."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from recommenders.compiled import compiled, prefetch
from recommenders.histories import Codes, Floats, Ints
from recommenders.ranking import BLOCK, EMPTY_BLOCK, PADDING, RankedLists, block_max, select

NEIGHBOURS = 500

PREFETCH_DISTANCE = 3
"""Events of a history whose neighbours are on their way from memory while those of another are added."""

CACHE_LINE_VALUES = 16
"""Numbers in a line of the cache."""

NeighbourRows = tuple[Ints, Codes, Floats]
"""`indptr`, `neighbours` and `scores` of `CompactModel`."""

WorkArrays = tuple[Floats, Codes]
"""`sums`, one per product, and `tops`, one per block of products.

Between calls, all sums are 0 and all tops are `EMPTY_BLOCK`.
"""


@dataclass(frozen=True)
class CompactModel:
    """The neighbours of each product as CSR arrays. `fold_in` ranks for one shopper in microseconds.

    `indptr` is int64 [products + 1]; `neighbours` int32 and `scores` float32 > 0 are both [sum of
    neighbours]. `prior`, float32 [products], orders products without a score. An event weighs `decay` times
    as much as the next newer event. Not thread-safe: `fold_in` computes in work arrays of this object.
    """

    indptr: Ints
    neighbours: Codes
    scores: Floats
    prior: Floats
    decay: float

    @cached_property
    def _rows(self) -> NeighbourRows:
        return self.indptr, self.neighbours, self.scores

    @cached_property
    def _popular(self) -> Codes:
        return np.argsort(-self.prior, kind="stable").astype(np.int32)

    @cached_property
    def _scratch(self) -> WorkArrays:
        count = len(self.prior)
        return np.zeros(count, np.float32), np.full(-(-count // BLOCK), EMPTY_BLOCK, np.int32)

    def fold_in(self, history: Codes, k: int, repeats: bool = False) -> RankedLists:
        """Return the k best products, [1, k], for a history of product codes, newest last.

        The shopper need not be part of the training. Codes that are not in the catalogue are ignored. The
        score of a product is the decayed sum of its scores as a neighbour of the events. Without `repeats`,
        the list holds no product of the history. Products without a score follow, ordered by popularity.
        """
        ranked = RankedLists(np.empty((1, k), np.int32), np.empty((1, k), np.float32))
        if k:
            _rank(
                self._rows,
                (self.prior, self._popular),
                (history, self.decay, repeats),
                self._scratch,
                ranked.products[0],
                ranked.scores[0],
            )
        return ranked


@compiled
def _rank(
    rows: NeighbourRows,
    fallback: tuple[Floats, Codes],
    query: tuple[Codes, float, bool],
    scratch: WorkArrays,
    products: Codes,
    best: Floats,
) -> None:
    """Write the best products and scores. A sum of -inf keeps a product out of the list."""
    prior, popular = fallback
    history, decay, repeats = query
    sums, tops = scratch
    _add_neighbour_scores(rows, history, decay, scratch)
    if not repeats:
        _set(sums, history, -np.inf)
    _find_tops(sums, tops)
    size = select(sums, tops, 0.0, prior, products, best)
    _set(sums, products[:size], -np.inf)
    for product in popular:
        if size == len(best):
            break
        if sums[product] != -np.inf:
            best[size], products[size] = 0.0, product
            size += 1
    best[size:], products[size:] = -np.inf, PADDING
    _set(sums, history, 0.0)
    _set(sums, products[:size], 0.0)
    _clear(sums, tops)


@compiled
def _add_neighbour_scores(rows: NeighbourRows, history: Codes, decay: float, scratch: WorkArrays) -> None:
    """Add the neighbours' scores to the sums. Mark each block that gets a score as not `EMPTY_BLOCK`."""
    indptr, neighbours, scores = rows
    sums, tops = scratch
    codes = neighbours.view(np.uint32)  # numba checks signed indices for negative values, unsigned ones not
    weight = 1.0
    for place in range(len(history) - 1 + PREFETCH_DISTANCE, -1, -1):
        if place >= PREFETCH_DISTANCE:
            soon = history[place - PREFETCH_DISTANCE]
            if 0 <= soon < len(sums):
                for at in range(indptr[soon], indptr[soon + 1], CACHE_LINE_VALUES):
                    prefetch(neighbours, at)
                    prefetch(scores, at)
        if place >= len(history) or not 0 <= history[place] < len(sums):
            continue
        start, stop = indptr[history[place]], indptr[history[place] + 1]
        mine, neighbour_scores = codes[start:stop], scores[start:stop]
        factor = np.float32(weight)
        for at in range(len(mine)):
            sums[mine[at]] += factor * neighbour_scores[at]
            tops[mine[at] // np.uint32(BLOCK)] = 0
        weight *= decay
        if weight < 1e-6:
            break


@compiled
def _set(sums: Floats, products: Codes, value: float) -> None:
    """Set the sums of these products. Skips codes outside the catalogue: compiled code checks no bounds."""
    for product in products:
        if 0 <= product < len(sums):
            sums[product] = value


@compiled
def _find_tops(sums: Floats, tops: Codes) -> None:
    bits = sums.view(np.int32)
    for block in range(len(tops)):
        if tops[block] != EMPTY_BLOCK:
            tops[block] = block_max(bits[block * BLOCK : (block + 1) * BLOCK])


@compiled
def _clear(sums: Floats, tops: Codes) -> None:
    for block in range(len(tops)):
        if tops[block] != EMPTY_BLOCK:
            sums[block * BLOCK : (block + 1) * BLOCK] = 0.0
            tops[block] = EMPTY_BLOCK
