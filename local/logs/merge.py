"""Merges the entries of several logs, ordered by time."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from heapq import merge

from local.logs.record import LogRecord

_UNKNOWN = datetime.min.replace(tzinfo=UTC)


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
