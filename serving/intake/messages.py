"""The message that tells Kafka a checked event. Pure."""

from typing import NamedTuple

from producers.outbox.trace import Trace
from schemas.codec import Encoder
from schemas.events import all_events
from serving.intake.records import Checked, EventTooLarge

MOST_BYTES = 900_000
"""Of an encoded event: with its key and headers it must stay below Kafka's limit of 1,000,000."""


class Message(NamedTuple):
    """One message of a topic."""

    topic: str
    key: bytes
    value: bytes
    headers: list[tuple[str, str | bytes | None]]


def message_of(checked: Checked, encoder: Encoder, trace_id: str) -> Message:
    """An event as a message. A visit is what its events have in common: its session correlates them.

    `trace_id` is that of the request; empty, the event begins a trace of its own.

    Raises:
        EventTooLarge: it is longer than Kafka takes.
    """
    record = checked.record
    value = encoder.encode(record)
    if len(value) > MOST_BYTES:
        raise EventTooLarge(f"{len(value):,} bytes; an event has at most {MOST_BYTES:,}")
    headers = Trace(record["session_id"], None, trace_id).headers(record["event_id"])
    key = record[all_events()[checked.event].key].encode()
    return Message(checked.event, key, value, list(headers.items()))
