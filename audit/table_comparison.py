"""Compares two tables, and reads the differing rows again while the shop is open."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import pyarrow as pa

from audit.comparison import ComparisonResult, ComparisonSpec
from audit.tables import compare_tables, first_key_columns, replace_rows

MAX_FILTER_VALUES = 500
"""With more differing keys than this, both sides are read again as a whole."""


@dataclass(frozen=True)
class KeyFilter:
    """The values of the first key column to which a query can be limited."""

    column: str
    values: tuple[str, ...]


@dataclass(frozen=True)
class Sides:
    """Both tables of a comparison, and the number of rows that dead letters explain."""

    left: pa.Table
    right: pa.Table
    explained: int = 0


Read = Callable[[KeyFilter | None], Sides]
"""Reads both sides: all rows, or at least the rows that the filter names."""


class TableComparison:
    """Compares the two tables that `read` returns.

    On an open shop, a row can change between the reading of one side and that of the other. `reread` reads
    the differing rows of both sides again, as often as it is called. A row that agrees once counts as
    equal. A true difference stays.
    """

    def __init__(
        self,
        spec: ComparisonSpec,
        read: Read,
        *,
        notes: tuple[str, ...] = (),
        rounding: float = 0.0,
    ) -> None:
        self.spec = spec
        self._read = read
        self._notes = notes
        self._rounding = rounding
        self._sides: Sides | None = None
        self._differing: frozenset[str] = frozenset()

    def compare(self) -> ComparisonResult:
        """Read both sides and compare them."""
        return self._compare(self._read(None))

    def reread(self) -> ComparisonResult:
        """Read the rows that differed in the last comparison again, and compare with the new rows."""
        if self._sides is None:
            return self.compare()
        values = tuple(first_key_columns(self._differing))
        few = len(values) <= MAX_FILTER_VALUES and "" not in values
        newer = self._read(KeyFilter(self.spec.key[0], values) if few else None)
        left, right = (
            replace_rows(old, new, self.spec.key, self._differing)
            for old, new in ((self._sides.left, newer.left), (self._sides.right, newer.right))
        )
        return self._compare(Sides(left, right, self._sides.explained))

    def _compare(self, sides: Sides) -> ComparisonResult:
        found = compare_tables(self.spec, sides.left, sides.right, notes=self._notes, rounding=self._rounding)
        self._differing = found.differing
        self._sides = sides if found.differing else None
        return replace(found, explained=found.explained + sides.explained)
