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
    return FileFormat(delimiter=_delimiter(lines), encoding="utf-8" if encoding == "utf-8-sig" else encoding)


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
    """Return the delimiter that divides the lines into the same number of cells, the largest."""

    def score(delimiter: str) -> tuple[float, int]:
        widths = [len(row) for row in csv.reader(lines, delimiter=delimiter) if row]
        if not widths or widths[0] < 2:
            return (0.0, 0)
        return (sum(width == widths[0] for width in widths) / len(widths), widths[0])

    return max(DELIMITERS, key=score)
