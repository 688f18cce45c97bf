"""What became of each row of the source: what it was used as, or why it was not used."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]
Rows = Mask | NDArray[np.int64]
"""Rows as a mask, or as their numbers."""

PENDING = 0
"""The outcome of a row that is not decided yet."""


@dataclass(frozen=True)
class RowOutcome:
    """An outcome that rows share. `text` says what the row is used as, or why it is not used."""

    text: str
    used: bool


@dataclass
class Outcomes:
    """The outcome of each of n rows, as a code; each row is decided once."""

    codes: NDArray[np.int16]
    kinds: list[RowOutcome] = field(default_factory=lambda: [RowOutcome("undecided", False)])

    @staticmethod
    def of(rows: int) -> "Outcomes":
        """Return `rows` undecided outcomes."""
        return Outcomes(np.zeros(rows, np.int16))

    @property
    def pending(self) -> Mask:
        """Which rows are not decided yet."""
        undecided: Mask = self.codes == PENDING
        return undecided

    def reject(self, rows: Rows, reason: str) -> None:
        """Don't use these rows, except those that are decided already."""
        self._decide(rows, RowOutcome(reason, used=False))

    def use(self, rows: Rows, what: str) -> None:
        """Use these rows, except those that are decided already."""
        self._decide(rows, RowOutcome(what, used=True))

    def used_as(self, what: str) -> Mask:
        """Return which rows are used as this."""
        return np.isin(
            self.codes, [code for code, kind in enumerate(self.kinds) if kind == RowOutcome(what, True)]
        )

    def counts(self, start: int, end: int) -> list[tuple[RowOutcome, int]]:
        """Return the outcomes of the rows from `start` to `end` and their numbers: used ones first."""
        counted = np.bincount(self.codes[start:end], minlength=len(self.kinds)).tolist()
        found = [(kind, count) for kind, count in zip(self.kinds, counted, strict=True) if count]
        return sorted(found, key=lambda each: (not each[0].used, -each[1]))

    def _decide(self, rows: Rows, outcome: RowOutcome) -> None:
        numbers = np.flatnonzero(rows) if rows.dtype == bool else rows
        undecided = numbers[self.codes[numbers] == PENDING]
        if len(undecided):
            if outcome not in self.kinds:
                self.kinds.append(outcome)
            self.codes[undecided] = self.kinds.index(outcome)
