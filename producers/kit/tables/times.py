"""Reads times as people and shops write them, with names of months and abbreviations of zones.

A time is a date, then nothing or a time of day (`10:30`, `10h30`, `10:30:05.123 PM`), then nothing or a zone
(`Z`, `-03:00`, `GMT-3`, `PST`). A date is in digits, divided by one of `-`, `/`, `.` and blanks, or has the
name of a month in one of `LANGUAGES`: `5 de março de 2024`, `Mar 5, 2024`. A year of two digits is from 1969
to 2068.
"""

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from enum import Enum
from functools import cache
from typing import Literal

from babel import Locale

from producers.kit.tables.characters import plain, without_accents

DateOrder = Literal["year_first", "day_first", "month_first"]

LANGUAGES = ("en", "pt", "es", "de", "fr")

MAX_CHARACTERS = 100
"""A longer text is no time."""

ZONES = {
    "utc": 0, "gmt": 0, "z": 0, "ut": 0,
    "est": -5, "edt": -4, "mst": -7, "mdt": -6, "pst": -8, "pdt": -7, "akst": -9, "akdt": -8, "hst": -10,
    "nst": -3.5, "ndt": -2.5, "adt": -3,
    "brt": -3, "brst": -2, "art": -3, "clt": -4, "clst": -3, "cot": -5, "pet": -5, "uyt": -3, "vet": -4,
    "wet": 0, "west": 1, "cet": 1, "cest": 2, "mez": 1, "mesz": 2, "eet": 2, "eest": 3, "msk": 3, "trt": 3,
    "wat": 1, "cat": 2, "sast": 2, "eat": 3,
    "pkt": 5, "npt": 5.75, "wib": 7, "wita": 8, "wit": 9, "ict": 7, "sgt": 8, "myt": 8, "pht": 8, "hkt": 8,
    "jst": 9, "kst": 9, "awst": 8, "acst": 9.5, "acdt": 10.5, "aest": 10, "aedt": 11, "nzst": 12, "nzdt": 13,
}  # fmt: skip
"""Abbreviation of a zone, in lower case → hours from UTC. Those that several countries use are not here, such
as CST, IST and BST: they are read only if `zone` has them. PST is the Pacific's."""


class NotATime(Enum):
    """Why a text is no time."""

    NO_TIME = "is not a time"
    UNKNOWN_ZONE = "has an abbreviation that names no zone, or several"


_SEPARATOR = r"(?:[-/ ]|\.\ ?)"
_OF = r"(?:\.?\ ?(?:(?:de|del|of)\ |[-/.,]\ ?)?)"
_MONTH = r"(?P<month_name>[a-z]{3,12})"
_DAY = r"(?P<day>\d{1,2})"
_DATES = {
    "year_first": (rf"(?P<year>\d{{4}})(?P<sep>{_SEPARATOR})(?P<month>\d{{1,2}})(?P=sep)(?P<day>\d{{1,2}})",),
    "day_first": (rf"{_DAY}(?P<sep>{_SEPARATOR})(?P<month>\d{{1,2}})(?P=sep)(?P<year>\d{{4}}|\d\d)\.?",),
    "month_first": (rf"(?P<month>\d{{1,2}})(?P<sep>{_SEPARATOR}){_DAY}(?P=sep)(?P<year>\d{{4}}|\d\d)\.?",),
    "named": (
        rf"{_DAY}(?:st|nd|rd|th|er|o|a)?{_OF}{_MONTH}{_OF}(?P<year>\d{{4}}|\d\d)\.?",
        rf"{_MONTH}\.?[ -]?{_DAY}(?:st|nd|rd|th)?(?:,\ ?|\ )(?P<year>\d{{4}})",
        rf"{_MONTH}-{_DAY}-(?P<year>\d{{4}}|\d\d)",
        rf"(?P<year>\d{{4}})[- ]{_MONTH}[- ]{_DAY}",
    ),
}
_CLOCK = (
    r"(?P<hour>\d{1,2})(?:(?:[:.]|\ ?h\ ?)(?P<minute>\d\d)(?:(?:[:.]|\ ?m(?:in)?\ ?)(?P<second>\d\d)"
    r"(?:[.,](?P<fraction>\d{1,9}))?)?\ ?(?:hs?|hrs?|s|uhr)?\.?|\ ?(?:h|uhr)|(?=\ ?[ap]\.?\ ?m))"
    r"\ ?(?:(?P<half>[ap])\.?\ ?m\.?)?"
)
_ZONE = (
    r"(?:(?:utc|gmt|z)?\ ?(?P<offset>[-+]\d{1,2}(?::?\d\d)?)(?:\ ?\([^()]*\)|\[[^\[\]]*\])?"
    r"|\(?(?P<zone>[a-z]{1,5})\)?)"
)
_JOINER = r"(?:\ ?(?:t|,|-|at|as|a|a\ las|um|kl\.?)\ ?|\ )"
_WEEKDAY = re.compile(r"(?P<name>[a-z]{2,10})(?:-feira)?[.,]{0,2}\ ")


@cache
def _patterns(order: DateOrder) -> list[re.Pattern[str]]:
    dates = dict.fromkeys(("year_first", order))
    texts = [text for each in dates for text in _DATES[each]]
    if order != "year_first":
        texts += _DATES["named"]
    after = rf"(?:{_JOINER}{_CLOCK}(?:\ ?{_ZONE})?)?"
    patterns = [re.compile(text + after) for text in texts]
    if order != "year_first":  # Tue Mar 05 10:30:00 BRT 2024
        patterns.append(re.compile(rf"{_MONTH}\ {_DAY}\ {_CLOCK}(?:\ {_ZONE})?\ (?P<year>\d{{4}})"))
    return patterns


def read_time(text: str, order: DateOrder, zone: tzinfo) -> datetime | NotATime:
    """Return the moment that a text says, or why it says none.

    `order` tells how digits are read: `5/3/2024` is no date with `year_first`, which reads no names of months
    either; a year of four digits may come first in any order. A time without a zone is a wall-clock time of
    `zone`: one that occurred twice is its first occurrence (PEP 495, fold=0).
    """
    if len(text) > MAX_CHARACTERS:
        return NotATime.NO_TIME
    cleaned = " ".join(without_accents(plain(text)).split())
    found = _match(cleaned, order)
    if found is None:
        return NotATime.NO_TIME
    month = int(found["month"]) if "month" in found else _months().get(found["month_name"], 0)
    try:
        local = datetime(  # noqa: DTZ001 (the next statements add the zone)
            _year(found["year"]), month, int(found["day"]), _hour(found), int(found["minute"] or 0),
            int(found["second"] or 0), int((found["fraction"] or "0").ljust(6, "0")[:6]),
        )  # fmt: skip
        offset = _offset(found, local, zone)
        if isinstance(offset, NotATime):
            return offset
        moment = local.replace(tzinfo=zone if offset is None else timezone(offset))
        moment.timestamp()
    except (ValueError, OverflowError):
        return NotATime.NO_TIME
    return moment


def date_order(texts: Iterable[str]) -> DateOrder | None:
    """Return the order of day and month in a column: the one in which alone some text is a date.

    It is None if no text says it, such as `5/6/2024`, or if texts contradict each other.
    """
    orders: tuple[DateOrder, ...] = ("day_first", "month_first")
    found: set[DateOrder] = set()
    for text in texts:
        readable = [order for order in orders if isinstance(read_time(text, order, UTC), datetime)]
        if len(readable) == 1:
            found.add(readable[0])
    return found.pop() if len(found) == 1 else None


def _match(text: str, order: DateOrder) -> dict[str, str] | None:
    """Return the parts of a time by name, with or without a weekday before it."""
    weekday = _WEEKDAY.match(text)
    texts = [text]
    if weekday and order != "year_first" and weekday["name"] in _weekdays():
        texts.append(text[weekday.end() :])
    for each in texts:
        for pattern in _patterns(order):
            if found := pattern.fullmatch(each):
                return found.groupdict("")
    return None


def _year(text: str) -> int:
    year = int(text)
    if len(text) == 4:
        return year
    return year + (1900 if year >= 69 else 2000)  # as strptime does (POSIX)


def _hour(found: dict[str, str]) -> int:
    """Raises ValueError: an hour with AM or PM is not from 1 to 12."""
    hour = int(found["hour"] or 0)
    if not found["half"]:
        return hour
    if not 1 <= hour <= 12:
        raise ValueError(f"there is no hour {hour} with AM or PM")
    return hour % 12 + (12 if found["half"] == "p" else 0)


def _offset(found: dict[str, str], local: datetime, zone: tzinfo) -> timedelta | NotATime | None:
    """Return the offset that a text names, or None if it names none."""
    if text := found["offset"]:
        digits = text[1:].replace(":", "")
        hours, minutes = (digits, "0") if len(digits) <= 2 else (digits[:-2], digits[-2:])
        offset = timedelta(hours=int(hours), minutes=int(minutes))
        return -offset if text[0] == "-" else offset
    name = found["zone"]
    if not name:
        return None
    own = own_abbreviations(zone, local.year)
    if name in own:
        return own[name]
    return timedelta(hours=ZONES[name]) if name in ZONES else NotATime.UNKNOWN_ZONE


@cache
def own_abbreviations(zone: tzinfo, year: int) -> dict[str, timedelta]:
    """Return the abbreviations that a zone has in a year, in lower case, and their offsets."""
    found = {}
    for month in (1, 7):
        moment = datetime(year, month, 1, 12, tzinfo=zone)
        if (name := moment.tzname()) and (offset := moment.utcoffset()) is not None:
            found[name.casefold()] = offset
    return found


@cache
def _months() -> dict[str, int]:
    """Return each name of a month, and each beginning of one that belongs to one month only."""
    found: dict[str, set[int]] = {}
    for names in _calendar_names("months"):
        for number, name in names.items():
            for length in range(3, len(name) + 1):
                found.setdefault(name[:length], set()).add(number)
    return {name: numbers.pop() for name, numbers in found.items() if len(numbers) == 1}


@cache
def _weekdays() -> frozenset[str]:
    names = {name.removesuffix("-feira") for names in _calendar_names("days") for name in names.values()}
    return frozenset(name[:length] for name in names for length in range(2, len(name) + 1))


def _calendar_names(kind: Literal["months", "days"]) -> list[dict[int, str]]:
    """Return number → name, for each language and width."""
    calendars = [getattr(Locale(language), kind) for language in LANGUAGES]
    return [
        {number: without_accents(name).removesuffix(".") for number, name in calendar[context][width].items()}
        for calendar in calendars
        for context in ("format", "stand-alone")
        for width in ("wide", "abbreviated")
    ]
