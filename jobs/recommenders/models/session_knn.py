"""What those did next whose visits were most like this one."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from jobs.recommenders.base import Model
from jobs.recommenders.compiled import compiled
from jobs.recommenders.heap import push_to_heap
from jobs.recommenders.histories import Floats, Histories, Ints
from jobs.recommenders.interactions import Interactions
from jobs.recommenders.prefetch import prefetch
from jobs.recommenders.ragged import indptr_from_lengths
from jobs.recommenders.vocabulary import Codes

PREFETCH_DISTANCE = 8
"""Sequences that are on their way from memory while what another says is added."""

Doubles = NDArray[np.float64]

Index = tuple[Ints, Codes, Ints, Codes, Floats]
"""Sequences as CSR (indptr, products), the sequences of each product as CSR (indptr, newest first), idf."""

Tables = tuple[Doubles, Doubles, Doubles]
"""2^(−age / (recency · sequences)) of each sequence. For n up to the longest: n^length; 0 or fade^(n − 1)."""

WorkArrays = tuple[Floats, Floats, Floats, Codes]
"""How much a history says of each product; likeness and prior of each sequence; all 0. Then those touched."""


@dataclass
class SessionKNN(Model):
    """score(i | h) = Σ over the `nearest` sequences s: sim(h, s) · fade^(distance − 1) · idf(i)^rarity.

    sim(h, s) = Σ of decay^age(j) · idf(j)^rarity over the distinct products j of h that are in s, divided by
    |s|^length, times 2^(−age of s / (recency · sequences)); distance is the one in s between i and the newest
    product of h. Only the `sample` newest sequences of each product are looked at. With n sequences of which
    n(i) hold i, idf(i) = ln((n + 1) / n(i)).

    Not for two threads at once. Sources: Garg et al., Sequence and Time Aware Neighborhood (STAN), SIGIR
    2019; Ludewig et al., Empirical Analysis of Session-based Recommendation Algorithms (VSTAN), UMUAI 2021.
    """

    NAME = "session_knn"
    SPACE: ClassVar[dict[str, tuple[Any, ...]]] = {
        "decay": (0.7, 0.5, 0.9),
        "fade": (0.7, 0.5, 0.9),
        "rarity": (1.0, 0.5, 0.0),
        "length": (0.5, 0.0, 1.0),
        "recency": (1.0, 0.2, 1e9),
        "nearest": (500, 100, 1500),
    }

    decay: float = 0.7
    fade: float = 0.7
    rarity: float = 1.0
    length: float = 0.5
    recency: float = 1.0
    nearest: int = 500
    sample: int = 2500

    def _learn(self, log: Interactions) -> dict[str, NDArray[Any]]:
        sequences = log.sequences
        rows, products = sequences.rows, sequences.products
        newest_first = np.lexsort((-rows, products))
        holders, held = rows[newest_first], products[newest_first]
        once = np.ones(len(held), np.bool_)
        once[1:] = (held[1:] != held[:-1]) | (holders[1:] != holders[:-1])
        counts = np.bincount(held[once], minlength=log.product_count)
        idf = np.log((len(sequences) + 1.0) / np.maximum(counts, 1))
        return {
            "indptr": sequences.indptr.astype(np.int64),
            "products": products,
            "holders_indptr": indptr_from_lengths(counts),
            "holders": holders[once].astype(np.int32),
            "rarity": np.power(idf, self.rarity).astype(np.float32),
        }

    def scores(self, histories: Histories) -> Floats:
        """The sums over the nearest sequences; 0 for a product that none of them holds."""
        scores = np.zeros((len(histories), self.product_count), np.float32)
        settings = self.decay, self.nearest, self.sample
        rows = histories.indptr, histories.products
        _vote(self._index, self._tables, rows, settings, self._scratch, scores)
        return scores

    @property
    def _index(self) -> Index:
        made = self.arrays
        return made["indptr"], made["products"], made["holders_indptr"], made["holders"], made["rarity"]

    @cached_property
    def _tables(self) -> Tables:
        lengths = np.diff(self.arrays["indptr"])
        count = len(lengths)
        ages = np.arange(count - 1, -1, -1) / (self.recency * count)
        numbers = np.arange(lengths.max(initial=0) + 1.0)
        fade_table = np.append(0.0, self.fade ** numbers[:-1])
        return 2.0**-ages, numbers**self.length, fade_table

    @cached_property
    def _scratch(self) -> WorkArrays:
        sequences = len(self.arrays["indptr"]) - 1
        return (
            np.zeros(self.product_count, np.float32),
            np.zeros(sequences, np.float32),
            np.zeros(sequences, np.float32),
            np.empty(sequences, np.int32),
        )

    @property
    def history_decay(self) -> float:
        """As in the similarity."""
        return self.decay


@compiled
def _vote(
    index: Index,
    tables: Tables,
    histories: tuple[Ints, Codes],
    settings: tuple[float, int, int],
    scratch: WorkArrays,
    scores: Floats,
) -> None:
    decay, nearest, sample = settings
    indptr, products, holders_indptr, holders, rarity = index
    fresh, powers, fade_table = tables
    rows, events = histories
    said, likeness, prior, touched = scratch
    best = np.empty(nearest, np.float32)
    chosen = np.empty(nearest, np.int32)
    for row in range(len(scores)):
        found = 0
        weight = 1.0
        for place in range(rows[row + 1] - 1, rows[row] - 1, -1):
            product = events[place]
            if weight < 1e-4:
                break
            if said[product] == 0.0:
                said[product] = weight
                start = holders_indptr[product]
                for at in range(start, min(start + sample, holders_indptr[product + 1])):
                    sequence = holders[at]
                    if likeness[sequence] == 0.0:
                        touched[found] = sequence
                        found += 1
                    likeness[sequence] += weight * rarity[product] + 1e-9
            weight *= decay
        size = 0
        for at in range(found):
            sequence = touched[at]
            holds = indptr[sequence + 1] - indptr[sequence]
            like = likeness[sequence] * fresh[sequence] / powers[holds]
            likeness[sequence] = 0.0
            if size < nearest or like >= best[0]:
                size = push_to_heap(best, chosen, size, like, sequence, prior)
        for at in range(size + PREFETCH_DISTANCE):
            if at < size:
                prefetch(products, indptr[chosen[at]])
            if at >= PREFETCH_DISTANCE:
                sequence = chosen[at - PREFETCH_DISTANCE]
                held = products[indptr[sequence] : indptr[sequence + 1]]
                _add(scores[row], held, best[at - PREFETCH_DISTANCE], said, fade_table, rarity)
        for place in range(rows[row], rows[row + 1]):
            said[events[place]] = 0.0


@compiled
def _add(
    scores: Floats, sequence: Codes, like: float, said: Floats, fade_table: Doubles, rarity: Floats
) -> None:
    """Adds what one sequence says; its products fade with their distance from the one that matters most."""
    middle, most = 0, said[sequence[0]]
    for place in range(1, len(sequence)):
        if said[sequence[place]] >= most:
            middle, most = place, said[sequence[place]]
    for place in range(len(sequence)):
        product = sequence[place]
        scores[product] += like * fade_table[abs(place - middle)] * rarity[product]
