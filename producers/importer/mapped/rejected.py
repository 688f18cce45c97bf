"""Accounts for every row of the source, and writes the rows that are not used to a CSV file."""

import csv
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import IO

from common.errors import SoukError
from producers.importer.dataset import ConversionFindings, FileRows
from producers.importer.mapped.line_table import LineTable
from producers.importer.mapped.outcomes import Outcomes
from producers.importer.mapped.rows import Row, SourceFile

COLUMNS = ("file", "line", "reason", "row")

_Part = tuple[SourceFile, Outcomes, int, int]
"""A file, and its first and last row among the outcomes."""


def count_rows(table: LineTable, outcomes: Outcomes, findings: ConversionFindings) -> None:
    """Record what the rows of each file are used as, and why rows are not used."""
    for file, decided, start, end in _parts(table, outcomes):
        if decided.pending[start:end].any():
            raise RuntimeError(f"{file.path} has rows about which no rule decides")
        counts = file.counts
        found = decided.counts(start, end)
        findings.files.append(
            FileRows(
                file=file.path.name,
                skipped_lines=counts.skipped,
                header_lines=counts.header,
                blank_lines=counts.blank,
                further_lines=counts.further,
                rows=counts.rows,
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
            _write(file, table, outcomes)
        temporary.replace(path)
    except OSError as error:
        raise SoukError(f"{path} can't be written ({error.strerror})") from error


def _write(file: IO[str], table: LineTable, outcomes: Outcomes) -> None:
    writer = csv.writer(file)
    writer.writerow(COLUMNS)
    for source, decided, start, end in _parts(table, outcomes):
        kinds = [decided.kind(code) for code in decided.codes[start:end].tolist()]
        if all(kind.used for kind in kinds):
            continue
        for kind, (line, row) in zip(kinds, source.rows(), strict=True):
            if not kind.used:
                writer.writerow([source.path.name, line, kind.text, _as_text(row)])


def _as_text(row: Row) -> str:
    text = StringIO()
    csv.writer(text, lineterminator="\r\n").writerow(row)  # it quotes cells with these characters only
    return text.getvalue().removesuffix("\r\n")


def _parts(table: LineTable, outcomes: Outcomes) -> Iterator[_Part]:
    for file, start, end in zip(table.files, table.bounds, table.bounds[1:], strict=False):
        yield file, outcomes, start, end
    for joined in table.joined:
        decided = joined.outcomes()
        yield joined.file, decided, 0, len(decided.codes)
