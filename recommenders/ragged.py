"""Ragged arrays: rows of different lengths, stored one after the other in one array."""

from typing import Any

import numpy as np
from numpy.typing import NDArray


def indptr_from_lengths(lengths: NDArray[np.integer[Any] | np.bool_]) -> NDArray[np.int64]:
    """Return the start of each row, then the end of the last row: int64 [rows + 1]."""
    return np.concatenate((np.zeros(1, np.int64), np.cumsum(lengths, dtype=np.int64)))


def run_indices(starts: NDArray[np.int64], lengths: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the indices of several runs, one run after the other: int64 [sum of lengths].

    Run i covers `starts[i]` to `starts[i] + lengths[i] - 1`.
    """
    offsets = np.cumsum(lengths) - lengths
    shifts: NDArray[np.int64] = np.repeat(starts - offsets, lengths)
    return shifts + np.arange(len(shifts))
