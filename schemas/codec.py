"""Events as bytes and back: Avro in the Confluent wire format (0, schema id as int32, body)."""

import struct
from collections.abc import Callable
from io import BytesIO
from typing import Any

import fastavro

from common.errors import Rejected, SoukError
from schemas.events import Event

Record = dict[str, Any]

MAGIC = 0
_HEADER = struct.Struct(">bI")
_LONGEST_REASON = 120


class NotEncodable(SoukError):
    """A record does not fit its event's schema; the message says where."""


class Encoder:
    """Encodes records of one event. Not for use by several threads at once."""

    def __init__(self, event: Event, schema_id: int) -> None:
        self._event = event
        self._header = _HEADER.pack(MAGIC, schema_id)
        self._buffer = BytesIO()

    def encode(self, record: Record) -> bytes:
        """The bytes of one event; a timestamp may be an aware datetime or Unix milliseconds.

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
            raise NotEncodable(f"{self._event.name}: {_where(self._event, record)} ({error})") from error
        return buffer.getvalue()


def _where(event: Event, record: Record) -> str:
    """Names the fields of `record` that do not fit."""
    if not isinstance(record, dict):
        return f"a {type(record).__name__} is not a record"
    try:
        fastavro.validate(record, event.parsed, raise_errors=True)
    except fastavro.validation.ValidationError as error:
        return "; ".join(str(error).split("\n"))[:500]
    return "a value does not fit"


class Decoder:
    """Decodes events of any topic, each with the schema that it was written with.

    `find_schema` turns a schema id into the writer's schema (parsed JSON) and raises `Rejected` for an
    unknown id, as `Registry.schema` does. Every id is looked up once.
    """

    def __init__(self, find_schema: Callable[[int], Any]) -> None:
        self._find_schema = find_schema
        self._parsed: dict[int, Any] = {}

    def decode(self, message: bytes | None, reader: Event | None = None) -> Record:
        """The record in `message`, timestamps as aware datetimes, resolved to `reader`'s schema if given.

        Raises:
            Rejected: the message is not in the wire format, its schema is unknown, or its body is broken.
            PartUnavailable: `find_schema` can't say; the message may be good.
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
        except (
            Exception
        ) as error:  # fastavro raises whatever a broken body leads to, IndexError to OverflowError
            reason = str(error)[:_LONGEST_REASON] or type(error).__name__
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
