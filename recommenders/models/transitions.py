"""Recommends products that followed those of the history: sequential rules, in one or two steps."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from scipy.sparse import csr_array

from recommenders.base import ItemWeights
from recommenders.histories import Histories
from recommenders.interactions import Interactions
from recommenders.sparse import largest_of_product, largest_per_row, scaled, transposed

MAX_FIRST_STEPS = 100
"""Two-step transitions use this many first steps per product at most."""

MAX_TRANSITIONS = 50_000_000
"""The largest number of values of T in memory: 400 MB, and several times as much during computations."""


@dataclass
class Transitions(ItemWeights):
    """W = D_from^−source · T · D_to^−target, plus two-step transitions.

    T(j, i) = Σ 1 / gap^steepness over all events of product i that came `gap` ≤ `window` events after an
    event of j. Events of i before j count `backward` times as much. D_from and D_to hold the row and column
    sums of T. The two-step transitions are S · S, where S is W with rows that sum to 1. They are scaled so
    that their total is `second` times the total of W.

    Source: the sequential rules of Ludewig and Jannach, Evaluation of Session-based Recommendation
    Algorithms, UMUAI 2018; the degree powers are those of `graph_filter`.
    """

    NAME = "transitions"
    SPACE: ClassVar[dict[str, tuple[Any, ...]]] = {
        "decay": (0.5, 0.7, 0.9, 0.3),
        "window": (10, 3, 30),
        "steepness": (1.0, 0.5, 2.0),
        "backward": (0.5, 0.0, 1.0),
        "source": (0.5, 1.0, 0.75),
        "target": (0.25, 0.0, 0.5),
        "second": (0.3, 0.0, 1.0),
        "trend": (1.0, 0.0),
    }
    NEEDS_ORDER = True

    decay: float = 0.5
    trend: float = 1.0
    window: int = 10
    steepness: float = 1.0
    backward: float = 0.5
    source: float = 0.5
    target: float = 0.25
    second: float = 0.3
    neighbours: int = 500

    def _item_weights(self, log: Interactions) -> csr_array:
        counts = transition_counts(log.sequences, log.product_count, self.window, self.steepness)
        both = csr_array(counts + self.backward * transposed(counts)) if self.backward else counts
        first = largest_per_row(scaled(both, self.source, self.target), self.neighbours)
        if not self.second:
            return first
        shares = scaled(first, 1.0, 0.0)
        second = largest_of_product(largest_per_row(shares, MAX_FIRST_STEPS), shares, self.neighbours)
        # The values of `second` are not on the scale of `first`, so their totals are made comparable.
        factor = self.second * float(first.sum()) / max(float(second.sum()), 1e-9)
        return largest_per_row(csr_array(first + second * np.float32(factor)), self.neighbours)


def transition_counts(sequences: Histories, count: int, window: int, steepness: float) -> csr_array:
    """Return T without its `backward` part and without its diagonal: CSR float32 [count, count].

    If T has more than `MAX_TRANSITIONS` values, each row keeps the same number of largest values.
    """
    rows, products = sequences.rows, sequences.products
    total = csr_array((count, count), dtype=np.float32)
    for gap in range(1, min(window, int(sequences.lengths.max()) - 1) + 1):
        is_pair = (rows[gap:] == rows[:-gap]) & (products[gap:] != products[:-gap])
        pairs = products[:-gap][is_pair], products[gap:][is_pair]
        weights = np.full(len(pairs[0]), gap**-steepness, np.float32)
        total = csr_array(total + csr_array((weights, pairs), shape=(count, count)))
        if total.nnz > MAX_TRANSITIONS:
            total = largest_per_row(total, max(1, MAX_TRANSITIONS // count))
    return total
