"""What shoppers did, each from the oldest event to the newest, as ragged arrays."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from common.errors import UserError
from jobs.recommenders.ragged import indptr_from_lengths, run_indices
from jobs.recommenders.vocabulary import Codes

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Histories:
    """Rows of products; row r holds the places `indptr[r]:indptr[r + 1]` of the other arrays, newest last.

    `indptr` is int64 [rows + 1]; `products` int32 [events], codes of at least 0; `weights` float32 [events].
    """

    indptr: Ints
    products: Codes
    weights: Floats

    def __len__(self) -> int:
        return len(self.indptr) - 1

    def __getitem__(self, rows: slice) -> "Histories":
        """The rows of a slice with step 1, without a copy of their events."""
        start, stop, _ = rows.indices(len(self))
        first, last = self.indptr[start], self.indptr[max(start, stop)]
        indptr = self.indptr[start : max(start, stop) + 1] - first
        return Histories(indptr, self.products[first:last], self.weights[first:last])

    def __iter__(self) -> Iterator[Codes]:
        return (self.products[start:stop] for start, stop in pairwise(self.indptr))

    def require_codes_below(self, products: int) -> None:
        """Check that the codes are those of a catalogue of so many products.

        Raises:
            UserError: one is not.
        """
        if self.products.size and not 0 <= self.products.min() <= self.products.max() < products:
            raise UserError(
                f"a history holds a product that is not among the {products:,} that the model was trained "
                "with: leave out what was not in the training"
            )

    @property
    def lengths(self) -> Ints:
        """Events of each row, int64 [rows]."""
        return np.diff(self.indptr)

    @property
    def rows(self) -> Ints:
        """The row of each event, int64 [events]."""
        return np.repeat(np.arange(len(self)), self.lengths)

    @property
    def ages(self) -> Ints:
        """How many events of its row are newer than each, int64 [events]: 0 for the newest."""
        return self.indptr[1:].repeat(self.lengths) - 1 - np.arange(len(self.products))

    def take(self, rows: NDArray[np.integer[Any]]) -> "Histories":
        """The rows of these numbers, in their order."""
        lengths = self.lengths[rows]
        taken = run_indices(self.indptr[:-1][rows], lengths)
        return Histories(indptr_from_lengths(lengths), self.products[taken], self.weights[taken])

    def select_events(self, events: NDArray[np.bool_]) -> "Histories":
        """The same rows with only these events, bool [events]."""
        counts = np.bincount(self.rows[events], minlength=len(self))
        return Histories(indptr_from_lengths(counts), self.products[events], self.weights[events])

    def with_decay(self, decay: float) -> "Histories":
        """The same events; each weighs `decay` times what the next newer one of its row does."""
        return Histories(self.indptr, self.products, np.power(decay, self.ages).astype(np.float32))

    def matrix(self, products: int) -> csr_array:
        """CSR float32 [rows, products]: the summed weights of each product in each row."""
        columns = self.products.astype(np.int64)
        matrix = csr_array((self.weights, columns, self.indptr), shape=(len(self), products))
        matrix = matrix.copy()
        matrix.sum_duplicates()
        return matrix

    @staticmethod
    def of(lists: Sequence[Sequence[int] | Codes]) -> "Histories":
        """Histories of lists of product codes, oldest first, every event with weight 1.

        Raises:
            UserError: a code is negative: leave out the products that the model never saw.
        """
        lengths = np.fromiter((len(each) for each in lists), np.int64, len(lists))
        flat = [np.asarray(each, np.int32) for each in lists]
        products = np.concatenate(flat) if flat else np.empty(0, np.int32)
        if products.size and products.min() < 0:
            raise UserError(
                "a history holds a product without a code: leave out what was not in the training"
            )
        return Histories(indptr_from_lengths(lengths), products, np.ones(len(products), np.float32))

    @staticmethod
    def grouped(rows: NDArray[np.integer[Any]], count: int, products: Codes, weights: Floats) -> "Histories":
        """Events by their row number (0 to `count` - 1); inside a row they keep their order."""
        order = np.argsort(rows, kind="stable")
        indptr = indptr_from_lengths(np.bincount(rows, minlength=count))
        return Histories(indptr, products[order], weights[order])
