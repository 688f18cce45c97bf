"""The compact serving form of a model: the nearest neighbours of every product, nothing else."""

from dataclasses import dataclass, field

import numpy as np

from jobs.recommenders.compiled import compiled
from jobs.recommenders.histories import Floats, Ints
from jobs.recommenders.ranking import Ranked, offer, unwind
from jobs.recommenders.vocabulary import Codes

NEIGHBOURS = 500


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
    _sums: Floats = field(init=False, repr=False)
    _touched: Codes = field(init=False, repr=False)
    _popular: Codes = field(init=False, repr=False)

    def __post_init__(self) -> None:
        count = len(self.prior)
        object.__setattr__(self, "_sums", np.zeros(count, np.float32))
        object.__setattr__(self, "_touched", np.empty(count, np.int32))
        object.__setattr__(self, "_popular", np.argsort(-self.prior, kind="stable").astype(np.int32))

    def fold_in(self, history: Codes, k: int, repeats: bool = False) -> Ranked:
        """The k best products, [1, k], for a history of codes, newest last, of whoever it may be.

        Codes that are not of the catalogue are passed over, as what was not in the training has none. The
        score of a product is the decayed sum over the history of its score as a neighbour. Without
        `repeats`, what is in the history is left out; what has no score follows by popularity.
        """
        ranked = Ranked.empty(1, k)
        if k:
            _answer(
                (self.indptr, self.neighbours, self.scores, self.prior, self._popular),
                _known(history, len(self.prior)),
                self.decay,
                repeats,
                (self._sums, self._touched),
                (ranked.products[0], ranked.scores[0]),
            )
        return ranked


@compiled
def _known(history: Codes, count: int) -> Codes:
    """The codes from 0 to `count` - 1: machine code does not check what it is asked for."""
    return history[(history >= 0) & (history < count)]


@compiled
def _answer(
    model: tuple[Ints, Codes, Floats, Floats, Codes],
    history: Codes,
    decay: float,
    repeats: bool,
    scratch: tuple[Floats, Codes],
    ranked: tuple[Codes, Floats],
) -> None:
    """Sums are 0 and unmarked before and after; a mark of -inf keeps a product of the history out."""
    indptr, neighbours, scores, prior, popular = model
    sums, touched = scratch
    products, best = ranked
    count = 0
    weight = 1.0
    for place in range(len(history) - 1, -1, -1):
        seen = history[place]
        for at in range(indptr[seen], indptr[seen + 1]):
            product, said = neighbours[at], np.float32(weight * scores[at])
            if said > 0.0 and sums[product] == 0.0:
                touched[count] = product
                count += 1
            sums[product] += said
        weight *= decay
        if weight < 1e-6:
            break
    if not repeats:
        for seen in history:
            sums[seen] = -np.inf
    size = 0
    for at in range(count):
        score = sums[touched[at]]
        if score > 0.0 and (size < len(best) or score >= best[0]):
            size = offer(best, products, size, score, touched[at], prior)
    unwind(best, products, size, prior)
    for at in range(size):
        sums[products[at]] = -np.inf
    for product in popular:
        if size == len(best):
            break
        if sums[product] != -np.inf:
            best[size], products[size] = 0.0, product
            size += 1
    for at in range(count):
        sums[touched[at]] = 0.0
    for seen in history:
        sums[seen] = 0.0
    for at in range(size):
        sums[products[at]] = 0.0
