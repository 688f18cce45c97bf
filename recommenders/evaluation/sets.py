"""Sets of products, one per case."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recommenders.histories import Codes, Ints, indptr_from_lengths, run_indices

Flags = NDArray[np.bool_]
Floats = NDArray[np.float64]
Numbers = NDArray[np.integer[Any]]

_ROWS_AT_ONCE = 50_000


@dataclass(frozen=True)
class ProductSets:
    """One set per row. Row r is `products[indptr[r]:indptr[r + 1]]`, ascending and without duplicates.

    `indptr` is int64 [rows + 1], `products` int32 [pairs].
    """

    indptr: Ints
    products: Codes

    @classmethod
    def of(cls, rows: Numbers, products: Numbers, row_count: int) -> "ProductSets":
        """Build sets from pairs (row, product) in any order. Duplicate pairs count once.

        Raises:
            ValueError: a row is not in 0 … row_count - 1, or a product is negative.
        """
        if len(rows) and not (rows.min() >= 0 and rows.max() < row_count and products.min() >= 0):
            raise ValueError("rows must be 0 … row_count - 1 and products at least 0")
        width = int(products.max()) + 1 if len(products) else 1
        keys = np.unique(rows.astype(np.int64) * width + products)
        indptr = np.searchsorted(keys, np.arange(row_count + 1, dtype=np.int64) * width).astype(np.int64)
        return cls(indptr, (keys % width).astype(np.int32))

    @property
    def sizes(self) -> Ints:
        """The number of products in each set: int64 [rows]."""
        return np.diff(self.indptr)

    @property
    def rows(self) -> Ints:
        """The row of each pair: int64 [pairs]."""
        return np.repeat(np.arange(len(self.indptr) - 1), self.sizes)

    def contains(self, listed: Codes) -> Flags:
        """Return whether the set of row r holds `listed[r, i]`: bool [rows, k]. Negative codes are in no set.

        Raises:
            ValueError: `listed` has another number of rows.
        """
        if len(listed) != len(self.indptr) - 1:
            raise ValueError(f"{len(listed)} lists for {len(self.indptr) - 1} sets")
        found = np.zeros(listed.shape, dtype=np.bool_)
        for first in range(0, len(listed), _ROWS_AT_ONCE):
            found[first : first + _ROWS_AT_ONCE] = self._contain(listed[first : first + _ROWS_AT_ONCE], first)
        return found

    def common(self, other: "ProductSets") -> "ProductSets":
        """Return the products of each row that are in both sets."""
        return self._filtered(self._is_in(other))

    def without(self, other: "ProductSets") -> "ProductSets":
        """Return the products of each row that are in this set and not in the other."""
        return self._filtered(~self._is_in(other))

    def take(self, rows: Ints) -> "ProductSets":
        """Return the given rows, in the given order."""
        sizes = self.sizes[rows]
        return ProductSets(indptr_from_lengths(sizes), self.products[run_indices(self.indptr[rows], sizes)])

    def _contain(self, listed: Codes, first: int) -> Flags:
        begin, end = self.indptr[first], self.indptr[first + len(listed)]
        if begin == end:
            return np.zeros(listed.shape, dtype=np.bool_)
        products = self.products[begin:end]
        width = int(max(products.max(), listed.max(initial=0))) + 1
        keys = np.repeat(np.arange(len(listed)), self.sizes[first : first + len(listed)]) * width + products
        wanted = np.arange(len(listed))[:, None] * width + listed
        place = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
        return np.asarray((keys[place] == wanted) & (listed >= 0))

    def _is_in(self, other: "ProductSets") -> Flags:
        width = int(max(self.products.max(initial=0), other.products.max(initial=0))) + 1
        return np.isin(self.rows * width + self.products, other.rows * width + other.products)

    def _filtered(self, keep: Flags) -> "ProductSets":
        return ProductSets.of(self.rows[keep], self.products[keep], len(self.indptr) - 1)
