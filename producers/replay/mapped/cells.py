"""Converts the texts of cells: ids to codes, numbers to exact integers, times to Unix milliseconds."""

import re
from collections.abc import Callable, Sequence
from datetime import datetime
from decimal import Decimal, InvalidOperation
from hashlib import blake2b
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from producers.replay.mapped.sections import Time

Codes = NDArray[np.int32]
Integers = NDArray[np.int64]

EMPTY = np.iinfo(np.int64).min
"""Stands for a cell without a value among integers."""
UNREADABLE = EMPTY + 1
"""Stands for a cell that is not a number or a time."""

NO_CODE = -1
"""Stands for a cell without a value among codes."""
BAD_CODE = -2
"""Stands for an id that is too long or has control characters."""

_MAX_ID = 200
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_MEMO = 200_000
"""Texts whose values are kept. Prices and quantities repeat, so most cells need one look-up."""


class IdCodes:
    """Numbers the distinct values of a column from 0. `17850` and `17850.0` are the same value.

    With `is_text`, values are texts that people read: blanks are collapsed, and long texts are cut. With
    `ignore_case`, texts that differ in case only are the same value.
    """

    def __init__(self, missing: frozenset[str], is_text: bool = False, ignore_case: bool = False) -> None:
        self._missing = missing
        self._is_text = is_text
        self._ignore_case = ignore_case
        self._codes: dict[str, int] = {}
        self._memo: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._codes)

    def values(self) -> list[str]:
        """Return the distinct values, by code."""
        return list(self._codes)

    def encode(self, texts: Sequence[str]) -> Codes:
        """Return the code of each text; `NO_CODE` or `BAD_CODE` if it is no id."""
        memo = self._memo
        if len(memo) > _MEMO:
            memo.clear()
        found = map(memo.get, texts)
        return np.fromiter(
            (self.code(text) if code is None else code for text, code in zip(texts, found, strict=True)),
            np.int32,
            len(texts),
        )

    def code(self, text: str) -> int:
        """Return the code of one text."""
        value = " ".join(text.split())[:_MAX_ID] if self._is_text else text.strip()
        if value in self._missing:
            code = NO_CODE
        elif len(value) > _MAX_ID or _CONTROL.search(value):
            code = BAD_CODE
        else:
            if value.endswith(".0") and value[:-2].isdecimal():
                value = value[:-2]
            if self._ignore_case:
                value = value.casefold()
            code = self._codes.setdefault(value, len(self._codes))
        self._memo[text] = code
        return code


def pseudonym(name: str, value: str) -> str:
    """Return a digest of a shopper's id, 32 hex digits, which differs for each `name` of a mapping."""
    return blake2b(f"{name}\x1f{value}".encode(), digest_size=16).hexdigest()


class Memo:
    """Applies `parse` to texts, once for each distinct one."""

    def __init__(self, parse: Callable[[str], int], missing: frozenset[str]) -> None:
        self._parse = parse
        self._missing = missing
        self._memo: dict[str, int] = {}

    def read(self, texts: Sequence[str]) -> Integers:
        """Return the value of each text, `EMPTY` or `UNREADABLE`."""
        if len(self._memo) > _MEMO:
            self._memo.clear()
        get = self._memo.get
        return np.fromiter(
            (self._value(text) if (value := get(text)) is None else value for text in texts),
            np.int64,
            len(texts),
        )

    def _value(self, text: str) -> int:
        cleaned = text.strip()
        value = EMPTY if cleaned in self._missing else self._parse(cleaned)
        self._memo[text] = value
        return value


_NUMBER = re.compile(r"([-+−]?)\s*(?:R\$|US\$|[$€£¥₹])?\s*([-+−]?)([\d.,'\s\u00a0\u202f]*\d)\s*[$€£¥₹]?")
_BOUND = 4 * 10**18


def number_parser(decimal: str, digits: int) -> Callable[[str], int]:
    """Return a function that reads a number as an integer of 10^-digits: `"1,234.5"` with 2 → 123450.

    `decimal` separates the fraction; the other separators may group thousands. A currency sign is ignored. A
    number with more digits, or that does not fit 64 bits, is unreadable.
    """
    groups = re.compile(r"\d{1,3}([,'\s\u00a0\u202f]\d{3})+(\.\d+)?|\d*(\.\d+)?")

    def parse(text: str) -> int:
        if "e" in text or "E" in text:
            return _scaled(text, digits)
        found = _NUMBER.fullmatch(text)
        if found is None or (found[1] and found[2]):
            return UNREADABLE
        body = found[3].strip()
        if decimal == ",":
            body = body.translate(_SWAP)
        if groups.fullmatch(body) is None:
            return UNREADABLE
        sign = "-" if (found[1] or found[2]) in ("-", "−") else ""
        return _scaled(sign + re.sub(r"[,'\s\u00a0\u202f]", "", body), digits)

    return parse


_SWAP = str.maketrans(",.", ".,")


def _scaled(text: str, digits: int) -> int:
    try:
        scaled = Decimal(text).scaleb(digits)
        if not abs(scaled) < _BOUND or scaled != scaled.to_integral_value():
            return UNREADABLE
    except InvalidOperation:
        return UNREADABLE
    return int(scaled)


def time_parser(time: Time) -> Callable[[str], int]:
    """Return a function that reads a time as Unix milliseconds.

    A time without an offset is a wall-clock time of the mapping's zone: one that occurred twice is read as
    its first occurrence (PEP 495, fold=0).
    """
    zone, pattern = ZoneInfo(time.zone), time.format
    read = datetime.fromisoformat if pattern == "iso" else None
    scale = {"unix": 1000, "unix_ms": 1}.get(pattern)

    def parse(text: str) -> int:
        try:
            if scale is not None:
                return round(Decimal(text) * scale)
            # The next statement adds the zone.
            moment = read(text) if read else datetime.strptime(text, pattern)  # noqa: DTZ007
            return round((moment if moment.tzinfo else moment.replace(tzinfo=zone)).timestamp() * 1000)
        except (ValueError, OverflowError, InvalidOperation, OSError):
            return UNREADABLE

    return parse
