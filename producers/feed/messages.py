"""Events as Kafka messages: key, value and headers, one at a time, in the order of the timeline."""

from collections.abc import Iterator, Mapping
from itertools import repeat
from typing import NamedTuple

import numpy as np

from producers.feed.events import Events, Timeline
from schemas.codec import Encoder
from schemas.events import all_events


class Message(NamedTuple):
    """What is sent of one event; its topic has the event's name."""

    key: bytes
    value: bytes
    headers: list[tuple[str, bytes]]


def messages(timeline: Timeline, start: int, schema_ids: Mapping[str, int]) -> list[Iterator[Message]]:
    """For each element of `timeline.events` its messages from the `start`-th event of the timeline on.

    Whoever sends takes the next of `messages[timeline.which[i]]` for i = start, start + 1, ...
    """
    sent = np.bincount(timeline.which[:start], minlength=len(timeline.events))
    return [
        _messages(events.take(np.arange(skip, len(events))) if skip else events, schema_ids[events.name])
        for events, skip in zip(timeline.events, sent.tolist(), strict=True)
    ]


def _messages(events: Events, schema_id: int) -> Iterator[Message]:
    event = all_events()[events.name]
    encode = Encoder(event, schema_id).encode
    fields = ("event_id", "occurred_at", *events.columns)
    keys = events.columns[event.key]
    rows = zip(events.ids(), events.occurred_at.tolist(), *events.columns.values(), strict=True)
    correlations = events.columns[events.correlation]
    causes = repeat(None) if events.causes is None else events.causes
    for row, key, correlation, cause in zip(rows, keys, correlations, causes, strict=False):
        record = dict(zip(fields, row, strict=True))
        yield Message(key.encode(), encode(record), headers_of(correlation, row[0], cause))


def headers_of(correlation: str, event_id: str, cause: str | None) -> list[tuple[str, bytes]]:
    """The headers of an event: its chain, its trace, and the id of the event that caused it, if one did."""
    headers = [
        ("correlation_id", correlation.encode()),
        ("traceparent", _traceparent(correlation, event_id)),
    ]
    if cause is not None:
        headers.append(("causation_id", cause.encode()))
    return headers


_HEX = frozenset("0123456789abcdef")
_UNSAMPLED = "00"


def _traceparent(correlation: str, event_id: str) -> bytes:
    """W3C trace context: one trace a chain, one span an event, not sampled."""
    trace = (
        correlation if len(correlation) == 32 and _HEX.issuperset(correlation) else event_id.replace("-", "")
    )
    return f"00-{trace}-{event_id[19:23]}{event_id[24:]}-{_UNSAMPLED}".encode()
