"""Columns whose values are computed while they are iterated, so that large sources need little memory."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.int64]

BATCH = 4096
"""Values that an iteration computes at once."""


class LazyColumn(Sequence[Any]):
    """The values of `rows`. `compute` returns the values of some rows of the source, in their order."""

    def __init__(self, compute: Callable[[Rows], list[Any]], rows: Rows) -> None:
        self._compute = compute
        self._rows = rows

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[Any]:
        for start in range(0, len(self._rows), BATCH):
            yield from self._compute(self._rows[start : start + BATCH])

    @overload
    def __getitem__(self, index: int) -> Any: ...
    @overload
    def __getitem__(self, index: slice) -> list[Any]: ...
    def __getitem__(self, index: int | slice) -> Any:
        if isinstance(index, slice):
            return self._compute(self._rows[index])
        return self._compute(self._rows[[index]])[0]

    def take(self, rows: Rows) -> "LazyColumn":
        """Return these values, in this order."""
        return LazyColumn(self._compute, self._rows[rows])


def take(values: Sequence[Any], rows: Rows) -> Sequence[Any]:
    """Return the values of these rows, in this order: lazily if `values` are lazy, otherwise as a list."""
    if isinstance(values, LazyColumn):
        return values.take(rows)
    return [values[row] for row in rows.tolist()]
