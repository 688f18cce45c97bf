"""Accounts for every row of the source, and writes the rows that are not used to a CSV file."""

import csv
from collections.abc import Iterator
from dataclasses import replace
from io import StringIO
from itertools import pairwise
from pathlib import Path

from common.errors import SoukError
from producers.importer.dataset import ConversionFindings
from producers.importer.mapped.line_table import LineTable
from producers.importer.mapped.outcomes import Outcomes
from producers.importer.mapped.rows import Row, SourceFile

COLUMNS = ("file", "line", "reason", "row")


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
