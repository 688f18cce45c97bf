"""Entries of logs: parsed from the format of each part, selected, merged by time, and printed."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from heapq import merge
from typing import Any, Literal

import orjson

from common.errors import UserError
from common.log_masking import masked_text

Level = Literal["debug", "info", "warning", "error", "critical"]

LEVELS: tuple[Level, ...] = ("debug", "info", "warning", "error", "critical")

_ISO = (
    r"\[?(?P<time>\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?)"
    r"(?: ?(?P<zone>Z|UTC|GMT|[+-]\d\d:?\d\d))?\]?,?"
)
_FORMATS = tuple(
    re.compile(pattern)
    for pattern in (
        rf"{_ISO} \[\d+\] (?P<level>[A-Z0-9]+):  (?P<text>.*)",  # PostgreSQL
        rf"{_ISO} +\[?(?P<level>[A-Za-z]+) *\]? +(?P<text>.*)",  # Kafka, Flink, Apicurio, supervisord
        r"\d+:[A-Z] (?P<time>\d\d? [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d\.\d+)(?P<zone>)"
        r" (?P<level>[.*#-]) (?P<text>.*)",
        rf"{_ISO} (?P<level>)(?P<text>.*)",
    )
)
"""The last but one is that of Valkey and Redis. Servers that `up` starts run in UTC, so that a time without a
zone is in UTC."""

_LEVELS: Mapping[str, Level] = {
    **dict.fromkeys(("TRACE", "DEBUG", "FINE", "BLAT", ".", "-"), "debug"),
    **dict.fromkeys(("WARN", "WARNING", "#"), "warning"),
    **dict.fromkeys(("ERROR", "ERRO", "SEVERE"), "error"),
    **dict.fromkeys(("FATAL", "PANIC", "CRIT", "CRITICAL"), "critical"),
}
_CONTINUATIONS = frozenset({"DETAIL", "HINT", "QUERY", "CONTEXT", "STATEMENT", "LOCATION"})
"""Lines of PostgreSQL that have a time of their own and belong to the line before."""

_OWN_LINE = '{"timestamp":'
"""The beginning of each line that a process of the platform writes (`common.telemetry`)."""

_OWN_FIELDS = frozenset({"timestamp", "level", "event", "exception"})


_HIDDEN = frozenset({"process", "pid", "correlation_id", "trace_id"})
"""Fields that readable lines leave out; `--json` prints them."""

_COLOURS = {"warning": "\x1b[33m", "error": "\x1b[31m", "critical": "\x1b[1;31m", "debug": "\x1b[2m"}
_RESET = "\x1b[0m"

_AGE = re.compile(r"(\d{1,6})([smhd])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}

_UNKNOWN = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class LogRecord:
    """An entry of a part's log. The lines that follow it, such as a traceback's, are in `details`."""

    part: str
    at: datetime | None
    """None if neither this line nor one before it has a time."""
    level: Level
    message: str
    fields: Mapping[str, Any] = field(default_factory=dict)
    """Of the platform's own processes: `correlation_id`, `trace_id`, and what the message is about."""
    details: tuple[str, ...] = ()

    def mentions(self, ids: Iterable[str]) -> bool:
        """Return whether the entry has one of these ids in a field or in its text."""
        text = "\n".join((self.message, *map(str, self.fields.values()), *self.details))
        return any(each in text for each in ids)


def read_records(part: str, lines: Iterable[str]) -> Iterator[LogRecord]:
    """Yield the entries of a part's log, oldest first. Lines without a time belong to the entry before."""
    current: LogRecord | None = None
    details: list[str] = []
    for line in lines:
        parsed = parse_line(part, line)
        if isinstance(parsed, str) and current is not None:
            details.append(parsed)
            continue
        if current is not None:
            yield replace(current, details=(*current.details, *details))
        current = LogRecord(part, None, "info", parsed) if isinstance(parsed, str) else parsed
        details.clear()
    if current is not None:
        yield replace(current, details=(*current.details, *details))


def lines_with(ids: Collection[str], lines: Iterable[str]) -> Iterator[str]:
    """Yield the lines of a log without entries of the platform's own processes that have none of these ids.

    An entry is left out with the lines that continue it. So most lines of such a process are not parsed.
    """
    entry: list[str] = []
    for line in lines:
        if line.startswith(_OWN_LINE):
            yield from _if_one_has(ids, entry)
            entry = [line]
        elif entry:
            entry.append(line)
        else:
            yield line
    yield from _if_one_has(ids, entry)


def _if_one_has(ids: Collection[str], entry: list[str]) -> list[str]:
    return entry if any(each in line for line in entry for each in ids) else []


def parse_line(part: str, line: str) -> LogRecord | str:
    """Return the entry that a line begins, or the masked text of a line that continues another entry."""
    if line.startswith("{"):
        found = _own(part, line)
        if found is not None:
            return found
    for pattern in _FORMATS:
        if found_text := pattern.match(line):
            at = _time(found_text["time"], found_text["zone"])
            if at is None:
                break
            text = masked_text(found_text["text"])
            if found_text["level"] in _CONTINUATIONS:
                return f"{found_text['level']}: {text}"
            return LogRecord(part, at, _LEVELS.get(found_text["level"].upper(), "info"), text)
    return masked_text(line)


def _own(part: str, line: str) -> LogRecord | None:
    """Return the entry of a line that a process of the platform wrote; None if it is other JSON."""
    try:
        content = orjson.loads(line)
        at = datetime.fromisoformat(content["timestamp"])
        level = content["level"]
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError):
        return None
    fields = {name: value for name, value in content.items() if name not in _OWN_FIELDS}
    return LogRecord(
        part,
        at.astimezone(UTC),
        level if level in LEVELS else "info",
        str(content.get("event", "")),
        fields,
        tuple(str(content.get("exception", "")).splitlines()),
    )


def _time(text: str, zone: str | None) -> datetime | None:
    """Return a time in UTC; None if the digits are none."""
    try:
        if text[:4].isdecimal():
            moment, _, fraction = text.replace(",", ".").partition(".")
            offset = "+00:00" if zone in (None, "", "Z", "UTC", "GMT") else zone
            return datetime.fromisoformat(f"{moment}.{fraction[:6].ljust(6, '0')}{offset}").astimezone(UTC)
        return datetime.strptime(text, "%d %b %Y %H:%M:%S.%f").replace(tzinfo=UTC)
    except ValueError:
        return None


def readable(record: LogRecord, part_width: int = 0, colours: bool = False) -> Iterator[str]:
    """Yield the lines of an entry: time, part (if it has a width), level, message and fields; then details.

    Fields with values of several lines, and details, are indented.
    """
    at = f"{record.at:%Y-%m-%d %H:%M:%S}.{record.at.microsecond // 1000:03}Z" if record.at else " " * 24
    level = record.level.upper()
    if colours and record.level in _COLOURS:
        level = f"{_COLOURS[record.level]}{level:<8}{_RESET}"
    values = [f"{name}={_text(value)}" for name, value in record.fields.items() if name not in _HIDDEN]
    part = f"{record.part:<{part_width}} " if part_width else ""
    yield "  ".join((f"{at} {part}{level:<8} {_printable(record.message)}", *values)).rstrip()
    yield from (f"    {_printable(line)}" for line in record.details)


def as_json(record: LogRecord) -> str:
    """Return an entry as a JSON object: `timestamp` (UTC), `part`, `level`, `message`, fields, `details`."""
    line: dict[str, Any] = {
        **dict.fromkeys(("timestamp", "part", "level", "message")),  # first, and not those of the fields
        **record.fields,
        "timestamp": record.at.isoformat().replace("+00:00", "Z") if record.at else None,
        "part": record.part,
        "level": record.level,
        "message": record.message,
        **({"details": "\n".join(record.details)} if record.details else {}),
    }
    return orjson.dumps(line).decode()


def _text(value: Any) -> str:
    text = value if isinstance(value, str) else orjson.dumps(value).decode()
    return _printable(text) if text and " " not in text else orjson.dumps(text).decode()


def _printable(text: str) -> str:
    """Return a text without control characters, which could change the terminal. A tab is four blanks."""
    return "".join(
        character if character.isprintable() else "\N{REPLACEMENT CHARACTER}"
        for character in text.replace("\t", "    ")
    )


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
        return (
            (self.level is None or LEVELS.index(record.level) >= LEVELS.index(self.level))
            and (self.since is None or (record.at is not None and record.at >= self.since))
            and (self.until is None or (record.at is not None and record.at <= self.until))
            and (self.ids is None or record.mentions(self.ids))
        )

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


def merged(logs: Iterable[Iterable[LogRecord]]) -> Iterator[LogRecord]:
    """Yield the entries of all logs by time. Entries of one log keep their order.

    An entry without a time comes right before the first one of its log that has a time.
    """
    return (record for _, _, record in merge(*map(_timed, logs), key=lambda each: each[:2]))


def _timed(records: Iterable[LogRecord]) -> Iterator[tuple[datetime, str, LogRecord]]:
    """Yield (time, part, entry); the times never decrease, as `heapq.merge` requires."""
    reached = _UNKNOWN
    leading: list[LogRecord] = []
    for record in records:
        if record.at is None and reached is _UNKNOWN:
            leading.append(record)
            continue
        reached = max(reached, record.at or reached)
        yield from ((reached, each.part, each) for each in leading)
        leading.clear()
        yield reached, record.part, record
    yield from ((_UNKNOWN, each.part, each) for each in leading)
