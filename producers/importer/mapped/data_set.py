"""A mapping and its tables as a data set that can be replayed."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from common.clock import system_clock, to_millis
from producers.importer.dataset import Conversion, ConversionFindings
from producers.importer.mapped import events
from producers.importer.mapped.checks import check_totals
from producers.importer.mapped.events import EventSource
from producers.importer.mapped.joined import existing
from producers.importer.mapped.line_table import LineTable, find_files, read_lines
from producers.importer.mapped.mapping import Mapping, read_mapping
from producers.importer.mapped.orders import build_orders
from producers.importer.mapped.outcomes import Outcomes
from producers.importer.mapped.rejected import count_rows, write_rejected
from producers.importer.mapped.returns import match_returns
from producers.importer.mapped.row_rules import check_rows

VERSION = 2
"""Increase this when the same tables and mapping give other events."""


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

    VERSION = VERSION

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
