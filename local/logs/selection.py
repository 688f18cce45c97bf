"""Selects entries of logs by level, time and id."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from common.errors import UserError
from local.logs.record import LEVELS, Level, LogRecord

_AGE = re.compile(r"(\d{1,6})([smhd])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


@dataclass(frozen=True)
class Selection:
    """Conditions that an entry must meet; those that are None don't apply."""

    level: Level | None = None
    """The entry has this level or a higher one."""
    since: datetime | None = None
    until: datetime | None = None
    ids: frozenset[str] | None = None
    """The entry mentions one of these correlation ids, trace ids or order ids."""

    @property
    def is_empty(self) -> bool:
        """Whether every entry is selected."""
        return self == Selection()

    def matches(self, record: LogRecord) -> bool:
        """Return whether an entry meets all conditions. One without a time meets none about times."""
        if self.level is not None and LEVELS.index(record.level) < LEVELS.index(self.level):
            return False
        if self.since is not None and (record.at is None or record.at < self.since):
            return False
        if self.until is not None and (record.at is None or record.at > self.until):
            return False
        return self.ids is None or record.mentions(self.ids)

    def of(self, records: Iterable[LogRecord]) -> Iterator[LogRecord]:
        """Yield the entries that meet all conditions."""
        return (record for record in records if self.matches(record))


def parse_level(text: str) -> Level:
    """Return a level by its name.

    Raises:
        UserError: there is no such level.
    """
    for level in LEVELS:
        if text.lower() == level:
            return level
    raise UserError(f"{text!r} is not a level: choose from {', '.join(LEVELS)}")


def parse_time(text: str, now: datetime) -> datetime:
    """Return a time that is an age, such as `15m`, or ISO 8601, in UTC unless it has another offset.

    Raises:
        UserError: the text is neither.
    """
    if age := _AGE.fullmatch(text):
        try:
            return now - timedelta(**{_UNITS[age[2]]: int(age[1])})
        except OverflowError:
            pass
    else:
        try:
            time = datetime.fromisoformat(text)
            return time if time.tzinfo else time.replace(tzinfo=UTC)
        except ValueError:
            pass
    raise UserError(f"{text!r} is not a time: give an age such as 15m, 2h or 1d, or 2026-11-27T15:04:05")
