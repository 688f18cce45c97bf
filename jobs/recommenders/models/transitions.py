"""What comes after what: sequential rules over several steps, and two of them in a row."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from scipy.sparse import csr_array

from jobs.recommenders.histories import Histories
from jobs.recommenders.interactions import Interactions
from jobs.recommenders.item_weights import ItemWeights
from jobs.recommenders.sparse import largest_of_product, largest_per_row, scaled, transposed

MAX_FIRST_STEPS = 100
"""The second of two transitions starts from so many products at most."""

MAX_TRANSITIONS = 50_000_000
"""Values of T that may be in memory at once: 400 MB, several times over while it is weighed."""


@dataclass
class Transitions(ItemWeights):
    """T(j, i) = Σ 1 / gap^steepness where i came `gap` ≤ `window` events after j; `backward` of it before j.

    W = D_from^−source · T · D_to^−target, and `second` times W · W with rows that sum to 1: what is two
    transitions away. Source: the sequential rules of Ludewig and Jannach, Evaluation of Session-based
    Recommendation Algorithms, UMUAI 2018; the degree powers are those of `graph_filter`.
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
        stepped = scaled(first, 1.0, 0.0)
        twice = largest_of_product(largest_per_row(stepped, MAX_FIRST_STEPS), stepped, self.neighbours)
        # Both on the scale of the first: the second tells the order, not how sure it is.
        share = self.second * float(first.sum()) / max(float(twice.sum()), 1e-9)
        return largest_per_row(csr_array(first + twice * np.float32(share)), self.neighbours)


def transition_counts(sequences: Histories, count: int, window: int, steepness: float) -> csr_array:
    """T as above without `backward`, CSR float32 [count, count]; a product after itself is left out.

    If it has more than `MAX_TRANSITIONS` values, products keep the largest of theirs, as many for each.
    """
    rows, products = sequences.rows, sequences.products
    total = csr_array((count, count), dtype=np.float32)
    for gap in range(1, min(window, int(sequences.lengths.max()) - 1) + 1):
        there = (rows[gap:] == rows[:-gap]) & (products[gap:] != products[:-gap])
        pairs = products[:-gap][there], products[gap:][there]
        weights = np.full(len(pairs[0]), gap**-steepness, np.float32)
        total = csr_array(total + csr_array((weights, pairs), shape=(count, count)))
        if total.nnz > MAX_TRANSITIONS:
            total = largest_per_row(total, max(1, MAX_TRANSITIONS // count))
    return total
