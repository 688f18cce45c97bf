"""Prints entries of logs for people, and as JSON."""

from collections.abc import Iterator
from typing import Any

import orjson

from local.logs.record import LogRecord

_HIDDEN = frozenset({"process", "pid", "correlation_id", "trace_id"})
"""Fields that readable lines leave out; `--json` prints them."""

_COLOURS = {"warning": "\x1b[33m", "error": "\x1b[31m", "critical": "\x1b[1;31m", "debug": "\x1b[2m"}
_RESET = "\x1b[0m"


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
