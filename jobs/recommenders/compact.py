"""The compact serving form of a model: the nearest neighbours of every product, nothing else."""

from dataclasses import dataclass, field

import numpy as np

from jobs.recommenders.compiled import compiled
from jobs.recommenders.histories import Floats, Ints
from jobs.recommenders.prefetch import prefetch
from jobs.recommenders.ranking import NOTHING, Ranked
from jobs.recommenders.selection import BLOCK, LEAST, select, top
from jobs.recommenders.vocabulary import Codes

NEIGHBOURS = 500

AHEAD = 3
"""Events of a history whose neighbours are on their way from memory while those of another are added."""

LINE = 16
"""Numbers in a line of the cache."""

Rows = tuple[Ints, Codes, Floats]
"""`indptr`, `neighbours` and `scores` of `Compact`."""

Scratch = tuple[Floats, Codes]
"""Sums of products, 0 before and after an answer; tops of their blocks, then `LEAST`."""


@dataclass(frozen=True)
class Compact:
    """Neighbours of each product as CSR arrays, from which one shopper's list is made in microseconds.

    `indptr` int64 [products + 1], `neighbours` int32 and `scores` float32 > 0 [sum of neighbours]; `prior`
    float32 [products] orders what no neighbour says anything of. An event says `decay` times as much as the
    next newer one. Not for two threads at once: the sums of an answer are made in arrays of this object.
    """

    indptr: Ints
    neighbours: Codes
    scores: Floats
    prior: Floats
    decay: float
    _rows: Rows = field(init=False, repr=False)
    _popular: Codes = field(init=False, repr=False)
    _scratch: Scratch = field(init=False, repr=False)

    def __post_init__(self) -> None:
        count = len(self.prior)
        scratch = np.zeros(count, np.float32), np.full(-(-count // BLOCK), LEAST, np.int32)
        object.__setattr__(self, "_rows", (self.indptr, self.neighbours, self.scores))
        object.__setattr__(self, "_popular", np.argsort(-self.prior, kind="stable").astype(np.int32))
        object.__setattr__(self, "_scratch", scratch)

    def fold_in(self, history: Codes, k: int, repeats: bool = False) -> Ranked:
        """The k best products, [1, k], for a history of codes, newest last, of whoever it may be.

        Codes that are not of the catalogue are passed over, as what was not in the training has none. The
        score of a product is the decayed sum over the history of its score as a neighbour. Without
        `repeats`, what is in the history is left out; what has no score follows by popularity.
        """
        ranked = Ranked(np.empty((1, k), np.int32), np.empty((1, k), np.float32))
        if k:
            _answer(
                self._rows,
                (self.prior, self._popular),
                (history, self.decay, repeats),
                self._scratch,
                ranked.products[0],
                ranked.scores[0],
            )
        return ranked


@compiled
def _answer(
    rows: Rows,
    fallback: tuple[Floats, Codes],
    asked: tuple[Codes, float, bool],
    scratch: Scratch,
    products: Codes,
    best: Floats,
) -> None:
    """A sum of -inf keeps a product out of the list."""
    prior, popular = fallback
    history, decay, repeats = asked
    sums, tops = scratch
    _add(rows, history, decay, scratch)
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
    best[size:], products[size:] = -np.inf, NOTHING
    _set(sums, history, 0.0)
    _set(sums, products[:size], 0.0)
    _clear(sums, tops)


@compiled
def _add(rows: Rows, history: Codes, decay: float, scratch: Scratch) -> None:
    """Add up what the neighbours say. The top of a block that has a sum becomes another than `LEAST`."""
    indptr, neighbours, scores = rows
    sums, tops = scratch
    codes = neighbours.view(np.uint32)  # which numba does not take for places from the end
    weight = 1.0
    for place in range(len(history) - 1 + AHEAD, -1, -1):
        if place >= AHEAD:
            soon = history[place - AHEAD]
            if 0 <= soon < len(sums):
                for at in range(indptr[soon], indptr[soon + 1], LINE):
                    prefetch(neighbours, at)
                    prefetch(scores, at)
        if place >= len(history) or not 0 <= history[place] < len(sums):
            continue
        start, stop = indptr[history[place]], indptr[history[place] + 1]
        mine, told = codes[start:stop], scores[start:stop]
        factor = np.float32(weight)
        for at in range(len(mine)):
            sums[mine[at]] += factor * told[at]
            tops[mine[at] // np.uint32(BLOCK)] = 0
        weight *= decay
        if weight < 1e-6:
            break


@compiled
def _set(sums: Floats, products: Codes, value: float) -> None:
    """The sums of these, if of the catalogue: machine code does not check what it is asked for."""
    for product in products:
        if 0 <= product < len(sums):
            sums[product] = value


@compiled
def _find_tops(sums: Floats, tops: Codes) -> None:
    bits = sums.view(np.int32)
    for block in range(len(tops)):
        if tops[block] != LEAST:
            tops[block] = top(bits[block * BLOCK : (block + 1) * BLOCK])


@compiled
def _clear(sums: Floats, tops: Codes) -> None:
    for block in range(len(tops)):
        if tops[block] != LEAST:
            sums[block * BLOCK : (block + 1) * BLOCK] = 0.0
            tops[block] = LEAST
