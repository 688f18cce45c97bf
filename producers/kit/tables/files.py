"""Finds out what a file of rows is and how it is written: its kind, encoding, delimiter and first lines."""

import codecs
import csv
import re
import zipfile
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import BinaryIO, Literal

from charset_normalizer import from_bytes

from common.errors import UserError

Kind = Literal["text", "parquet", "workbook"]

DELIMITERS = (",", ";", "\t", "|")

_BLOCK_BYTES = 1 << 20
_START_BYTES = 4096

_OTHERS: Sequence[tuple[bytes, str]] = (
    (b"\x1f\x8b", "is compressed with gzip: unpack it"),
    (b"PK\x03\x04", "is a ZIP archive: unpack it"),
    (b"7z\xbc\xaf\x27\x1c", "is a 7z archive: unpack it"),
    (b"Rar!\x1a\x07", "is a RAR archive: unpack it"),
    (b"BZh", "is compressed with bzip2: unpack it"),
    (b"\x28\xb5\x2f\xfd", "is compressed with Zstandard: unpack it"),
    (b"%PDF-", "is a PDF: export the table as CSV or xlsx"),
    (b"SQLite format 3\0", "is an SQLite database: export its tables as CSV"),
)
"""The first bytes of files that are no tables → what they are, and what to do."""

_MARKUP = re.compile(rb"\s*<(?:!doctype html|html|table|\?xml)", re.IGNORECASE)
_SEPARATOR_LINE = re.compile(r'"?sep=(.)"?\s*', re.IGNORECASE)
_WORKBOOK_PARTS = ("xl/workbook.xml", "xl/workbook.bin", "content.xml")
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
"""The first bytes of an .xls, and of a workbook with a password."""


def kind_of(path: Path) -> Kind:
    """Return what a file is, by its content, whatever its name says.

    Raises:
        UserError: it can't be read, or is nothing that has rows.
    """
    try:
        with path.open("rb") as file:
            start = file.read(_START_BYTES)
    except OSError as error:
        raise UserError(f"{path} can't be read ({error.strerror})") from error
    if start.startswith(b"PAR1") or path.suffix.lower() in (".parquet", ".pq"):
        return "parquet"
    if start.startswith(_OLE) or (start.startswith(b"PK\x03\x04") and _is_workbook(path)):
        return "workbook"
    for begin, what in _OTHERS:
        if start.startswith(begin):
            raise UserError(f"{path} {what}")
    if _MARKUP.match(start.removeprefix(codecs.BOM_UTF8)):
        raise UserError(f"{path} is a web page or XML: open it in a spreadsheet, and save it as xlsx")
    return "text"


def _is_workbook(path: Path) -> bool:
    try:
        with zipfile.ZipFile(path) as archive:
            names = set(archive.namelist())
    except (zipfile.BadZipFile, OSError, ValueError):
        return path.suffix.lower() in (".xlsx", ".xlsm", ".xlsb", ".ods")  # its reader says what is wrong
    return any(part in names for part in _WORKBOOK_PARTS)


def encoding_of(file: BinaryIO) -> str:
    """Return the encoding of a text: by its byte order mark or its zero bytes, or else by its letters.

    Raises:
        UnknownEncoding: it is neither Unicode, nor Western, nor any other encoding whose letters make words.
    """
    start = file.read(_START_BYTES)
    if encoding := wide_encoding(start):
        return encoding
    file.seek(0)
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        while block := file.read(_BLOCK_BYTES):
            decoder.decode(block)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        file.seek(0)
        return _encoding_of_letters(file)
    return "utf-8"


class UnknownEncoding(ValueError):
    """Nothing tells how the letters of a text are encoded."""


_WESTERN = "cp1252"
_LATIN = ["cp1250", "cp1254", "cp1257", "cp1252"]
_OTHER_SCRIPTS = [
    "cp932", "euc_jp", "gb18030", "big5", "cp949", "cp1251", "koi8_r", "cp1253", "cp1256",
]  # fmt: skip
"""The encodings without zero bytes that spreadsheets of the world write."""

_WESTERN_LANGUAGES = {
    "English", "French", "German", "Spanish", "Portuguese", "Italian", "Dutch", "Swedish", "Danish",
    "Norwegian", "Finnish", "Indonesian",
}  # fmt: skip
_HEBREW = frozenset(range(0xE0, 0xFB))
"""The letters of cp1255. A Cyrillic text has more different bytes."""
_TURKISH_I, _TURKISH = 0xFD, frozenset((0xF0, 0xFE))
"""The bytes of ı, and of ğ and ş, in cp1254. They are ý, ð and þ in Iceland, which also has acute accents."""
_ACUTE = frozenset((0xE1, 0xED, 0xF3, 0xFA))
_ASCII = bytes(range(0x80))
_MAX_TOLD_BYTES = 1 << 18
_CELL = re.compile(rb"[^,;\t\r\n\"]+")
"""A cell; no encoding with several bytes for a letter has one of the bytes that divide cells."""
_INSIDE = re.compile(r"(?<=[a-z])[^\w\s\x00-\x7f’‘´–—·®™](?=[a-z])", re.IGNORECASE)


def _encoding_of_letters(file: BinaryIO) -> str:
    """Return the encoding by the lines that have other letters than those of ASCII.

    In a language with Latin letters, most of them stand alone among those of ASCII (`Größe`). The letters of
    other scripts follow each other (`Íîìåð`), and Polish ones would be signs inside Western words (`Za¿ó³æ`).
    """
    cells: dict[bytes, None] = {}
    size = 0
    for line in file:
        if not line.isascii():
            found = (cell for cell in _CELL.findall(line) if not cell.isascii())
            cells.update(dict.fromkeys(found))
            size += len(line)
            if size > _MAX_TOLD_BYTES:
                break
    sample = b"\n".join(cells)
    western = sample.decode(_WESTERN, errors="replace")
    high = [byte >= 0x80 for byte in sample]
    together = sum(left and right for left, right in pairwise(high))
    is_latin = together <= 0.45 * sum(high)
    if is_latin and _TURKISH_I in sample and not _TURKISH.isdisjoint(sample):
        return "cp1254" if _ACUTE.isdisjoint(sample) else _WESTERN
    is_western = (
        is_latin
        and "\ufffd" not in western
        and len(_INSIDE.findall(western)) <= 0.1 * sum(high)
        and _TURKISH_I not in sample  # ý is more often Czech than French
    )
    if is_western:
        return _WESTERN
    best = from_bytes(sample, cp_isolation=_LATIN if is_latin else _OTHER_SCRIPTS).best()
    if best is None:
        raise UnknownEncoding("the encoding is unknown: save the file in UTF-8")
    if best.language in _WESTERN_LANGUAGES and "\ufffd" not in western:
        return _WESTERN
    is_hebrew = best.encoding in ("cp1251", "koi8_r") and _HEBREW.issuperset(sample.translate(None, _ASCII))
    return "cp1255" if is_hebrew else str(best.encoding)


def wide_encoding(start: bytes) -> str | None:
    """Return the encoding of a text with more than one byte for each letter, by its first bytes, or None."""
    if start.startswith((codecs.BOM_UTF32_LE, b"\0\0\xfe\xff")):
        return "utf-32"
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    high, low = start[::2].count(0), start[1::2].count(0)
    if max(high, low) < 0.2 * len(start) or not start:
        return None
    return "utf-16-le" if low > high else "utf-16-be"


def stated_delimiter(line: str) -> str | None:
    """Return the delimiter that a line `sep=;` states for Excel, or None if it is another line."""
    found = _SEPARATOR_LINE.fullmatch(line.removeprefix("\ufeff"))
    return found[1] if found else None


def delimiter_of(lines: Sequence[str]) -> str:
    """Return the delimiter of a file's first lines: it divides most of them into the same number of cells."""
    if lines and (stated := stated_delimiter(lines[0])):
        return stated

    def score(delimiter: str) -> tuple[float, int]:
        widths = Counter(len(row) for row in rows_from_each_line(lines, delimiter) if row)
        width, rows = max(widths.items(), key=lambda each: (each[0] > 1, each[1], each[0]), default=(1, 0))
        return (0.0, 0) if width < 2 else (rows / widths.total() * min(width, 5), width)

    return max(DELIMITERS, key=score)


def rows_from_each_line(lines: Sequence[str], delimiter: str) -> list[list[str]]:
    """Return, for each line, the row that begins there; an unclosed quote before it has no effect."""

    def row(start: int) -> list[str]:
        try:
            return next(csv.reader(lines[start:], delimiter=delimiter), [])
        except csv.Error:
            return []

    return [row(start) for start in range(len(lines))]


def header_row(rows: Sequence[Sequence[str]]) -> int:
    """Return which of a file's first rows has the names of the columns.

    It is the first one that is about as full as the fullest. The rows before it are a title, or notes.
    """
    filled = [sum(bool(cell.strip()) for cell in row) for row in rows]
    enough = max(2, 0.6 * max(filled, default=0))
    return next((number for number, cells in enumerate(filled) if cells >= enough), 0)
