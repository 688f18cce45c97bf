"""Converts the texts of cells: ids to codes, numbers to exact integers, times to Unix milliseconds."""

import re
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from hashlib import blake2b
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from common.ids import is_id
from producers.importer.mapped.mapping import Time
from producers.kit.tables.numbers import NotANumber, Separator, read_number, scaled
from producers.kit.tables.times import NotATime, read_time

Codes = NDArray[np.int32]
Integers = NDArray[np.int64]

EMPTY = np.iinfo(np.int64).min
"""Stands for a cell without a value among integers."""
UNREADABLE = EMPTY + 1
"""Stands for a cell that is not a number or a time."""
AMBIGUOUS = EMPTY + 2
"""Stands for a number such as 1,234 in a column whose other numbers have the other decimal separator."""
UNKNOWN_ZONE = EMPTY + 3
"""Stands for a time with an abbreviation that names no zone, or several."""

_FIRST_VALUE = EMPTY + 4


def has_value(values: Integers) -> NDArray[np.bool_]:
    """Return which integers are values, not one of the codes above."""
    return values >= _FIRST_VALUE


GUEST = "guest-"
"""Stands between a mapping's prefix and the id of an order whose shopper has no id."""

NO_CODE = -1
"""Stands for a cell without a value among codes."""
BAD_CODE = -2
"""Stands for a text that is no id: it is too long, `.`, `..`, or has control characters."""

NO_ID = "is no id: it has more than 128 characters with the prefix, is `.` or `..`, or has control characters"
_MAX_TEXT = 200
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_MEMO = 200_000
"""Texts whose values are kept. Prices and quantities repeat, so most cells need one look-up."""


class IdCodes:
    """Numbers the distinct values of a column from 0. `17850` and `17850.0` are the same value.

    A value is one that is an id (`common.ids`) after `prefix`. With `is_text`, values are texts that people
    read: blanks are collapsed, and long texts are cut. With `ignore_case`, for addresses that events have as
    digests only, texts that differ in case only are the same value.
    """

    def __init__(
        self, missing: frozenset[str], prefix: str = "", is_text: bool = False, ignore_case: bool = False
    ) -> None:
        self._missing = missing
        self._prefix = prefix
        self._is_text = is_text
        self._ignore_case = ignore_case
        self._codes: dict[str, int] = {}
        self._remembered_code = lru_cache(_MEMO)(self.code)

    def __len__(self) -> int:
        return len(self._codes)

    def values(self) -> list[str]:
        """Return the distinct values, by code."""
        return list(self._codes)

    def encode(self, texts: Sequence[str]) -> Codes:
        """Return the code of each text; `NO_CODE` or `BAD_CODE` if it is no id."""
        return np.fromiter(map(self._remembered_code, texts), np.int32, len(texts))

    def code(self, text: str) -> int:
        """Return the code of one text."""
        value = " ".join(text.split())[:_MAX_TEXT] if self._is_text else text.strip()
        if value in self._missing:
            return NO_CODE
        if not self._is_possible(value):
            return BAD_CODE
        value = without_zero_fraction(value)
        if self._ignore_case:
            value = value.casefold()
        return self._codes.setdefault(value, len(self._codes))

    def _is_possible(self, value: str) -> bool:
        if self._is_text or self._ignore_case:
            return len(value) <= _MAX_TEXT and not _CONTROL.search(value)
        return is_id(self._prefix + value)


def without_zero_fraction(text: str) -> str:
    """Return `17850.0` as `17850`; other texts are returned unchanged."""
    return text[:-2] if text.endswith(".0") and text[:-2].isdecimal() else text


def pseudonym(name: str, value: str) -> str:
    """Return a digest of a shopper's id, 32 hex digits, which differs for each `name` of a mapping."""
    return blake2b(f"{name}\x1f{value}".encode(), digest_size=16).hexdigest()


class Memo:
    """Applies `parse` to texts, once for each distinct one."""

    def __init__(self, parse: Callable[[str], int], missing: frozenset[str]) -> None:
        self._parse = parse
        self._missing = missing
        self._remembered_value = lru_cache(_MEMO)(self._value)

    def read(self, texts: Sequence[str]) -> Integers:
        """Return the value of each text, `EMPTY` or `UNREADABLE`."""
        return np.fromiter(map(self._remembered_value, texts), np.int64, len(texts))

    def _value(self, text: str) -> int:
        cleaned = text.strip()
        return EMPTY if cleaned in self._missing else self._parse(cleaned)


class NumberColumn(Memo):
    """Reads the numbers of a column as integers of 10^-digits, and finds out whether it has both separators.

    `1,234` is 1234 in a column with decimal points, unless another cell, such as `12,50`, must have a decimal
    comma: `resolve` then makes it `AMBIGUOUS`.
    """

    def __init__(self, decimal: Separator, digits: int, missing: frozenset[str]) -> None:
        super().__init__(number_parser(decimal, digits), missing)
        self._decimal = decimal
        self._has_other_separator = False
        self._ambiguous: set[str] = set()

    def ambiguous(self, texts: Sequence[str]) -> NDArray[np.bool_]:
        """Return which texts, all of which have been read, are numbers with either separator."""
        if not self._ambiguous:
            return np.zeros(len(texts), bool)
        return np.fromiter((text in self._ambiguous for text in texts), bool, len(texts))

    def resolve(self, values: Integers, ambiguous: NDArray[np.bool_]) -> None:
        """Make ambiguous values `AMBIGUOUS` if a text that has been read has the other separator."""
        if self._has_other_separator:
            values[ambiguous] = AMBIGUOUS

    def _value(self, text: str) -> int:
        value = super()._value(text)
        if "," in text or "." in text:
            if value == UNREADABLE:
                other: Separator = "," if self._decimal == "." else "."
                self._has_other_separator |= isinstance(read_number(text, other), Decimal)
            elif read_number(text, None) is NotANumber.AMBIGUOUS:
                self._ambiguous.add(text)
        return value


_BOUND = 4 * 10**18


def number_parser(decimal: Separator, digits: int) -> Callable[[str], int]:
    """Return a function that reads a number as an integer of 10^-digits: `"1,234.5"` with 2 → 123450.

    `decimal` separates the fraction (`producers.kit.tables.numbers` has the grammar). A number with more
    digits, or that does not fit 64 bits, is unreadable.
    """

    def parse(text: str) -> int:
        number = read_number(text, decimal)
        value = scaled(number, digits) if isinstance(number, Decimal) else None
        return value if value is not None and abs(value) < _BOUND else UNREADABLE

    return parse


def time_parser(time: Time) -> Callable[[str], int]:
    """Return a function that reads a time as Unix milliseconds.

    A time without an offset is a wall-clock time of the mapping's zone: one that occurred twice is read as
    its first occurrence (PEP 495, fold=0).
    """
    zone = ZoneInfo(time.zone)
    match time.format:
        case "unix":
            return number_of_milliseconds(1_000)
        case "unix_ms":
            return number_of_milliseconds(1)
        case "excel":
            days = number_of_milliseconds(_DAY_MS)
            return lambda text: UNREADABLE if (ms := days(text)) == UNREADABLE else _of_excel(ms, zone)
        case "iso":
            return lambda text: _millis(_read_iso(text, zone), zone)
        case "day_first" | "month_first" as order:
            return lambda text: _millis(read_time(text, order, zone), zone)
        case pattern:
            return lambda text: _millis(_read_pattern(text, pattern), zone)


_DAY_MS = 86_400_000
_LAST_MS = 253_402_300_799_999
"""The last millisecond of the year 9999."""

_EXCEL_DAY_0 = datetime(1899, 12, 30)  # noqa: DTZ001 (its zone is the mapping's)
"""Excel's day 0 for days from 1900-03-01 on: it counts a 29 February 1900, which was none."""


def number_of_milliseconds(unit_ms: int) -> Callable[[str], int]:
    """Return a function that reads a number of units as milliseconds, rounded half up.

    It is unreadable if it is that of a time after the year 9999, such as one in nanoseconds.
    """

    def parse(text: str) -> int:
        number = read_number(text, ".")
        if not isinstance(number, Decimal) or abs(number) > _LAST_MS:
            return UNREADABLE
        ms = int((number * unit_ms).to_integral_value(ROUND_HALF_UP))
        return ms if abs(ms) <= _LAST_MS else UNREADABLE

    return parse


def _of_excel(ms: int, zone: ZoneInfo) -> int:
    try:
        return _millis(_EXCEL_DAY_0 + timedelta(milliseconds=ms), zone)
    except OverflowError:
        return UNREADABLE


def _read_iso(text: str, zone: ZoneInfo) -> datetime | NotATime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return read_time(text, "year_first", zone)


def _read_pattern(text: str, pattern: str) -> datetime | NotATime:
    try:
        return datetime.strptime(text, pattern)  # noqa: DTZ007 (the mapping has its zone)
    except (ValueError, OverflowError):
        return NotATime.NO_TIME


def _millis(moment: datetime | NotATime, zone: ZoneInfo) -> int:
    """Return a time, one without an offset in `zone`, as Unix milliseconds."""
    if isinstance(moment, NotATime):
        return UNKNOWN_ZONE if moment is NotATime.UNKNOWN_ZONE else UNREADABLE
    try:
        return round((moment if moment.tzinfo else moment.replace(tzinfo=zone)).timestamp() * 1000)
    except (ValueError, OverflowError):
        return UNREADABLE
