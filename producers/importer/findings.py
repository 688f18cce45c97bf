"""Findings of a conversion: rows that can't be used, and notes for the reader of the report."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field


@dataclass(frozen=True, order=True)
class UnusableRow:
    """A source row that was not converted completely, and the reason."""

    table: str
    key: str
    reason: str


@dataclass(frozen=True)
class FileRows:
    """What became of each line of a file.

    Each is before the header, of the header, blank, or the first or a further line of a row.

    `used` and `unused` count the rows by what they are used as, or why they are not used.
    """

    file: str
    skipped_lines: int
    header_lines: int
    blank_lines: int
    further_lines: int
    rows: int
    used: dict[str, int]
    unused: dict[str, int]


@dataclass(frozen=True)
class Check:
    """A sentence on what agrees with the source's own totals or does not. `agrees` is None if it only "
    "counts."""

    text: str
    agrees: bool | None = None


@dataclass
class ConversionFindings:
    """Collects the findings while tables are read and converted, for the report.

    `files` accounts for every row, if the source's conversion does so. `checks` compare with the totals.
    """

    unusable: list[UnusableRow] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    files: list[FileRows] = field(default_factory=list)
    checks: list[Check] = field(default_factory=list)

    def reject(self, table: str, keys: Iterable[str], reason: str) -> None:
        """Record rows of `table` that can't be used."""
        self.unusable.extend(UnusableRow(table, key, reason) for key in keys)

    def note(self, count: int, sentence: str) -> None:
        """Record an assumption or observation about `count` rows, unless `count` is 0."""
        if count:
            self.notes.append(f"{count:,} {sentence}")

    def summary(self) -> list[tuple[str, str, int]]:
        """Return (table, reason, rows), the most frequent first."""
        counts = Counter((row.table, row.reason) for row in self.unusable)
        return [(table, reason, rows) for (table, reason), rows in counts.most_common()]
