"""Reads the rows of a CSV or Parquet file as texts, a batch at a time."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import IO, Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet

from common.errors import UserError
from producers.replay.mapped.sections import FileFormat

BATCH_ROWS = 20_000
_MAX_CELL = 1 << 17
"""Characters of a cell. A longer one is a quote that is opened and never closed."""

Row = list[str]


@dataclass(frozen=True)
class LineCounts:
    """The lines of a file: every one is the header, blank, the begin of a row, or a row's further line."""

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
        self.header = self._read_header()

    @property
    def is_parquet(self) -> bool:
        """Whether this is a Parquet file, by its name."""
        return self.path.suffix.lower() in (".parquet", ".pq")

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
        yield from self._parquet_rows() if self.is_parquet else self._csv_rows()

    def find(self, column: str) -> int:
        """Return the position of a column.

        Raises:
            UserError: the file lacks the column, or has it twice.
        """
        found = self.header.count(column)
        if not found:
            names = ", ".join(self.header[:40])
            raise UserError(
                f"{self.path} has no column {column!r}: correct the mapping, or the file's delimiter. "
                f"The file has: {names}"
            )
        if found > 1:
            raise UserError(
                f"{self.path} has {found} columns {column!r}: rename all but one of them in its first line"
            )
        return self.header.index(column)

    def _read_header(self) -> Row:
        if self.is_parquet:
            names: Row = self._open_parquet().schema_arrow.names
            return names
        with self._open() as file:
            header = next(self._read(file), None)
        if not header or not any(cell.strip() for cell in header):
            raise UserError(f"{self.path} is empty: its first line must have the names of the columns")
        return [cell.strip() for cell in header]

    def _csv_rows(self) -> Iterator[tuple[int, Row]]:
        header = blank = rows = further = 0
        with self._open() as file:
            reader = csv.reader(file, **self._dialect())
            before = 0
            for row in self._checked(reader):
                line, lines = before + 1, reader.line_num - before
                before = reader.line_num
                if not header:
                    header = lines
                elif row:
                    rows += 1
                    further += lines - 1
                    yield line, row
                else:
                    blank += lines
        self.counts = LineCounts(header, blank, rows, further)

    def _parquet_rows(self) -> Iterator[tuple[int, Row]]:
        number = 0
        for batch in self._open_parquet().iter_batches(batch_size=BATCH_ROWS):
            for row in zip(*map(_texts, batch.columns), strict=True):
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
        encoding = "utf-8-sig" if self.format.encoding.lower() in ("utf-8", "utf8") else self.format.encoding
        try:
            return self.path.open(encoding=encoding, newline="")
        except OSError as error:
            raise UserError(f"{self.path} can't be read ({error.strerror})") from error

    def _dialect(self) -> dict[str, Any]:
        if not self.format.quote:
            return {"delimiter": self.format.delimiter, "quoting": csv.QUOTE_NONE}
        return {"delimiter": self.format.delimiter, "quotechar": self.format.quote}

    def _read(self, file: IO[str]) -> Iterator[Row]:
        return self._checked(csv.reader(file, **self._dialect()))

    def _checked(self, reader: Any) -> Iterator[Row]:
        csv.field_size_limit(_MAX_CELL)
        try:
            yield from reader
        except UnicodeError as error:
            raise UserError(self._explain_encoding()) from error
        except csv.Error as error:
            raise UserError(
                f"{self.path}, line {reader.line_num + 1}: {error}. A quote may be opened and never closed: "
                "correct the line, or write `quote: ''` in the mapping if quotes have no meaning there"
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


def _texts(column: pa.Array) -> list[str]:
    """Return the values of a Parquet column as texts, an empty one for null."""
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if pa.types.is_timestamp(column.type) and column.type.unit == "ns":
        column = pc.cast(column, pa.timestamp("us", column.type.tz), safe=False)
    values = column.to_pylist()
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        return ["" if value is None else value for value in values]
    return [_text(value) for value in values]


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, datetime):
        return value.isoformat(" ")
    return str(value)
