"""Reads the rows of a CSV file, a workbook or a Parquet file as texts, a batch at a time."""

import codecs
import csv
import itertools
import re
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import IO, Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet

from common.errors import UserError
from producers.importer.dataset import FileRows
from producers.importer.mapped.mapping import FileFormat
from producers.kit.tables.files import kind_of, stated_delimiter, wide_encoding
from producers.kit.tables.numbers import Separator
from producers.kit.tables.workbooks import Workbook, cell_text

BATCH_ROWS = 20_000
_MAX_CELL = 1 << 24
"""Characters of a cell. A longer one is likely a quote that is opened and never closed."""

_END = "\0"
"""A line after the last one. It is a row of its own unless a quote is open."""

Row = list[str]


class SourceFile:
    """A file of rows. `counts` is complete after `rows` has been read to its end."""

    def __init__(self, path: Path, file_format: FileFormat) -> None:
        self.path = path
        self.counts = FileRows(path.name)
        self.format = file_format
        readers = {"parquet": self._parquet_rows, "workbook": self._sheet_rows, "text": self._csv_rows}
        self._header_and_rows = readers[kind_of(path)]
        self.header = self._read_header()

    def batches(self) -> Iterator[list[Row]]:
        """Yield the rows after the header, `BATCH_ROWS` at a time. Rows may have too few or too many cells.

        Raises:
            UserError: the file can't be read, or is not in its encoding.
        """
        rows = (row for _, row in self.rows())
        while batch := list(islice(rows, BATCH_ROWS)):
            yield batch

    def rows(self) -> Iterator[tuple[int, Row]]:
        """Yield each row with the number of its first line (Parquet: its number from 1).

        Raises:
            UserError: the file can't be read, or is not in its encoding.
        """
        yield from islice(self._header_and_rows(), 1, None)

    def find(self, column: str) -> int:
        """Return the position of a column.

        Raises:
            UserError: the file lacks the column, or has several of this name.
        """
        if column not in self.header:
            pattern = re.compile(rf"{re.escape(column)} \(\d+\)")
            namesakes = [name for name in self.header if pattern.fullmatch(name)]
            if len(namesakes) > 1:
                raise UserError(
                    f"{self.path} has {len(namesakes)} columns {column!r}: write which one in the mapping, "
                    f"as {', '.join(map(repr, namesakes))}"
                )
            names = ", ".join(self.header[:40])
            raise UserError(
                f"{self.path} has no column {column!r}: correct the mapping, or the file's delimiter. "
                f"The file has: {names}"
            )
        if self.header.count(column) > 1:
            raise UserError(f"{self.path} has several columns {column!r}: rename all but one of them")
        return self.header.index(column)

    def _read_header(self) -> Row:
        _, header = next(self._header_and_rows(), (0, None))
        if header is None:
            lines = f"after {self.format.skip_lines} skipped lines, " if self.format.skip_lines else ""
            raise UserError(f"{self.path} is empty: {lines}its first line must have the names of the columns")
        return _numbered([cell.strip() for cell in header])

    def _csv_rows(self) -> Iterator[tuple[int, Row]]:
        """Yield the header and the rows, with the numbers of their first lines."""
        header = blank = rows = further = before = 0
        quote = self.format.quote
        quoting: dict[str, Any] = {"quotechar": quote} if quote else {"quoting": csv.QUOTE_NONE}
        csv.field_size_limit(_MAX_CELL)
        with self._open() as file:
            try:
                stated = stated_delimiter(file.readline())
                file.seek(0)
                lines = _Lines(file)
                for _ in range(max(self.format.skip_lines, bool(stated))):
                    next(lines, None)
                skipped = before = lines.read
                for row in csv.reader(lines, delimiter=stated or self.format.delimiter, **quoting):
                    if lines.ended:
                        if row != [_END]:
                            raise csv.Error("a quote is opened and never closed")
                        break
                    line, count = before + 1, lines.read - before
                    before = lines.read
                    if not any(cell.strip() for cell in row) if not header else not row:
                        blank += count
                    elif not header:
                        header = count
                        yield line, row
                    else:
                        rows += 1
                        further += count - 1
                        yield line, row
            except UnicodeError as error:
                raise UserError(self._explain_encoding()) from error
            except csv.Error as error:
                is_long = "field larger" in str(error)
                what = f"a cell has more than {_MAX_CELL:,} characters" if is_long else error
                raise UserError(
                    f"{self.path}, line {before + 1}: {what}. Correct the line, or write `quote: ''` in the "
                    "mapping if quotes have no meaning there"
                ) from error
            except OSError as error:
                raise UserError(f"{self.path} can't be read ({error.strerror})") from error
        self.counts = FileRows(self.path.name, skipped, header, blank, further, rows)

    def _sheet_rows(self) -> Iterator[tuple[int, Row]]:
        header = blank = rows = skipped = width = 0
        sheet = Workbook(self.path).rows(self.format.sheet, self.format.decimal)
        for number, row in enumerate(sheet, 1):
            if number <= self.format.skip_lines:
                skipped += 1
            elif not any(cell.strip() for cell in row):
                blank += 1
            elif not header:
                header, width = 1, max(place for place, cell in enumerate(row, 1) if cell.strip())
                yield number, row[:width]
            else:
                rows += 1
                yield number, row if any(cell.strip() for cell in row[width:]) else row[:width]
        self.counts = FileRows(self.path.name, skipped, header, blank, rows=rows)

    def _parquet_rows(self) -> Iterator[tuple[int, Row]]:
        number = 0
        try:
            file = pyarrow.parquet.ParquetFile(self.path)
        except (pa.ArrowException, OSError) as error:
            first = str(error).splitlines()[0]
            raise UserError(f"{self.path} is not a whole Parquet file ({first}): copy it again") from error
        yield 0, file.schema_arrow.names
        for batch in file.iter_batches(batch_size=BATCH_ROWS):
            for row in zip(*(_texts(column, self.format.decimal) for column in batch.columns), strict=True):
                number += 1
                yield number, list(row)
        self.counts = FileRows(self.path.name, rows=number)

    def _open(self) -> IO[str]:
        encoding = self.format.encoding
        try:
            with self.path.open("rb") as file:
                wide = wide_encoding(file.read(4096))
            if wide and not codecs.lookup(encoding).name.startswith(("utf-16", "utf-32")):
                raise UserError(f"{self.path} is {wide}: write `encoding: {wide}` in the mapping")
            return self.path.open(encoding=encoding, newline="")
        except OSError as error:
            raise UserError(f"{self.path} can't be read ({error.strerror})") from error

    def _explain_encoding(self) -> str:
        where = ""
        with self.path.open("rb") as file:
            for number, line in enumerate(file, 1):
                try:
                    line.decode(self.format.encoding)
                except UnicodeError as error:
                    found = line[error.start] if isinstance(error, UnicodeDecodeError) else 0
                    where = f", line {number} (byte 0x{found:02x})"
                    break
        return (
            f"{self.path}{where} is not {self.format.encoding}: write its encoding in the mapping, for "
            "example `encoding: cp1252`"
        )


def _numbered(names: list[str]) -> list[str]:
    """Return the names of columns; those that occur several times have numbers: `Price (1)`, `Price (2)`."""
    total = Counter(names)
    numbers = {name: itertools.count(1) for name in total}
    numbered = [f"{name} ({next(numbers[name])})" for name in names]
    return [
        with_number if name and total[name] > 1 and with_number not in total else name
        for name, with_number in zip(names, numbered, strict=True)
    ]


class _Lines:
    """The lines of a file without its byte order mark, and then `_END`; `read` counts them."""

    def __init__(self, file: IO[str]) -> None:
        self.read = 0
        self.ended = False
        self._file = file

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        if self.ended:
            raise StopIteration
        line = next(self._file, None)
        if line is None:
            self.ended = True
            return _END
        self.read += 1
        return line.removeprefix("\ufeff") if self.read == 1 else line


def _texts(column: pa.Array, decimal: Separator) -> list[str]:
    """Return the values of a Parquet column as texts, an empty one for null."""
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if pa.types.is_timestamp(column.type) and column.type.unit == "ns":
        column = pc.cast(column, pa.timestamp("us", column.type.tz), safe=False)
    values = column.to_pylist()
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        return ["" if value is None else value for value in values]
    return [cell_text(value, decimal) for value in values]
