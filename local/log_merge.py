"""Merges the logs of several parts, ordered by time. Each part has its own time format."""

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from heapq import merge

_ISO = re.compile(
    r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:[.,](\d{1,6})\d*)?(?: ?(Z|UTC|GMT|[+-]\d\d:?\d\d))?"
)
"""Times of ours, Java's, PostgreSQL's and supervisord's logs."""

_REDIS = re.compile(r"(\d\d? [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d)(?:\.(\d{1,6}))?")

_SEARCHED_CHARS = 120
"""The time is searched in the first characters of a line. A later time is part of the message."""


def time_of(line: str) -> datetime | None:
    """Return the time at the start of a log line; None if there is none. Times without a zone are local."""
    start = line[:_SEARCHED_CHARS]
    try:
        if found := _ISO.search(start):
            day, time, fraction, zone = found.groups()
            offset = "+00:00" if zone in ("Z", "UTC", "GMT") else zone or ""
            return datetime.fromisoformat(
                f"{day}T{time}.{(fraction or '0').ljust(6, '0')}{offset}"
            ).astimezone()
        if found := _REDIS.search(start):
            return datetime.strptime(f"{found[1]}.{found[2] or '0'}", "%d %b %Y %H:%M:%S.%f").astimezone()
    except ValueError:  # digits that are not a time
        return None
    return None


def merged(logs: Mapping[str, Iterable[str]]) -> Iterator[tuple[str, str]]:
    """Yield (part, line) of all logs, by time.

    A line without a time, such as one of a traceback, follows the line before it. Lines of one log keep their
    order.
    """
    return (
        (part, line)
        for _, part, line in merge(
            *(_timed(part, lines) for part, lines in logs.items()), key=lambda each: each[0]
        )
    )


def _timed(part: str, lines: Iterable[str]) -> Iterator[tuple[float, str, str]]:
    """Yield (seconds, part, line); the seconds never decrease, as `heapq.merge` requires."""
    reached: float | None = None
    leading: list[str] = []
    for line in lines:
        time = time_of(line)
        if time is not None:
            reached = max(time.timestamp(), reached or 0.0)
            yield from ((reached, part, each) for each in leading)
            leading.clear()
        if reached is None:
            leading.append(line)  # takes the time of the first line that has one
        else:
            yield reached, part, line
    yield from ((0.0, part, each) for each in leading)
