"""What a conversion finds out about its source: rows it can't use, and what a reader must know."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field


@dataclass(frozen=True, order=True)
class Unusable:
    """One source row that became no event (or not all it could), and why."""

    table: str
    key: str
    reason: str


@dataclass
class Findings:
    """Collected while tables are read and converted; the report shows all of it."""

    unusable: list[Unusable] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def reject(self, table: str, keys: Iterable[str], reason: str) -> None:
        """These rows of `table` can't be used."""
        self.unusable.extend(Unusable(table, key, reason) for key in keys)

    def note(self, count: int, sentence: str) -> None:
        """Something that was assumed or noticed in `count` rows; left out when there are none."""
        if count:
            self.notes.append(f"{count:,} {sentence}")

    def summary(self) -> list[tuple[str, str, int]]:
        """(table, reason, rows), the most frequent first."""
        counts = Counter((row.table, row.reason) for row in self.unusable)
        return [(table, reason, rows) for (table, reason), rows in counts.most_common()]
