"""Encodes a valid event as a Kafka message. Pure."""

from producers.outbox.trace import Trace
from schemas.codec import Encoder
from schemas.events import all_events
from serving.intake.validation import EventTooLarge, ValidEvent
from serving.kit.event_producer import EventMessage

MAX_EVENT_BYTES = 900_000
"""The largest encoded event. With its key and headers it stays below Kafka's limit of 1,000,000 bytes."""


def encode_event(checked: ValidEvent, encoder: Encoder, trace_id: str) -> EventMessage:
    """Return an event as a message. Its correlation id is the session id.

    `trace_id` is the trace id of the request. If it is empty, the event starts a new trace.

    Raises:
        EventTooLarge: the encoded event exceeds `MAX_EVENT_BYTES`.
    """
    record = checked.record
    value = encoder.encode(record)
    if len(value) > MAX_EVENT_BYTES:
        raise EventTooLarge(f"{len(value):,} bytes; an event has at most {MAX_EVENT_BYTES:,}")
    headers = Trace(record["session_id"], None, trace_id).headers(record["event_id"])
    key = record[all_events()[checked.event].key].encode()
    return EventMessage(checked.event, key, value, list(headers.items()))
