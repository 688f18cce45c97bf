"""Checks whether the claimed order of a log means anything, before models and splits rely on it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from recommenders.evaluation.sets import Floats
from recommenders.evaluation.splits import random_groups_within
from recommenders.interactions import Interactions

SIGNIFICANT_Z = 4.0
"""The z-score that an order must reach to be believed. Random orders hardly ever reach it."""

SAME_ORDER = 0.99
"""From this share on, the rows are sorted by product or by weight, not by time."""

MAX_EVENTS = 300_000
MAX_PAIRS = 10_000
"""The largest numbers of events, of random shoppers, and of pairs of events that the check looks at."""

MIN_PAIRS = 30
"""The smallest number of pairs of events to say anything about."""

MIN_MIXED_SHARE = 0.1
"""The smallest `mixed_share` of rows that are not grouped by shopper."""

PERMUTATIONS = 40
SEED = 0

_PAIRS_AT_ONCE = 1_000


@dataclass(frozen=True)
class OrderCheck:
    """What the order of a log's events says.

    - `neighbours_z`: how much more similar two consecutive products of a shopper are than two other products
      of the same shopper
    - `own_shift_z`: how much the popularity of products shifts from the first half of each shopper's events
      to the second
    - `row_shift_z`: the same for the first and the second half of all rows
    - `same_order_share`: of two shoppers with the same two products, the share in which both have them in the
      same order
    - `by_weight_share`: the share of a shopper's consecutive rows whose weights go in the same direction
    - `mixed_share`: the share of events of shoppers with events in both halves of all rows

    The first three are z-scores, relative to random orders of each shopper's events.
    """

    neighbours_z: float
    own_shift_z: float
    row_shift_z: float
    same_order_share: float
    by_weight_share: float
    mixed_share: float

    @property
    def is_sorted(self) -> bool:
        """Whether the rows of every shopper are sorted by product or by weight."""
        return max(self.same_order_share, self.by_weight_share) >= SAME_ORDER

    @property
    def holds(self) -> bool:
        """Whether the order of each shopper's events is believed."""
        found = max(self.neighbours_z, self.own_shift_z, self.row_shift_z)
        return not self.is_sorted and found >= SIGNIFICANT_Z

    @property
    def is_chronological(self) -> bool:
        """Whether the order of different shoppers' events is believed, too: popularity shifts along it."""
        return self.holds and self.row_shift_z >= SIGNIFICANT_Z and self.mixed_share >= MIN_MIXED_SHARE

    def __str__(self) -> str:
        if self.is_sorted:
            what = "product" if self.same_order_share >= SAME_ORDER else "weight"
            return f"the rows of each shopper are sorted by {what}, which is no order in time"
        are = "are" if self.neighbours_z >= SIGNIFICANT_Z else "are not"
        return (
            f"consecutive products {are} more similar than others of the same shopper (z = "
            f"{self.neighbours_z:.1f}); popularity {_shifts(self.own_shift_z)} along the events of a shopper "
            f"(z = {self.own_shift_z:.1f}), and {_shifts(self.row_shift_z)} along all rows "
            f"(z = {self.row_shift_z:.1f})"
        )


def check_order(log: Interactions) -> OrderCheck:
    """Check the order of a log's rows on at most `MAX_EVENTS` events.

    Both tests compare the given order with random orders of each shopper's events, so that neither different
    tastes nor different numbers of events look like an order. Source: Good, Permutation, Parametric and
    Bootstrap Tests of Hypotheses, 2005, chapter 3.
    """
    rng = np.random.default_rng(SEED)
    rows = np.flatnonzero(random_groups_within(log.shoppers, MAX_EVENTS, rng))
    shoppers = np.unique(log.shoppers[rows], return_inverse=True)[1]
    products = np.unique(log.products[rows], return_inverse=True)[1]
    by_shopper = np.argsort(shoppers, kind="stable")
    events = _Events(shoppers[by_shopper], products[by_shopper], log.weights[rows][by_shopper])
    late = by_shopper >= len(rows) // 2
    places, sizes = _places(events)
    row_shift_z, mixed_share = _popularity_shift(events, late, rng)
    return OrderCheck(
        _neighbours_z(events, rng),
        _popularity_shift(events, 2 * places >= sizes, rng)[0],
        row_shift_z,
        _same_order_share(events, rng),
        _by_weight_share(events),
        mixed_share,
    )


@dataclass(frozen=True)
class _Events:
    """Events grouped by shopper, in their order: codes and weights, each [events]."""

    shoppers: NDArray[np.int64]
    products: NDArray[np.int64]
    weights: NDArray[np.float32]

    @property
    def matrix(self) -> csr_array:
        """1 for each shopper and product with an event: CSR float32 [products, shoppers]."""
        matrix = csr_array((np.ones(len(self.products), np.float32), (self.products, self.shoppers)))
        matrix.data[:] = 1.0
        return matrix


def _places(events: _Events) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the place of each event in its shopper's events, from 0, and the number of these events."""
    sizes = np.bincount(events.shoppers)
    starts = np.repeat(np.cumsum(sizes) - sizes, sizes)
    return np.arange(len(starts)) - starts, np.repeat(sizes, sizes)


def _neighbours_z(events: _Events, rng: np.random.Generator) -> float:
    """Return the z-score of the similarity of consecutive products minus that of others of the shopper.

    The similarity is the cosine of the products' other shoppers.
    """
    firsts = np.flatnonzero(events.shoppers[1:] == events.shoppers[:-1])
    firsts = rng.permutation(firsts)[: 2 * MAX_PAIRS]
    starts = np.searchsorted(events.shoppers, events.shoppers[firsts])
    sizes = np.searchsorted(events.shoppers, events.shoppers[firsts], side="right") - starts
    left, right = (starts + (rng.random(len(firsts)) * sizes).astype(np.int64) for _ in range(2))
    usable = (
        (np.abs(left - right) >= 2)
        & (events.products[left] != events.products[right])
        & (events.products[firsts] != events.products[firsts + 1])
    )
    firsts, left, right = (each[usable][:MAX_PAIRS] for each in (firsts, left, right))
    if len(firsts) < MIN_PAIRS:
        return 0.0
    matrix = events.matrix
    differences = _similarities(matrix, events.products[firsts], events.products[firsts + 1])
    differences -= _similarities(matrix, events.products[left], events.products[right])
    _, places, counts = np.unique(events.shoppers[firsts], return_inverse=True, return_counts=True)
    sums = np.bincount(places, differences - differences.mean())
    error = float(np.sqrt(np.square(sums).sum())) / len(differences)
    return float(differences.mean()) / error if error > 0 and len(counts) > 1 else 0.0


def _similarities(matrix: csr_array, first: NDArray[np.int64], second: NDArray[np.int64]) -> Floats:
    """Return (n(a, b) − 1) / √(n(a) n(b)) for pairs of products that one shopper has: float64 [pairs]."""
    counts = np.diff(matrix.indptr).astype(np.float64)
    together = np.concatenate(
        [
            np.asarray(
                matrix[first[at : at + _PAIRS_AT_ONCE]]
                .multiply(matrix[second[at : at + _PAIRS_AT_ONCE]])
                .sum(axis=1)
            ).ravel()
            for at in range(0, len(first), _PAIRS_AT_ONCE)
        ]
    )
    return np.asarray((together - 1.0) / np.sqrt(counts[first] * counts[second]))


def _popularity_shift(
    events: _Events, late: NDArray[np.bool_], rng: np.random.Generator
) -> tuple[float, float]:
    """Return the z-score of the shift, and the share of events of shoppers with early and late events.

    The shift is Σ (late(i) − n(i) · share)² / n(i) over the products i, where `share` is that of late events.
    """
    counts = np.bincount(events.products).astype(np.float64)
    sizes = np.bincount(events.shoppers)
    late_counts = np.bincount(events.shoppers, late)
    mixed = (late_counts > 0) & (late_counts < sizes)

    def shift(flags: NDArray[np.bool_]) -> float:
        differences = np.bincount(events.products, flags) - counts * flags.mean()
        return float((np.square(differences) / counts).sum())

    drawn = [shift(late[np.lexsort((rng.random(len(late)), events.shoppers))]) for _ in range(PERMUTATIONS)]
    deviation = float(np.std(drawn, ddof=1))
    z = (shift(late) - float(np.mean(drawn))) / deviation if deviation > 1e-9 else 0.0
    return z, float(sizes[mixed].sum() / sizes.sum())


def _same_order_share(events: _Events, rng: np.random.Generator) -> float:
    """Return the share of pairs of shoppers with the same two products who have them in the same order.

    It is 0 if there are too few such pairs to tell. Only the first event of a shopper and product counts.
    """
    width = int(events.products.max()) + 1
    keys, first_rows = np.unique(events.shoppers * width + events.products, return_index=True)
    left, right = rng.integers(0, len(events.shoppers), (2, 2 * MAX_PAIRS))
    starts = np.searchsorted(events.shoppers, events.shoppers[left])
    sizes = np.searchsorted(events.shoppers, events.shoppers[left], side="right") - starts
    right = starts + right % sizes
    matrix = events.matrix
    same: list[bool] = []
    for one, other in zip(left.tolist(), right.tolist(), strict=True):
        a, b, shopper = events.products[one], events.products[other], events.shoppers[one]
        both = np.intersect1d(_row(matrix, a), _row(matrix, b), assume_unique=True)
        both = both[both != shopper]
        if a == b or not len(both):
            continue
        mine, theirs = (
            first_rows[np.searchsorted(keys, each * width + np.array([a, b]))]
            for each in (shopper, both[rng.integers(len(both))])
        )
        same.append(bool((mine[0] < mine[1]) == (theirs[0] < theirs[1])))
        if len(same) >= 1_000:
            break
    return float(np.mean(same)) if len(same) >= MIN_PAIRS else 0.0


def _row(matrix: csr_array, row: np.int64) -> NDArray[np.int64]:
    return np.asarray(matrix.indices[matrix.indptr[row] : matrix.indptr[row + 1]], np.int64)


def _shifts(z: float) -> str:
    return "shifts" if z >= SIGNIFICANT_Z else "does not shift"


def _by_weight_share(events: _Events) -> float:
    """Return the share of consecutive rows of a shopper with different weights that go the same direction."""
    steps = np.diff(events.weights)[events.shoppers[1:] == events.shoppers[:-1]]
    steps = steps[steps != 0]
    return max((steps > 0).mean(), (steps < 0).mean()).item() if len(steps) >= MIN_PAIRS else 0.0
