"""Recommends products of the sequences that are most similar to the history."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from recommenders.base import Model
from recommenders.compiled import compiled, prefetch
from recommenders.histories import Codes, Floats, Histories, Ints, indptr_from_lengths
from recommenders.interactions import Interactions
from recommenders.ranking import push_to_heap

PREFETCH_DISTANCE = 8
"""The number of sequences that are prefetched while the scores of another one are added."""

Doubles = NDArray[np.float64]

Index = tuple[Ints, Codes, Ints, Codes, Floats]
"""The sequences as CSR (indptr, products), the sequences of each product as CSR (indptr, sequences), and idf.

The sequences of each product are sorted newest first. idf is raised to the power of `rarity`.
"""

Tables = tuple[Doubles, Doubles, Doubles]
"""Precomputed powers: 2^(−age / (recency · sequences)) of each sequence, then n^length and fade^(n − 1).

n goes from 0 to the length of the longest sequence. The last table is 0 for n = 0.
"""

WorkArrays = tuple[Floats, Floats, Floats, Codes]
"""The weight in the history of each product, the similarity and prior of each sequence, and sequence numbers.

Between calls, all values except the sequence numbers are 0.
"""


@dataclass
class SessionKNN(Model):
    """score(i | h) = Σ over the `nearest` sequences s: sim(h, s) · fade^(distance − 1) · idf(i)^rarity.

    sim(h, s) = Σ of decay^age(j) · idf(j)^rarity over the distinct products j of h that are in s, divided by
    |s|^length, times 2^(−age of s / (recency · sequences)). `distance` is the number of places in s between i
    and the product of s that is newest in h. Only the `sample` newest sequences of each product are compared.
    idf(i) = ln((n + 1) / n(i)) for n sequences, of which n(i) hold i.

    Not thread-safe: `scores` uses work arrays of this object.

    Sources: Garg et al., Sequence and Time Aware Neighborhood (STAN), SIGIR 2019; Ludewig et al., Empirical
    Analysis of Session-based Recommendation Algorithms (VSTAN), UMUAI 2021.
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
    WITHOUT_ORDER: ClassVar[dict[str, Any]] = {"decay": 1.0, "fade": 1.0, "recency": 1e9}

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
        is_first = np.ones(len(held), np.bool_)
        is_first[1:] = (held[1:] != held[:-1]) | (holders[1:] != holders[:-1])
        counts = np.bincount(held[is_first], minlength=log.product_count)
        idf = np.log((len(sequences) + 1.0) / np.maximum(counts, 1))
        return {
            "indptr": sequences.indptr.astype(np.int64),
            "products": products,
            "holders_indptr": indptr_from_lengths(counts),
            "holders": holders[is_first].astype(np.int32),
            "rarity": np.power(idf, self.rarity).astype(np.float32),
        }

    def scores(self, histories: Histories) -> Floats:
        """Return the sums over the nearest sequences; 0 for products that none of them holds."""
        scores = np.zeros((len(histories), self.product_count), np.float32)
        settings = self.decay, self.nearest, self.sample
        rows = histories.indptr, histories.products
        _vote(self._index, self._tables, rows, settings, self._scratch, scores)
        return scores

    @property
    def _index(self) -> Index:
        return (
            self.arrays["indptr"],
            self.arrays["products"],
            self.arrays["holders_indptr"],
            self.arrays["holders"],
            self.arrays["rarity"],
        )

    @cached_property
    def _tables(self) -> Tables:
        lengths = np.diff(self.arrays["indptr"])
        ages = np.arange(len(lengths) - 1, -1, -1) / (self.recency * len(lengths))
        numbers = np.arange(lengths.max(initial=0) + 1.0)
        return 2.0**-ages, numbers**self.length, np.append(0.0, self.fade ** numbers[:-1])

    @cached_property
    def _scratch(self) -> WorkArrays:
        sequences = len(self.arrays["indptr"]) - 1
        return (
            np.zeros(self.product_count, np.float32),
            np.zeros(sequences, np.float32),
            np.zeros(sequences, np.float32),
            np.empty(sequences, np.int32),
        )


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
    age_weights, length_powers, fade_table = tables
    rows, events = histories
    weights, similarity, prior, candidates = scratch
    best = np.empty(nearest, np.float32)
    chosen = np.empty(nearest, np.int32)
    for row in range(len(scores)):
        found = 0
        weight = 1.0
        for place in range(rows[row + 1] - 1, rows[row] - 1, -1):
            product = events[place]
            if weight < 1e-4:
                break
            if weights[product] == 0.0:
                weights[product] = weight
                start = holders_indptr[product]
                for at in range(start, min(start + sample, holders_indptr[product + 1])):
                    sequence = holders[at]
                    if similarity[sequence] == 0.0:
                        candidates[found] = sequence
                        found += 1
                    similarity[sequence] += weight * rarity[product] + 1e-9
            weight *= decay
        size = 0
        for at in range(found):
            sequence = candidates[at]
            length = indptr[sequence + 1] - indptr[sequence]
            score = similarity[sequence] * age_weights[sequence] / length_powers[length]
            similarity[sequence] = 0.0
            if size < nearest or score >= best[0]:
                size = push_to_heap(best, chosen, size, score, sequence, prior)
        for at in range(size + PREFETCH_DISTANCE):
            if at < size:
                prefetch(products, indptr[chosen[at]])
            if at >= PREFETCH_DISTANCE:
                sequence = chosen[at - PREFETCH_DISTANCE]
                held = products[indptr[sequence] : indptr[sequence + 1]]
                _add_sequence(scores[row], held, best[at - PREFETCH_DISTANCE], weights, fade_table, rarity)
        for place in range(rows[row], rows[row + 1]):
            weights[events[place]] = 0.0


@compiled
def _add_sequence(
    scores: Floats, sequence: Codes, score: float, weights: Floats, fade_table: Doubles, rarity: Floats
) -> None:
    """Add the scores of a sequence. They fade with the distance from its product with the largest weight."""
    centre, largest = 0, weights[sequence[0]]
    for place in range(1, len(sequence)):
        if weights[sequence[place]] >= largest:
            centre, largest = place, weights[sequence[place]]
    for place in range(len(sequence)):
        product = sequence[place]
        scores[product] += score * fade_table[abs(place - centre)] * rarity[product]
