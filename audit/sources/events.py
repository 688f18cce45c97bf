"""Reads topics as tables of events: each event once, and undecodable messages separately."""

from collections.abc import Iterable
from dataclasses import dataclass

import pyarrow as pa

from audit.sources.avro import arrow_schema
from audit.sources.kafka import DeadLetterRecord, KafkaTopics
from common.errors import Rejected
from schemas.codec import Decoder, Record
from schemas.events import EventSchema, all_events

_CHUNK = 20_000
_CACHE_BYTES = 512 * 2**20


@dataclass(frozen=True)
class TopicContents:
    """The contents of a topic. `events` has one row per event id: the last message with this id.

    `repeated` counts the messages after the first one of an event id. `undecodable` has raw values.
    Messages without a value (tombstones) are left out.
    """

    events: pa.Table
    messages: int
    repeated: int
    undecodable: tuple[bytes, ...]


def decode_topic(values: Iterable[bytes | None], event: EventSchema, decoder: Decoder) -> TopicContents:
    """Decode the values of a topic, in their order."""
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
    decoded_events = pa.concat_tables([*batches, pa.Table.from_pylist(rows, schema)])
    repeated = decoded - len(last)
    events = decoded_events.take(pa.array(last.values(), pa.int64())) if repeated else decoded_events
    return TopicContents(events, decoded + len(undecodable), repeated, tuple(undecodable))


class EventLog:
    """The events in Kafka by name. Decoded topics are cached for other comparisons, up to `_CACHE_BYTES`."""

    def __init__(self, kafka: KafkaTopics, decoder: Decoder) -> None:
        self._kafka = kafka
        self._decoder = decoder
        self._cache: dict[str, TopicContents] = {}

    def contents(self, name: str) -> TopicContents:
        """Return the contents of an event's topic up to the cut, or to its end when it is first read."""
        if name in self._cache:
            return self._cache[name]
        values = (message.value() for message in self._kafka.messages(name))
        contents = decode_topic(values, all_events()[name], self._decoder)
        cached = sum(other.events.nbytes for other in self._cache.values())
        if cached + contents.events.nbytes <= _CACHE_BYTES:
            self._cache[name] = contents
        return contents

    def decode(self, value: bytes) -> Record:
        """Decode the event in one message of any topic."""
        return self._decoder.decode(value)

    def dead_letters(self, topic: str) -> list[DeadLetterRecord]:
        """Return the present messages of `<topic>_dlq`."""
        return self._kafka.dead_letters(topic)
