"""Encodes and decodes events: Avro in the Confluent wire format (0, schema id as int32, body)."""

import struct
from collections.abc import Callable
from io import BytesIO
from typing import Any

import fastavro

from common.errors import Rejected, SoukError
from schemas.events import EventSchema

Record = dict[str, Any]

MAGIC = 0
_HEADER = struct.Struct(">bI")
_MAX_REASON_LENGTH = 120


class NotEncodable(SoukError):
    """A record does not match its event's schema; the message names the field."""


class Encoder:
    """Encodes records of one event. Not thread-safe."""

    def __init__(self, event: EventSchema, schema_id: int) -> None:
        self._event = event
        self._header = _HEADER.pack(MAGIC, schema_id)
        self._buffer = BytesIO()

    def encode(self, record: Record) -> bytes:
        """Return the bytes of one event; a timestamp may be an aware datetime or Unix milliseconds.

        Raises:
            NotEncodable: a field is missing, of another type, or out of range.
        """
        buffer = self._buffer
        buffer.seek(0)
        buffer.truncate()
        buffer.write(self._header)
        try:
            fastavro.schemaless_writer(buffer, self._event.parsed, record)
        except (ValueError, TypeError, KeyError, OverflowError, AttributeError) as error:
            raise NotEncodable(
                f"{self._event.name}: {_describe_mismatch(self._event, record)} ({error})"
            ) from error
        return buffer.getvalue()


def _describe_mismatch(event: EventSchema, record: Record) -> str:
    """Return the fields of `record` that do not match the schema."""
    if not isinstance(record, dict):
        return f"a {type(record).__name__} is not a record"
    try:
        fastavro.validate(record, event.parsed, raise_errors=True)
    except fastavro.validation.ValidationError as error:
        return "; ".join(str(error).split("\n"))[:500]
    return "a value does not fit"


class Decoder:
    """Decodes events of any topic, each with the schema it was written with.

    `find_schema` returns the writer's schema (parsed JSON) of a schema id and raises `Rejected` for an
    unknown id, as `SchemaRegistry.schema` does. Every id is looked up once.
    """

    def __init__(self, find_schema: Callable[[int], Any]) -> None:
        self._find_schema = find_schema
        self._parsed: dict[int, Any] = {}

    def decode(self, message: bytes | None, reader: EventSchema | None = None) -> Record:
        """Return the record, timestamps as aware datetimes, read with `reader`'s schema if given.

        Raises:
            Rejected: the message is not in the wire format, its schema is unknown, or its body is invalid.
            PartUnavailable: `find_schema` could not look up the schema; the message may be valid.
        """
        if message is None or len(message) < _HEADER.size:
            raise Rejected("not an event: shorter than the 5 bytes of magic and schema id")
        magic, schema_id = _HEADER.unpack_from(message)
        if magic != MAGIC:
            raise Rejected(f"not an event: the first byte is {magic}, not 0")
        body = BytesIO(message)
        body.seek(_HEADER.size)
        writer = self._writer(schema_id)
        try:
            record = fastavro.schemaless_reader(body, writer, reader.parsed if reader else None)
        except Exception as error:  # an invalid body makes fastavro raise anything from IndexError on
            reason = str(error)[:_MAX_REASON_LENGTH] or type(error).__name__
            raise Rejected(f"broken event of schema {schema_id}: {reason}") from error
        if body.tell() != len(message):
            raise Rejected(f"broken event of schema {schema_id}: {len(message) - body.tell()} bytes too many")
        if not isinstance(record, dict):
            raise Rejected(f"schema {schema_id} is not a record")
        return record

    def _writer(self, schema_id: int) -> Any:
        if schema_id not in self._parsed:
            schema = self._find_schema(schema_id)
            try:
                self._parsed[schema_id] = fastavro.parse_schema(schema, named_schemas={})
            except (ValueError, KeyError, TypeError, fastavro.schema.SchemaParseException) as error:
                raise Rejected(f"schema {schema_id} is not an Avro schema: {error}") from error
        return self._parsed[schema_id]
