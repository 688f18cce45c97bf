"""One entry of a log: its time, level and message, from the format of each part."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Literal

import orjson

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
