"""Reads numbers as spreadsheets and people write them: `1,234.50`, `R$ 1.234,50`, `₹1,05,999.00`, `(12.50)`.

A number has digits of any script, at most one decimal separator (`.` or `,`), and may have

- groups of three digits, or of two before the last three (India), divided by one kind of separator: a point,
  a comma, a blank or an apostrophe, and not after a leading zero
- one sign before or after it, or brackets, which make it negative
- a currency before, after, or both: its sign (`€`, `R$`, `AU $`), its code (`EUR`), or a word of
  `_CURRENCY_WORDS`
- an exponent, if it has no groups: `1.5E+03`
"""

import re
import unicodedata
from collections.abc import Iterable
from decimal import Decimal
from enum import Enum
from typing import Literal

from babel.numbers import list_currencies

from producers.kit.tables.characters import plain

Separator = Literal[".", ","]

MAX_CHARACTERS = 100
"""A longer text is no number."""
_MAX_EXPONENT = 30

_CURRENCY_WORDS = (
    "R", "Rs", "kr", "zł", "Kč", "Ft", "lei", "лв", "руб", "р", "грн", "Fr", "SFr", "S/", "RM", "Rp", "Bs",
    "din", "дин", "TL", "KM", "元", "円", "원",
)  # fmt: skip
"""Signs of currencies that are written with letters. A point may follow."""


class NotANumber(Enum):
    """Why a text is no number."""

    NO_NUMBER = "is not a number"
    AMBIGUOUS = "may have a decimal separator or groups of thousands"


def _pattern() -> re.Pattern[str]:
    words = sorted((*_CURRENCY_WORDS, *list_currencies()), key=len, reverse=True)
    # Blanks are possessive: a cell of many of them would otherwise be divided among all places in turn.
    currency = rf"(?:[A-Za-z]{{0,3}}\ ?¤|(?:{'|'.join(map(re.escape, words))})\.?)"
    return re.compile(
        rf"(?P<open>\()?\ *+(?P<before>[-+])?\ *+(?:{currency}\ *+)?(?P<open_2>\()?(?P<inner>[-+])?\ *+"
        r"(?P<digits>[\d.,'\ ]*\d)(?:[eE](?P<exponent>[-+]?\d{1,4}))?"
        rf"\ *+(?P<close_2>\))?\ *+(?P<after>[-+])?(?:\ *+{currency})?\ *+(?P<close>\))?\ *+(?P<last>[-+])?",
        re.IGNORECASE,
    )


_PATTERN = _pattern()
_SIMPLE = re.compile(r"-?\d+(?:\.(\d+))?", re.ASCII)
_CENTS = "¢￠"
_GROUPED = re.compile(r"[1-9]\d{0,2}(?:([.,' ])\d{3})(?:\1\d{3})*|[1-9]\d?(?:,\d\d)+,\d{3}")


def read_number(text: str, decimal: Separator | None) -> Decimal | NotANumber:
    """Return the number that a text says, exactly, or why it says none.

    `decimal` is the decimal separator of the text's column. With None, `12,50` and `1.234,50` say it
    themselves, and `1,234` is ambiguous.
    """
    if len(text) > MAX_CHARACTERS:
        return NotANumber.NO_NUMBER
    if decimal == "." and _SIMPLE.fullmatch(text):  # most numbers, in a tenth of the time
        return Decimal(text)
    found = _PATTERN.fullmatch(_with_plain_currency(text))
    if found is None:
        return NotANumber.NO_NUMBER
    signs = [found[name] for name in ("before", "inner", "after", "last") if found[name]]
    opened, closed = (
        [name for name in names if found[name]] for names in (("open", "open_2"), ("close", "close_2"))
    )
    if len(opened) != len(closed) or len(signs) + len(opened) > 1:
        return NotANumber.NO_NUMBER
    digits = found["digits"]
    if decimal is None:
        if _is_ambiguous(digits):
            return NotANumber.AMBIGUOUS
        decimal = _last_separator(digits)
    parts = _split(digits, decimal)
    exponent = int(found["exponent"] or 0)
    if parts is None or abs(exponent) > _MAX_EXPONENT:
        return NotANumber.NO_NUMBER
    whole, fraction = parts
    if found["exponent"] and not digits.startswith(whole + decimal * bool(fraction)):  # it has groups
        return NotANumber.NO_NUMBER
    is_negative = bool(opened) or "-" in signs
    return Decimal((int(is_negative), tuple(map(int, whole + fraction)), exponent - len(fraction)))


def scaled(number: Decimal, digits: int) -> int | None:
    """Return the number as an integer of 10^-digits, or None if it has more decimals: 12.5, 2 → 1250."""
    sign, figures, exponent = number.as_tuple()
    assert isinstance(exponent, int)
    shift = exponent + digits
    value: int = int("".join(map(str, figures)))
    if shift >= 0:
        value *= 10**shift
    else:
        value, rest = divmod(value, 10**-shift)
        if rest:
            return None
    return -value if sign else value


def decimal_separator(texts: Iterable[str]) -> Separator | None:
    """Return the decimal separator of a column: the one that its unambiguous numbers have, if all agree."""
    found = {separator for text in texts if (separator := separator_of(text))}
    return found.pop() if len(found) == 1 else None


def separator_of(text: str) -> Separator | None:
    """Return the decimal separator that a text must have, or None if it may have either."""
    if (simple := _SIMPLE.fullmatch(text)) and len(simple[1] or "123") != 3:
        return "." if len(text) <= MAX_CHARACTERS else None
    as_point, as_comma = (isinstance(read_number(text, each), Decimal) for each in (".", ","))
    if as_point == as_comma:
        return None
    return "." if as_point else ","


def _with_plain_currency(text: str) -> str:
    """Return the text with plain characters, and `¤` for the signs of currencies but those of cents."""
    text = plain(text)
    if text.isascii():
        return text.replace("$", "¤")
    return "".join(
        "¤" if unicodedata.category(each) == "Sc" and each not in _CENTS else each for each in text
    )


def _is_ambiguous(digits: str) -> bool:
    return re.fullmatch(r"[1-9]\d{0,2}[.,]\d{3}", digits) is not None


def _last_separator(digits: str) -> Separator:
    """Return the decimal separator of an unambiguous number: the last of its two kinds, or its only one."""
    last: Separator = "," if digits.rfind(",") > digits.rfind(".") else "."
    other: Separator = "." if last == "," else ","
    return other if digits.count(last) > 1 else last


def _split(digits: str, decimal: Separator) -> tuple[str, str] | None:
    """Return the digits before and after the decimal separator, or None if they are no number."""
    whole, point, fraction = digits.partition(decimal)
    if point and not (fraction.isdecimal() and fraction.isascii()):
        return None
    if not whole:
        return ("", fraction) if point else None
    if not whole.isdecimal():
        if not _GROUPED.fullmatch(whole):
            return None
        whole = re.sub(r"\D", "", whole)
    return whole, fraction
