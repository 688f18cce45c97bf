"""Converts events to Kafka messages (key, value and headers), lazily and in the order of the timeline."""

from collections.abc import Iterator, Mapping
from itertools import repeat
from typing import NamedTuple

import numpy as np

from producers.feed.events import Events, Timeline
from producers.kit.outbox.trace import Trace
from schemas.codec import Encoder
from schemas.events import all_events


class FeedMessage(NamedTuple):
    """The Kafka message of one event. Its topic has the event's name."""

    key: bytes
    value: bytes
    headers: list[tuple[str, bytes]]


def messages(timeline: Timeline, start: int, schema_ids: Mapping[str, int]) -> list[Iterator[FeedMessage]]:
    """Return an iterator for each element of `timeline.events`, from position `start` of the timeline on.

    The message at position i is the next message of the iterator `timeline.which[i]`.
    """
    sent = np.bincount(timeline.which[:start], minlength=len(timeline.events))
    return [
        _messages(events.take(np.arange(skip, len(events))) if skip else events, schema_ids[events.name])
        for events, skip in zip(timeline.events, sent.tolist(), strict=True)
    ]


def _messages(events: Events, schema_id: int) -> Iterator[FeedMessage]:
    event = all_events()[events.name]
    encode = Encoder(event, schema_id).encode
    fields = ("event_id", "occurred_at", *events.columns)
    keys = events.columns[event.key]
    rows = zip(events.ids(), events.occurred_at.tolist(), *events.columns.values(), strict=True)
    correlations = events.columns[events.correlation]
    causes = repeat(None) if events.causes is None else events.causes
    for row, key, correlation, cause in zip(rows, keys, correlations, causes, strict=False):
        record = dict(zip(fields, row, strict=True))
        yield FeedMessage(key.encode(), encode(record), event_headers(correlation, row[0], cause))


def event_headers(correlation_id: str, event_id: str, cause: str | None) -> list[tuple[str, bytes]]:
    """Return the headers of an event that no service wrote; `cause` is the id of the event that caused it.

    A correlation id of 32 hex digits is also the trace id, so that all events of its chain share one trace.
    """
    trace_id = correlation_id if len(correlation_id) == 32 and _HEX.issuperset(correlation_id) else ""
    headers = Trace(correlation_id, cause, trace_id).headers(event_id)
    return [(name, text.encode()) for name, text in headers.items()]


_HEX = frozenset("0123456789abcdef")
