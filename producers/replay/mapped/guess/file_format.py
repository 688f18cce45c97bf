"""Finds out how a CSV file is written: its encoding, delimiter and decimal separator."""

import codecs
import csv
from collections import Counter
from pathlib import Path

from common.errors import UserError
from producers.replay.mapped.cells import UNREADABLE, number_parser
from producers.replay.mapped.rows import Row
from producers.replay.mapped.sections import FileFormat

DELIMITERS = (",", ";", "\t", "|")
_BLOCK_BYTES = 1 << 20
_LINES = 30
_HEADER_SHARE = 0.7
"""Of the cells of the fullest line, the header has at least so many names."""


def detect(path: Path) -> FileFormat:
    """Return the encoding and the delimiter of a CSV file; the decimal separator comes from its values.

    Raises:
        UserError: the file can't be read.
    """
    try:
        encoding = _encoding(path)
        with path.open(encoding=encoding, errors="replace", newline="") as file:
            lines = [line for line, _ in zip(file, range(_LINES), strict=False)]
    except OSError as error:
        raise UserError(f"{path} can't be read ({error.strerror})") from error
    delimiter = _delimiter(lines)
    return FileFormat(
        delimiter=delimiter,
        encoding="utf-8" if encoding == "utf-8-sig" else encoding,
        skip_lines=_lines_before_header(lines, delimiter),
    )


def decimal_separator(rows: list[Row]) -> str:
    """Return `,` if more cells are numbers with a decimal comma than with a decimal point."""
    point, comma = number_parser(".", 9), number_parser(",", 9)
    votes: Counter[str] = Counter()
    for row in rows:
        for cell in row:
            text = cell.strip()
            if "," in text or "." in text:
                as_point, as_comma = point(text) != UNREADABLE, comma(text) != UNREADABLE
                if as_point != as_comma:
                    votes["." if as_point else ","] += 1
    return "," if votes[","] > votes["."] else "."


def _encoding(path: Path) -> str:
    with path.open("rb") as file:
        start = file.read(4)
        if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            return "utf-16"
        file.seek(0)
        decoder = codecs.getincrementaldecoder("utf-8")()
        try:
            while block := file.read(_BLOCK_BYTES):
                decoder.decode(block)
            decoder.decode(b"", final=True)
            return "utf-8-sig"
        except UnicodeDecodeError:
            pass
        file.seek(0)
        try:
            while block := file.read(_BLOCK_BYTES):
                block.decode("cp1252")
            return "cp1252"
        except UnicodeDecodeError:
            return "latin-1"


def _delimiter(lines: list[str]) -> str:
    """Return the delimiter that divides most lines into the same number of cells, the largest."""

    def score(delimiter: str) -> tuple[float, int]:
        widths = Counter(len(row) for row in csv.reader(lines, delimiter=delimiter) if row)
        shares = [(count / widths.total(), width) for width, count in widths.items() if width > 1]
        return max(shares, default=(0.0, 0))

    return max(DELIMITERS, key=score)


def _lines_before_header(lines: list[str], delimiter: str) -> int:
    """Return how many lines come before the one with the columns' names: it has about the most cells with text."""
    reader = csv.reader(lines, delimiter=delimiter)
    filled: list[tuple[int, int]] = []
    before = 0
    for row in reader:
        filled.append((before, sum(bool(cell.strip()) for cell in row)))
        before = reader.line_num
    most = max((cells for _, cells in filled), default=0)
    return next((line for line, cells in filled if cells > 1 and cells >= _HEADER_SHARE * most), 0)
