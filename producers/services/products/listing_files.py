"""Files of listings: finds the header of a seller's spreadsheet, and reads its rows as texts. Pure.

A file has a row for each listing. Its header names what the rows have, in English or Portuguese; what a file
does not name stays as it is. A row is found by `product_id`, or by `sku`.
"""

import re
import zipfile
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from common.errors import UserError
from producers.kit.tables.files import DELIMITERS, UnknownEncoding, encoding_of, kind_of, stated_delimiter
from producers.kit.tables.numbers import (
    Separator,
    decimal_separator,
    separator_of,
)
from producers.kit.tables.records import read_records, unguarded
from producers.kit.tables.workbooks import Workbook
from producers.services.products.listing_cells import (
    ATTRIBUTE,
    COLUMNS,
    KEYS,
    NUMBERS,
    BadCell,
    code_of,
    folded,
)
from schemas.product_categories import ProductAttribute

MAX_ROWS = 100_000
MAX_COLUMNS = 1_000
MAX_VALUE_SHOWN = 200
"""Characters of a cell that a report shows."""

_MAX_UNZIPPED = 512 << 20
"""Bytes of an unzipped workbook. The largest file of `MAX_ROWS` rows has a fifth of that."""

_HEADER_WITHIN = 20
"""The header is one of so many first lines."""


class BadFile(Exception):
    """No row of a file can be used. `code` is stable, the text says what to do."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason.replace("\0", "\ufffd"))  # PostgreSQL stores no NUL
        self.code = code


@dataclass(frozen=True, slots=True)
class Defect:
    """Why a row was refused. `row` is its number in the spreadsheet, in which the header is mostly row 1."""

    row: int
    column: str
    value: str
    code: str
    reason: str

    @classmethod
    def of(cls, row: int, column: str, value: str, error: BadCell) -> "Defect":
        """Return the defect of a cell. PostgreSQL stores no NUL."""
        column, value, reason = (text.replace("\0", "\ufffd") for text in (column, value, str(error)))
        return cls(row, column[:MAX_VALUE_SHOWN], value[:MAX_VALUE_SHOWN], error.code, reason)


class Row(NamedTuple):
    """A row of a file: the text of each column, or why the row can't be read."""

    number: int
    cells: Mapping[str, str] | BadCell


@dataclass(frozen=True, slots=True)
class Overview:
    """What only a whole file says.

    `rows` is the number of rows that are not blank. `repeated` are the numbers of rows that are about the
    listing of an earlier row, with the number of that one.
    """

    rows: int
    decimal: Separator | None
    repeated: Mapping[int, int]


class ListingFile:
    """A file of listings on disk: CSV as spreadsheets of many countries write it, or a workbook.

    `columns` are the names of its columns, None for one that is not known. `unknown` are the names of these.
    """

    def __init__(self, path: Path, attributes: Mapping[str, ProductAttribute]) -> None:
        """Find the header.

        Raises:
            BadFile: it is no table, or its header lacks what is needed.
        """
        self._path = path
        self._attributes = attributes
        self._is_guessed = False
        try:
            kind = kind_of(path)
            self._is_workbook = kind == "workbook"
            if kind == "parquet":
                raise UserError(f"{path} is a Parquet file: export the table as CSV or xlsx")
            if self._is_workbook:
                _check_size(path)
                self._workbook = Workbook(path)
                self._sheet = self._workbook.largest_sheet()
                self._find_header_of_sheet()
            else:
                self._encoding = self._find_encoding()
                self._find_header_of_text()
        except UserError as error:
            raise BadFile("not-a-table", _about_file(error, path)) from error
        if len(self.header) > MAX_COLUMNS:
            raise BadFile(
                "too-many-columns", f"The header has more than {MAX_COLUMNS:,} columns. Remove some."
            )
        self.columns = columns_of(self.header, attributes)
        self._check_header()

    def rows(self) -> Generator[Row, None, None]:
        """Yield the rows after the header that are not blank.

        Raises:
            BadFile: the file can't be read to its end.
        """
        try:
            for number, record in self._records():
                if record is None:
                    why = "The quotes of this row are malformed. Double a quote inside a quoted cell."
                    yield Row(number, BadCell("bad-quotes", why))
                elif any(cell.strip() for cell in record):
                    yield Row(number, self._cells(record))
        except UserError as error:
            raise BadFile("not-a-table", _about_file(error, self._path)) from error

    def overview(self) -> Overview:
        """Read the whole file, and return what only all of its rows say.

        Raises:
            BadFile: it has no rows, or too many of them.
        """
        numbers: set[str] = set()
        first_rows: dict[tuple[str, str], int] = {}
        repeated: dict[int, int] = {}
        count = 0
        for row in self.rows():
            count += 1
            if count > MAX_ROWS:
                raise BadFile("too-many-rows", f"The file has more than {MAX_ROWS:,} rows. Split it.")
            if isinstance(row.cells, BadCell):
                continue
            numbers.update(text for name in NUMBERS if (text := row.cells.get(name, "")))
            if key := key_of(row.cells):
                first = first_rows.setdefault(key, row.number)
                if first != row.number:
                    repeated[row.number] = first
        if not count:
            raise BadFile("no-rows", "The file has no row after the header.")
        return Overview(count, self._decimal(numbers), repeated)

    def _decimal(self, numbers: set[str]) -> Separator | None:
        """Return the decimal separator that unambiguous numbers say, or else the delimiter.

        Typed numbers of a workbook have points.
        """
        decimal = decimal_separator(numbers)
        if decimal is None and self._delimiter == "," and not any(map(separator_of, numbers)):
            return "."
        return decimal

    def _cells(self, record: Sequence[str]) -> Mapping[str, str] | BadCell:
        if any(cell.strip() for cell in record[len(self.columns) :]):
            return BadCell(
                "too-many-cells", "The row has more cells than the header. Put quotes around texts."
            )
        if self._is_guessed and any("\ufffd" in cell for cell in record):
            return BadCell("bad-encoding", f"The row is not in {self._encoding}. Save the file in UTF-8.")
        cells = zip(self.columns, record, strict=False)
        return {column: unguarded(cell) for column, cell in cells if column is not None}

    def _find_encoding(self) -> str:
        try:
            with self._path.open("rb") as file:
                encoding = encoding_of(file)
        except UnknownEncoding as error:
            raise BadFile("unknown-encoding", "The encoding is unknown. Save the file in UTF-8.") from error
        self._is_guessed = encoding != "utf-8"
        return encoding

    def _lines(self) -> Iterator[str]:
        with self._path.open(encoding=self._encoding, errors="replace", newline="") as file:
            first = next(file, None)
            if first is not None:
                yield first.removeprefix("\ufeff")
                yield from file

    def _find_header_of_text(self) -> None:
        """Find the line of the header, and the delimiter that divides it into columns that are known."""
        lines = list(islice(self._lines(), 10 * _HEADER_WITHIN))
        stated = stated_delimiter(lines[0]) if lines else None
        delimiters = (stated,) if stated else DELIMITERS
        headers = [
            (line, delimiter, _first_record(lines[line:], delimiter))
            for line in range(1 if stated else 0, min(len(lines), _HEADER_WITHIN))
            for delimiter in delimiters
        ]
        if not headers:
            raise BadFile("no-header", "The file is empty. Its first row must name the columns.")
        self._line, self._delimiter, self.header = max(headers, key=lambda it: (self._known(it[2]), -it[0]))
        # Spreadsheets show no row for a line that states the delimiter.
        self.header_row = self._line + (0 if stated else 1)

    def _find_header_of_sheet(self) -> None:
        self._delimiter = ","
        rows = list(islice(self._workbook.rows(self._sheet, "."), _HEADER_WITHIN))
        if not rows:
            raise BadFile("no-header", "The sheet is empty. Its first row must name the columns.")
        self._line = max(range(len(rows)), key=lambda row: (self._known(rows[row]), -row))
        self.header, self.header_row = rows[self._line], self._line + 1

    def _known(self, header: Sequence[str]) -> int:
        return sum(column is not None for column in columns_of(header[:MAX_COLUMNS], self._attributes))

    def _check_header(self) -> None:
        known = [column for column in self.columns if column is not None]
        self.unknown = [
            name.strip()
            for name, column in zip(self.header, self.columns, strict=True)
            if column is None and name.strip()
        ]
        shown = ", ".join(name.strip() for name in self.header if name.strip())[:MAX_VALUE_SHOWN]
        if not set(KEYS) & set(known):
            raise BadFile("no-key", f"The header has neither a column sku nor product_id. It has: {shown}.")
        if len(set(known)) == 1:
            raise BadFile("nothing-to-change", f"The header has no column besides the key. It has: {shown}.")
        if twice := next((column for column in known if known.count(column) > 1), None):
            raise BadFile("column-twice", f"Two columns are {twice}. Remove one of them.")

    def _records(self) -> Iterator[tuple[int, list[str] | None]]:
        """Yield each row after the header with its number; None if its quotes are malformed."""
        if self._is_workbook:
            records: Iterator[list[str] | None] = islice(
                self._workbook.rows(self._sheet, "."), self._line + 1, None
            )
        else:
            records = read_records(islice(self._lines(), self._line, None), self._delimiter)
            next(records)
        yield from enumerate(records, self.header_row + 1)


def _first_record(lines: Sequence[str], delimiter: str) -> list[str]:
    return next(iter(read_records(lines, delimiter)), None) or []


def key_of(cells: Mapping[str, str]) -> tuple[str, str] | None:
    """Return the column and the text by which a row names its listing; None if it names none."""
    for name in KEYS:
        if text := cells.get(name, "").strip():
            return name, text
    return None


def columns_of(header: Sequence[str], attributes: Mapping[str, ProductAttribute]) -> list[str | None]:
    """Return the columns that the names in a header mean; None for each that is not known.

    An attribute is named by its key (`attribute.colour`) or its name (`atributo.Cor`, `Attribute: Colour`).
    """
    return [_column(name.strip(), attributes) for name in header]


def _column(name: str, attributes: Mapping[str, ProductAttribute]) -> str | None:
    if name.startswith(ATTRIBUTE) and name != ATTRIBUTE:
        return name
    if found := re.match(r"(?:attribute|atributo)\s*[.:]\s*(?=\S)", name, re.IGNORECASE):
        key = name[found.end() :]
        known = ((each.key, each.names.values()) for each in attributes.values())
        return f"{ATTRIBUTE}{code_of(key, known) or key}"
    return _BY_NAME.get(folded(name))


_BY_NAME = {name: column for column, names in COLUMNS.items() for name in (column, *names)}


def _check_size(path: Path) -> None:
    """Raises BadFile: a workbook would be far larger than its file."""
    if not zipfile.is_zipfile(path):
        return
    with zipfile.ZipFile(path) as archive:
        if sum(part.file_size for part in archive.infolist()) > _MAX_UNZIPPED:
            raise BadFile("too-large", "The workbook is too large. Save its table as CSV.")


def _about_file(error: UserError, path: Path) -> str:
    return f"The file {str(error).removeprefix(f'{path} ')}."
