"""Finds out how a file is written: encoding, delimiter, decimal separator, sheet, lines before the header."""

import re
from collections import Counter
from itertools import islice
from pathlib import Path

from common.errors import UserError
from common.money import MINOR_DIGITS
from producers.importer.mapped.column_roles import role_of
from producers.importer.mapped.rows import Row
from producers.importer.mapped.sections import FileFormat
from producers.kit.tables.files import (
    UnknownEncoding,
    delimiter_of,
    encoding_of,
    header_row,
    kind_of,
    rows_from_each_line,
    stated_delimiter,
)
from producers.kit.tables.numbers import separator_of
from producers.kit.tables.workbooks import Workbook

_LINES = 60
"""Lines of a file that tell how it is written."""


def detect(path: Path) -> FileFormat:
    """Return how a file is written, but for the decimal separator, which comes from its values.

    Raises:
        UserError: the file can't be read, or has no rows.
    """
    kind = kind_of(path)
    if kind == "parquet":
        return FileFormat()
    if kind == "workbook":
        return _detect_sheet(path)
    try:
        with path.open("rb") as binary:
            encoding = encoding_of(binary)
        with path.open(encoding=encoding, errors="replace", newline="") as file:
            lines = [line.removeprefix("\ufeff") for line in islice(file, _LINES)]
    except UnknownEncoding as error:
        raise UserError(f"{path} can't be read: {error}") from error
    except (OSError, UnicodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else f"it is not {encoding}"
        raise UserError(f"{path} can't be read ({reason})") from error
    delimiter = delimiter_of(lines)
    return FileFormat(delimiter=delimiter, encoding=encoding, skip_lines=_lines_to_skip(lines, delimiter))


_THOUSANDTHS = re.compile(
    rf"\b(?:{'|'.join(code for code, digits in MINOR_DIGITS.items() if digits == 3)})\b"
)
"""Currencies whose prices have three decimals."""
_GROUPED_BY_POINTS = re.compile(r"[^\d.,]*[1-9]\d{0,2}\.\d{3}[^\d.,]*")


def decimal_separator(header: Row, rows: list[Row], currency: str = "") -> str:
    """Return the decimal separator of most numbers with one, in the columns of amounts if they tell.

    If no amount tells, as in a shop whose prices are all like `Rp 199.000`, the point divides thousands,
    unless the file's currency, or else `currency`, has three decimals.
    """
    amounts = [place for place, name in enumerate(header) if role_of(name) in ("price", "total")]
    for cells in (
        [row[place] for row in rows for place in amounts if place < len(row)],
        [cell for row in rows for cell in row],
    ):
        separated = [cell for cell in cells if "," in cell or "." in cell]
        votes = Counter(separator_of(cell) for cell in separated)
        if votes[","] or votes["."]:
            return "," if votes[","] > votes["."] else "."
        if any(_GROUPED_BY_POINTS.fullmatch(cell) for cell in separated):
            texts = (currency, *(cell for row in rows[:200] for cell in row))
            return "." if any(map(_THOUSANDTHS.search, texts)) else ","
    return "."


def _detect_sheet(path: Path) -> FileFormat:
    workbook = Workbook(path)
    sheet = workbook.largest_sheet()
    rows = list(islice(workbook.rows(sheet, "."), _LINES))
    header = header_row(rows)
    are_blank = not any(cell.strip() for row in rows[:header] for cell in row)
    return FileFormat(sheet=sheet, skip_lines=0 if are_blank else header)


def _lines_to_skip(lines: list[str], delimiter: str) -> int:
    """Return how many lines come before the header, 0 if the reader skips them by itself."""
    before = lines[: header_row(rows_from_each_line(lines, delimiter))]
    is_plain = all(not line.strip(f' \t\r\n"{delimiter}') or stated_delimiter(line) for line in before)
    return 0 if is_plain else len(before)
