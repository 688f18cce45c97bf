"""A row of the outbox. It is encoded before its transaction commits, so that an encoding error rolls back."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from common.ids import new_id
from common.tracing import current_span
from producers.kit.outbox.trace import Trace
from schemas.codec import Encoder
from schemas.events import all_events

ORIGIN = "origin"
"""The header with the service that published an event. Historical events (replay, back-fill) lack it."""


class OutboxMessage(NamedTuple):
    """A row of the outbox, without its position."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: Mapping[str, str]


class EventWriter:
    """Encodes the events that one service emits. `schema_ids` is event → schema id in the registry."""

    def __init__(self, service: str, schema_ids: Mapping[str, int]) -> None:
        self._service = service
        self._encoders = {name: Encoder(all_events()[name], number) for name, number in schema_ids.items()}

    def write(self, event: str, now: datetime, trace: Trace, fields: Mapping[str, Any]) -> OutboxMessage:
        """Encode an event. `fields` are the schema's fields after `occurred_at`.

        The event has a new id, unless `fields` has its `event_id`.

        Raises:
            NotEncodable: the fields do not fit the event's schema.
        """
        event_id = str(fields.get("event_id") or new_id())
        if (span := current_span()) is not None and "order_id" in fields:
            span.attributes["order.id"] = str(fields["order_id"])
        value = self._encoders[event].encode({"event_id": event_id, "occurred_at": now, **fields})
        key = str(fields[all_events()[event].key]).encode()
        return OutboxMessage(event, key, value, {ORIGIN: self._service, **trace.headers(event_id)})
