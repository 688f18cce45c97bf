"""Reads the rows of a CSV file, a workbook or a Parquet file as texts, a batch at a time."""

import codecs
import csv
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO, Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet

from common.errors import UserError
from producers.importer.mapped.sections import FileFormat
from producers.kit.tables.files import kind_of, stated_delimiter, wide_encoding
from producers.kit.tables.numbers import Separator
from producers.kit.tables.workbooks import Workbook, cell_text

BATCH_ROWS = 20_000
_MAX_CELL = 1 << 24
"""Characters of a cell. A longer one is likely a quote that is opened and never closed."""

_END = "\0"
"""A line after the last one. It is a row of its own unless a quote is open."""

Row = list[str]


@dataclass(frozen=True)
class LineCounts:
    """The lines of a text, or the rows of a sheet or a Parquet file.

    Each is before the header, of the header, blank, or the first or a later line of a row.
    """

    skipped: int = 0
    header: int = 0
    blank: int = 0
    rows: int = 0
    further: int = 0


class SourceFile:
    """A file of rows. `counts` is complete after `rows` has been read to its end."""

    def __init__(self, path: Path, file_format: FileFormat) -> None:
        self.path = path
        self.counts = LineCounts()
        self.format = file_format
        self.kind = kind_of(path)
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
        read = {"parquet": self._parquet_rows, "workbook": self._sheet_rows, "text": self._csv_rows}
        yield from islice(read[self.kind](), 1, None)

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
        read = {"parquet": self._parquet_rows, "workbook": self._sheet_rows, "text": self._csv_rows}
        _, header = next(read[self.kind](), (0, None))
        if header is None:
            lines = f"after {self.format.skip_lines} skipped lines, " if self.format.skip_lines else ""
            raise UserError(f"{self.path} is empty: {lines}its first line must have the names of the columns")
        return _numbered([cell.strip() for cell in header])

    def _csv_rows(self) -> Iterator[tuple[int, Row]]:
        """Yield the header and the rows, with the numbers of their first lines."""
        header = blank = rows = further = 0
        with self._open() as file:
            lines = _Lines(file)
            skipped, delimiter = self._skip(lines)
            before = skipped
            reader = csv.reader(lines, **self._dialect(delimiter))
            for row in self._checked(reader, lines):
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
        self.counts = LineCounts(skipped, header, blank, rows, further)

    def _skip(self, lines: "_Lines") -> tuple[int, str]:
        """Read the lines before the header, and return their number and the delimiter of the rest."""
        delimiter = self.format.delimiter
        try:
            first = next(lines, "")
            if stated := stated_delimiter(first):
                delimiter = stated
            elif not self.format.skip_lines:
                lines.push_back(first)
            for _ in range(1, self.format.skip_lines):
                next(lines, None)
        except UnicodeError as error:
            raise UserError(self._explain_encoding()) from error
        return lines.read, delimiter

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
        self.counts = LineCounts(skipped, header, blank, rows)

    def _parquet_rows(self) -> Iterator[tuple[int, Row]]:
        number = 0
        file = self._open_parquet()
        yield 0, file.schema_arrow.names
        for batch in file.iter_batches(batch_size=BATCH_ROWS):
            for row in zip(*(_texts(column, self.format.decimal) for column in batch.columns), strict=True):
                number += 1
                yield number, list(row)
        self.counts = LineCounts(rows=number)

    def _open_parquet(self) -> Any:
        try:
            return pyarrow.parquet.ParquetFile(self.path)
        except (pa.ArrowException, OSError) as error:
            first = str(error).splitlines()[0]
            raise UserError(f"{self.path} is not a whole Parquet file ({first}): copy it again") from error

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

    def _dialect(self, delimiter: str) -> dict[str, Any]:
        if not self.format.quote:
            return {"delimiter": delimiter, "quoting": csv.QUOTE_NONE}
        return {"delimiter": delimiter, "quotechar": self.format.quote}

    def _checked(self, reader: Iterator[Row], lines: "_Lines") -> Iterator[Row]:
        """Yield the rows of a reader whose last line is `_END`."""
        csv.field_size_limit(_MAX_CELL)
        before = lines.read
        try:
            for row in reader:
                if lines.ended:
                    if row != [_END]:
                        raise csv.Error("a quote is opened and never closed")
                    return
                yield row
                before = lines.read
        except UnicodeError as error:
            raise UserError(self._explain_encoding()) from error
        except csv.Error as error:
            what = f"a cell has more than {_MAX_CELL:,} characters" if "field larger" in str(error) else error
            raise UserError(
                f"{self.path}, line {before + 1}: {what}. Correct the line, or write `quote: ''` in the "
                "mapping if quotes have no meaning there"
            ) from error
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
    """Return the names of columns, those that occur several times with their numbers: `Price (1)`, `Price "
    "(2)`."""
    seen: Counter[str] = Counter()
    total = Counter(names)
    result = []
    for name in names:
        seen[name] += 1
        numbered = f"{name} ({seen[name]})"
        result.append(numbered if name and total[name] > 1 and numbered not in total else name)
    return result


class _Lines:
    """The lines of a file without its byte order mark, and then `_END`; `read` counts them."""

    def __init__(self, file: IO[str]) -> None:
        self.read = 0
        self.ended = False
        self._file = file
        self._pushed: list[str] = []

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        if self.ended:
            raise StopIteration
        line = self._pushed.pop() if self._pushed else next(self._file, None)
        if line is None:
            self.ended = True
            return _END
        self.read += 1
        return line.removeprefix("\ufeff") if self.read == 1 else line

    def push_back(self, line: str) -> None:
        """Return a line again as the next one."""
        if not self.ended:
            self._pushed.append(line)
            self.read -= 1


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
