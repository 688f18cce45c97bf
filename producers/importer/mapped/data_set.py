"""A mapping and its tables as a data set that can be replayed, with an account of every row."""

import csv
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from io import StringIO
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

from common.clock import system_clock, to_millis
from common.errors import SoukError
from producers.importer.dataset import Conversion, ConversionFindings
from producers.importer.mapped import events
from producers.importer.mapped.checks import check_totals
from producers.importer.mapped.events import EventSource
from producers.importer.mapped.joined import existing
from producers.importer.mapped.line_table import LineTable, find_files, read_lines
from producers.importer.mapped.mapping import Mapping, read_mapping
from producers.importer.mapped.orders import build_orders
from producers.importer.mapped.outcomes import Outcomes
from producers.importer.mapped.returns import match_returns
from producers.importer.mapped.row_rules import check_rows
from producers.importer.mapped.rows import Row, SourceFile

COLUMNS = ("file", "line", "reason", "row")
"""The columns of the file with the rows that are not used."""


@dataclass(frozen=True)
class Import:
    """What an import reads: rows with their outcomes, and what they become."""

    table: LineTable
    outcomes: Outcomes
    source: EventSource
    findings: ConversionFindings


class MappedDataSet:
    """The tables of a shop, as its mapping describes them.

    Rows that are not used are written to `rejected`, if it is given.
    """

    VERSION = 2
    """Increase this when the same tables and mapping give other events."""

    def __init__(
        self,
        mapping: Mapping,
        mapping_file: Path,
        rejected: Path | None = None,
        now: Callable[[], datetime] = system_clock,
    ) -> None:
        self.mapping = mapping
        self.NAME = f"import_{mapping.name}"
        self.CURRENCY = mapping.currency.only
        self._mapping_file = mapping_file
        self.rejected = rejected
        self.locale: str | None = None
        """If given, what is imported is compared with the tables' totals, and amounts are written so."""
        self._now = now

    @staticmethod
    def load(mapping_file: Path, rejected: Path | None = None) -> "MappedDataSet":
        """Return the data set of a mapping.

        Raises:
            UserError: the file is no mapping.
        """
        return MappedDataSet(read_mapping(mapping_file), mapping_file, rejected)

    def files(self, directory: Path) -> dict[str, Path]:
        """Return the mapping and every table that it names, by name.

        Raises:
            UserError: a file is missing.
        """
        paths = [path for path, _ in find_files(self.mapping, directory)]
        paths += [existing(directory, join.path) for join in self.mapping.joins]
        return {"mapping": self._mapping_file} | {str(path.relative_to(directory)): path for path in paths}

    def convert(self, directory: Path, zone: ZoneInfo) -> Conversion:  # noqa: ARG002 (the mapping has zones)
        """Convert the tables in `directory` to events, and account for every row.

        Raises:
            UserError: a file or a column is missing, or a file can't be read.
        """
        done = self.read(directory)
        if self.rejected:
            write_rejected(self.rejected, done.table, done.outcomes)
        if self.locale:
            done.findings.checks += check_totals(done.source, directory, self.locale)
        made = [make(done.source) for make in events.MAKERS]
        return Conversion([each for each in made if len(each)], done.findings)

    def read(self, directory: Path) -> Import:
        """Read the tables and decide about every row."""
        findings = ConversionFindings()
        table = read_lines(self.mapping, directory)
        outcomes = Outcomes.of(len(table))
        checked = check_rows(table, self.mapping, outcomes, to_millis(self._now()))
        orders, lines = build_orders(table, checked, self.mapping, outcomes, findings)
        returns = match_returns(table, checked, orders, lines, outcomes)
        count_rows(table, outcomes, findings)
        source = EventSource(self.NAME, self.mapping, table, orders, lines, returns)
        return Import(table, outcomes, source, findings)


def count_rows(table: LineTable, outcomes: Outcomes, findings: ConversionFindings) -> None:
    """Record what the rows of each file are used as, and why rows are not used."""
    for file, decided, start, end in _parts(table, outcomes):
        if decided.pending[start:end].any():
            raise RuntimeError(f"{file.path} has rows about which no rule decides")
        found = decided.counts(start, end)
        findings.files.append(
            replace(
                file.counts,
                used={kind.text: rows for kind, rows in found if kind.used},
                unused={kind.text: rows for kind, rows in found if not kind.used},
            )
        )


def write_rejected(path: Path, table: LineTable, outcomes: Outcomes) -> None:
    """Write each row that is not used: its file, the number of its first line, the reason, and the row.

    Raises:
        SoukError: the file can't be written.
    """
    temporary = path.with_name(path.name + ".new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.unlink(missing_ok=True)
        temporary.touch(mode=0o600)  # it is as private as the tables
        with temporary.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(COLUMNS)
            writer.writerows(_rejected_rows(table, outcomes))
        temporary.replace(path)
    except OSError as error:
        raise SoukError(f"{path} can't be written ({error.strerror})") from error


def _rejected_rows(table: LineTable, outcomes: Outcomes) -> Iterator[tuple[object, ...]]:
    for source, decided, start, end in _parts(table, outcomes):
        kinds = [decided.kinds[code] for code in decided.codes[start:end].tolist()]
        if not all(kind.used for kind in kinds):
            for kind, (line, row) in zip(kinds, source.rows(), strict=True):
                if not kind.used:
                    yield source.path.name, line, kind.text, _as_text(row)


def _as_text(row: Row) -> str:
    text = StringIO()
    csv.writer(text, lineterminator="\r\n").writerow(row)  # it quotes cells with these characters only
    return text.getvalue().removesuffix("\r\n")


def _parts(table: LineTable, outcomes: Outcomes) -> Iterator[tuple[SourceFile, Outcomes, int, int]]:
    """Yield each file, and its first and last row among the outcomes."""
    for file, (start, end) in zip(table.files, pairwise(table.bounds), strict=True):
        yield file, outcomes, start, end
    for joined in table.joined:
        decided = joined.outcomes()
        yield joined.file, decided, 0, len(decided.codes)
