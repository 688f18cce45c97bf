"""Describes a table: how its file is written, and its columns by their values."""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice, pairwise
from pathlib import Path

from common.errors import UserError
from common.money import MINOR_DIGITS
from producers.importer.mapped.cells import UNREADABLE, number_parser, time_parser
from producers.importer.mapped.column_roles import role_of
from producers.importer.mapped.mapping import MISSING, FileFormat, Time
from producers.importer.mapped.rows import Row, SourceFile
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

SAMPLE_ROWS = 20_000
_LINES = 60
"""Lines of a file that tell how it is written."""

TIME_FORMATS = (
    "iso", "%d/%m/%Y %H:%M", "%m/%d/%Y %H:%M", "%d/%m/%Y %H:%M:%S", "%m/%d/%Y %H:%M:%S", "%d/%m/%y %H:%M",
    "%m/%d/%y %H:%M", "%d/%m/%Y", "%m/%d/%Y", "%d/%m/%y", "%m/%d/%y", "%d.%m.%Y %H:%M:%S", "%d.%m.%Y %H:%M",
    "%d.%m.%Y", "%d-%m-%Y %H:%M:%S", "%d-%m-%Y %H:%M", "%d-%m-%Y", "%m-%d-%Y", "%Y/%m/%d %H:%M:%S",
    "%Y/%m/%d %H:%M", "%Y/%m/%d", "%Y-%m-%d %H:%M:%S %z", "%Y-%m-%d %H:%M:%S UTC", "%m/%d/%Y %I:%M:%S %p",
    "%m/%d/%Y %I:%M %p", "%d %b %Y %H:%M", "%d %b %Y", "%b %d, %Y", "%d-%b-%Y", "unix", "unix_ms",
)  # fmt: skip
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_CLOCK = re.compile(r"\d{1,2}:\d\d(:\d\d)?(\.\d+)?( ?[AaPp][Mm])?")
_RANGE_MS = (631_152_000_000, 4_102_444_800_000)  # 1990 to 2100


@dataclass(frozen=True)
class ColumnProfile:
    """What the sampled values of a column look like. Shares are of the cells with a value."""

    file: "FileProfile"
    name: str
    texts: list[str]

    @cached_property
    def given(self) -> list[str]:
        """The cells with a value."""
        return [text for text in self.texts if text not in MISSING]

    @cached_property
    def missing_share(self) -> float:
        """The share of cells without a value."""
        return 1 - len(self.given) / max(len(self.texts), 1)

    @cached_property
    def distinct(self) -> int:
        """How many different values there are."""
        return len(set(self.given))

    @cached_property
    def is_unique(self) -> bool:
        """Whether no value repeats."""
        return bool(self.given) and self.distinct == len(self.given)

    @cached_property
    def numbers(self) -> list[float]:
        """The values that are numbers."""
        parse = number_parser(self.file.format.decimal, 6)
        values = {text: parse(text) for text in set(self.given)}
        return [values[text] / 10**6 for text in self.given if values[text] != UNREADABLE]

    @cached_property
    def number_share(self) -> float:
        """The share of numbers."""
        return len(self.numbers) / max(len(self.given), 1)

    @cached_property
    def is_integer(self) -> bool:
        """Whether almost all values are whole numbers."""
        return self.number_share > 0.95 and all(number == int(number) for number in self.numbers)

    @cached_property
    def email_share(self) -> float:
        """The share of e-mail addresses."""
        return self.share(lambda text: bool(_EMAIL.fullmatch(text)), 500)

    def share(self, has: Callable[[str], bool], cells: int = 2000) -> float:
        """Return the share of the first cells with a value that have something."""
        texts = self.given[:cells]
        return sum(map(has, texts)) / len(texts) if texts else 0.0

    @cached_property
    def runs(self) -> float:
        """How often a value is that of the row before: high for an order's id, whose lines stand together."""
        same = sum(left == right and left not in MISSING for left, right in pairwise(self.texts))
        return same / max(len(self.texts) - 1, 1)

    def determines(self, other: "ColumnProfile") -> float:
        """The share of rows whose value of `other` is the commonest one beside their own value here.

        Cells without a value count for nothing: often only the first row of an order has all of its fields.
        """
        found: dict[str, Counter[str]] = {}
        for own, text in zip(self.texts, other.texts, strict=True):
            if own not in MISSING and text not in MISSING:
                found.setdefault(own, Counter())[text] += 1
        total = sum(counts.total() for counts in found.values())
        return sum(max(counts.values()) for counts in found.values()) / total if total else 0.0

    @cached_property
    def time_formats(self) -> list[str]:
        """The formats in which almost all values are times, the likeliest first."""
        if self.number_share > 0.95 and not self.is_integer:
            return []
        sample = self.given[:: max(len(self.given) // 2000, 1)]
        for formats in (TIME_FORMATS, ("day_first", "month_first")):
            if found := self._fitting(formats, sample):
                return found
        return []

    def _fitting(self, formats: Sequence[str], sample: list[str]) -> list[str]:
        """Return the formats in which almost all texts are times, that of the fewest steps back first."""
        likely = list(formats)
        for few in (self.given[:3], self.given[:50]):
            # One of the first three may be unreadable, as a footer or a mistake is.
            likely = [
                each for each in likely if self._share_of_times(each, few) > (0.9 if len(few) > 3 else 0.5)
            ]
        fitting = [each for each in likely if self._share_of_times(each, sample) > 0.95]
        return sorted(fitting, key=lambda each: self._inversions(each, sample))

    @cached_property
    def other_readings(self) -> list[str]:
        """The formats in which the values are other times than in the likeliest one."""
        formats, sample = self.time_formats, self.given[:200]
        return [each for each in formats[1:] if _times(each, sample) != _times(formats[0], sample)]

    @cached_property
    def median_time(self) -> int:
        """The time in the middle, in Unix milliseconds, or 0."""
        times = sorted(_times(self.time_formats[0], self.given[:500])) if self.time_formats else []
        return times[len(times) // 2] if times else 0

    @cached_property
    def is_date_only(self) -> bool:
        """Whether the values are days without a time of day."""
        return bool(self.given) and not any(":" in text for text in self.given[:200])

    @cached_property
    def times_of_day(self) -> float:
        """The share of times of day, such as `14:05` or `2:05 PM`."""
        return self.share(lambda text: bool(_CLOCK.fullmatch(text)), 500)

    def _share_of_times(self, pattern: str, texts: list[str]) -> float:
        values = _times(pattern, texts)
        low, high = _RANGE_MS
        return sum(low < value < high for value in values) / max(len(values), 1)

    def _inversions(self, pattern: str, texts: list[str]) -> int:
        """How often a time is before that of an earlier row: the right order of day and month has fewer."""
        return sum(later < earlier for earlier, later in pairwise(_times(pattern, texts)))


def _times(pattern: str, texts: list[str]) -> list[int]:
    return list(map(time_parser(Time(column=["t"], format=pattern)), texts))


@dataclass
class FileProfile:
    """The sampled columns of a file."""

    path: Path
    format: FileFormat
    header: Row
    rows: int
    columns: list[ColumnProfile] = field(default_factory=list)

    @staticmethod
    def read(path: Path, currency: str = "") -> "FileProfile":
        """Read the first `SAMPLE_ROWS` rows of a file; `currency` is that of the shop, if the file has none.

        Raises:
            UserError: the file can't be read.
        """
        written = detect(path)
        file = SourceFile(path, written)
        width = len(file.header)
        rows = [row[:width] for _, row in islice(file.rows(), SAMPLE_ROWS)
                if len(row) == width or (len(row) == width + 1 and not row[-1].strip())]  # fmt: skip
        decimal = decimal_separator(file.header, rows[:2000], currency)
        written = FileFormat.model_validate(written.model_dump() | {"decimal": decimal})
        if not rows or len(file.header) < 2:
            raise UserError(f"{path} has {'one column' if rows else 'no rows after its first line'}")
        profile = FileProfile(path, written, file.header, len(rows))
        profile.columns += [
            ColumnProfile(profile, name, [row[position].strip() for row in rows])
            for position, name in enumerate(file.header)
            if name and file.header.count(name) == 1
        ]
        return profile


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
