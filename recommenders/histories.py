"""Histories: the events of each shopper, oldest first, as ragged arrays.

Ragged arrays are rows of different lengths, stored one after the other in one array.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from common.errors import UserError

Codes = NDArray[np.int32]
Floats = NDArray[np.float32]
Ints = NDArray[np.int64]


def indptr_from_lengths(lengths: NDArray[np.integer[Any] | np.bool_]) -> NDArray[np.int64]:
    """Return the start of each row, then the end of the last row: int64 [rows + 1]."""
    return np.concatenate((np.zeros(1, np.int64), np.cumsum(lengths, dtype=np.int64)))


def run_indices(starts: NDArray[np.int64], lengths: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the indices of several runs, one run after the other: int64 [sum of lengths].

    Run i covers `starts[i]` to `starts[i] + lengths[i] - 1`.
    """
    shifts: NDArray[np.int64] = np.repeat(starts - (np.cumsum(lengths) - lengths), lengths)
    return shifts + np.arange(len(shifts))


def number_that_fit(sizes: NDArray[np.integer[Any]], limit: int) -> int:
    """Return how many of the first sizes add up to at most `limit`; at least 1."""
    return max(1, int(np.searchsorted(np.cumsum(sizes), limit, side="right")))


@dataclass(frozen=True)
class Histories:
    """One history per row. Row r holds the elements `indptr[r]:indptr[r + 1]` of the arrays, newest last.

    `indptr` is int64 [rows + 1], `products` int32 [events] with codes ≥ 0, `weights` float32 [events].
    """

    indptr: Ints
    products: Codes
    weights: Floats

    def __len__(self) -> int:
        return len(self.indptr) - 1

    def __getitem__(self, rows: slice) -> "Histories":
        """Return the rows of a slice with step 1, without copying their events."""
        start, stop, _ = rows.indices(len(self))
        first, last = self.indptr[start], self.indptr[max(start, stop)]
        indptr = self.indptr[start : max(start, stop) + 1] - first
        return Histories(indptr, self.products[first:last], self.weights[first:last])

    def __iter__(self) -> Iterator[Codes]:
        return (self.products[start:stop] for start, stop in pairwise(self.indptr))

    def require_codes_below(self, products: int) -> None:
        """Check that all codes are in a catalogue of this many products.

        Raises:
            UserError: a code is not.
        """
        if self.products.size and not 0 <= self.products.min() <= self.products.max() < products:
            raise UserError(
                f"a history holds a product that is not among the {products:,} products of the training: "
                "remove such products from the history"
            )

    @property
    def lengths(self) -> Ints:
        """The number of events of each row, int64 [rows]."""
        return np.diff(self.indptr)

    @property
    def rows(self) -> Ints:
        """The row of each event, int64 [events]."""
        return np.repeat(np.arange(len(self)), self.lengths)

    @property
    def ages(self) -> Ints:
        """The number of newer events in the same row, int64 [events]: 0 for the newest event."""
        return self.indptr[1:].repeat(self.lengths) - 1 - np.arange(len(self.products))

    def take(self, rows: NDArray[np.integer[Any]]) -> "Histories":
        """Return the given rows, in the given order."""
        lengths = self.lengths[rows]
        events = run_indices(self.indptr[:-1][rows], lengths)
        return Histories(indptr_from_lengths(lengths), self.products[events], self.weights[events])

    def select_events(self, events: NDArray[np.bool_]) -> "Histories":
        """Return all rows with only the events where `events`, bool [events], is True."""
        indptr = indptr_from_lengths(np.bincount(self.rows[events], minlength=len(self)))
        return Histories(indptr, self.products[events], self.weights[events])

    def before(self, events: NDArray[np.integer[Any]]) -> "Histories":
        """Return a history for each of the given events, in their order: the older events of its row."""
        starts = self.indptr[:-1].repeat(self.lengths)[events]
        lengths = events - starts
        older = run_indices(starts, lengths)
        return Histories(indptr_from_lengths(lengths), self.products[older], self.weights[older])

    def with_decay(self, decay: float) -> "Histories":
        """Return the same events, each with `decay` times the weight of the next newer event of its row."""
        return Histories(self.indptr, self.products, np.power(decay, self.ages).astype(np.float32))

    def matrix(self, products: int) -> csr_array:
        """Return the summed weights of each product in each row: CSR float32 [rows, products]."""
        events = self.weights, self.products.astype(np.int64), self.indptr
        matrix = csr_array(events, shape=(len(self), products), copy=True)
        matrix.sum_duplicates()
        return matrix

    @staticmethod
    def of(lists: Sequence[Sequence[int] | Codes]) -> "Histories":
        """Return histories of lists of product codes, oldest first. Every event has weight 1.

        Raises:
            UserError: a code is negative.
        """
        products = np.concatenate([np.empty(0, np.int32), *(np.asarray(each, np.int32) for each in lists)])
        if products.size and products.min() < 0:
            raise UserError(
                "a history holds a negative product code: remove products that were not in the training"
            )
        lengths = np.fromiter(map(len, lists), np.int64, len(lists))
        return Histories(indptr_from_lengths(lengths), products, np.ones(len(products), np.float32))

    @staticmethod
    def grouped(rows: NDArray[np.integer[Any]], count: int, products: Codes, weights: Floats) -> "Histories":
        """Group events by row number (0 to `count` - 1). Events keep their order within a row."""
        order = np.argsort(rows, kind="stable")
        indptr = indptr_from_lengths(np.bincount(rows, minlength=count))
        return Histories(indptr, products[order], weights[order])
