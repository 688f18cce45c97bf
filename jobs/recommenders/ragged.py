"""Rows of different lengths that lie one behind the other in one array."""

from typing import Any

import numpy as np
from numpy.typing import NDArray


def indptr_from_lengths(lengths: NDArray[np.integer[Any] | np.bool_]) -> NDArray[np.int64]:
    """Where each row begins, and the last one ends: int64 [rows + 1]."""
    return np.concatenate((np.zeros(1, np.int64), np.cumsum(lengths, dtype=np.int64)))


def run_indices(starts: NDArray[np.int64], lengths: NDArray[np.int64]) -> NDArray[np.int64]:
    """The places of runs of these lengths from these starts, one behind the other: int64 [sum of lengths]."""
    begins = np.cumsum(lengths) - lengths
    shifts: NDArray[np.int64] = np.repeat(starts - begins, lengths)
    return shifts + np.arange(len(shifts))
