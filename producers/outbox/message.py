"""An event as it lies in the outbox: encoded before it is committed, so that a bad one never is."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

import orjson

from common.ids import new_id
from producers.outbox.trace import Trace
from schemas.codec import Encoder
from schemas.events import all_events

ORIGIN = "origin"
"""The header that names the service that published an event. History (replays, back-fills) has none."""


class Message(NamedTuple):
    """A row of the outbox, less its position."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: str
    """A JSON object of strings."""


def columns(messages: Iterable[Message]) -> list[list[Any]]:
    """Messages as the columns that `unnest` takes: topics, keys, values, headers."""
    return [list(column) for column in zip(*messages, strict=True)]


class EventWriter:
    """Makes messages of the events that one service emits; `schema_ids` are those of the registry."""

    def __init__(self, service: str, schema_ids: Mapping[str, int]) -> None:
        self._service = service
        self._encoders = {name: Encoder(all_events()[name], number) for name, number in schema_ids.items()}

    def write(self, event: str, now: datetime, trace: Trace, fields: Mapping[str, Any]) -> Message:
        """Encode an event that occurred now; its id is new. `fields` are those after `occurred_at`.

        Raises:
            NotEncodable: the fields do not fit the event's schema.
        """
        event_id = new_id()
        record = {"event_id": event_id, "occurred_at": now, **fields}
        value = self._encoders[event].encode(record)
        key = str(fields[all_events()[event].key]).encode()
        headers = {ORIGIN: self._service, **trace.headers(event_id)}
        return Message(event, key, value, orjson.dumps(headers).decode())
