"""Reads topics as tables of events: each event once, and what is not an event apart."""

from collections.abc import Iterable
from dataclasses import dataclass

import pyarrow as pa

from audit.sources.avro import arrow_schema
from audit.sources.kafka import DeadLetter, KafkaTopics
from common.errors import Rejected
from schemas.codec import Decoder, Record
from schemas.events import Event, all_events

_CHUNK = 20_000
_KEPT_BYTES = 512 * 2**20


@dataclass(frozen=True)
class TopicContents:
    """What a topic holds. `events` has one row per event id, as it was sent last.

    `repeated` counts the messages beyond the first of an event id; `undecodable` holds raw values.
    Messages without a value (tombstones) say nothing and are left out.
    """

    events: pa.Table
    messages: int
    repeated: int
    undecodable: tuple[bytes, ...]


def decode_topic(values: Iterable[bytes | None], event: Event, decoder: Decoder) -> TopicContents:
    """Decode the values of a topic, in the order in which they lie there."""
    schema = arrow_schema(event.schema)
    batches: list[pa.Table] = []
    rows: list[Record] = []
    last: dict[str, int] = {}
    undecodable: list[bytes] = []
    decoded = 0
    for value in values:
        if value is None:
            continue
        try:
            record = decoder.decode(value, event)
        except Rejected:
            undecodable.append(value)
            continue
        last[record["event_id"]] = decoded
        decoded += 1
        rows.append(record)
        if len(rows) == _CHUNK:
            batches.append(pa.Table.from_pylist(rows, schema))
            rows = []
    every = pa.concat_tables([*batches, pa.Table.from_pylist(rows, schema)])
    repeated = decoded - len(last)
    events = every.take(pa.array(last.values(), pa.int64())) if repeated else every
    return TopicContents(events, decoded + len(undecodable), repeated, tuple(undecodable))


class EventLog:
    """Kafka's events by name. What was decoded is kept for the next comparison, up to `_KEPT_BYTES`."""

    def __init__(self, kafka: KafkaTopics, decoder: Decoder) -> None:
        self._kafka = kafka
        self._decoder = decoder
        self._kept: dict[str, TopicContents] = {}

    def contents(self, name: str) -> TopicContents:
        """All that the topic of an event holds now (or held when it was first asked for)."""
        if name in self._kept:
            return self._kept[name]
        values = (message.value() for message in self._kafka.messages(name))
        contents = decode_topic(values, all_events()[name], self._decoder)
        kept = sum(other.events.nbytes for other in self._kept.values())
        if kept + contents.events.nbytes <= _KEPT_BYTES:
            self._kept[name] = contents
        return contents

    def decode(self, value: bytes) -> Record:
        """The event in one message, of whichever topic."""
        return self._decoder.decode(value)

    def dead_letters(self, topic: str) -> list[DeadLetter]:
        """What lies in `<topic>_dlq`."""
        return self._kafka.dead_letters(topic)
