"""Converts Avro schemas to Arrow schemas, so that events and ClickHouse's rows can be compared."""

from collections.abc import Mapping
from typing import Any

import pyarrow as pa

_PLAIN: Mapping[str, pa.DataType] = {
    "string": pa.string(),
    "boolean": pa.bool_(),
    "int": pa.int64(),
    "long": pa.int64(),
    "double": pa.float64(),
}


def arrow_schema(record: Mapping[str, Any]) -> pa.Schema:
    """Return the Arrow schema of a record schema: its fields in order, integers as int64."""
    return pa.schema([pa.field(field["name"], arrow_type(field["type"])) for field in record["fields"]])


def arrow_type(avro: Any) -> pa.DataType:
    """Return the Arrow type of an Avro type.

    Raises:
        ValueError: events do not use the type (`docs/architecture.md` lists the types that they use).
    """
    if isinstance(avro, str) and avro in _PLAIN:
        return _PLAIN[avro]
    if isinstance(avro, list):
        (inner,) = (branch for branch in avro if branch != "null")
        return arrow_type(inner)
    match avro:
        case {"logicalType": "timestamp-millis"}:
            return pa.timestamp("ms", tz="UTC")
        case {"type": "enum"}:
            return pa.string()
        case {"type": "array", "items": items}:
            return pa.list_(arrow_type(items))
        case {"type": "map", "values": values}:
            return pa.map_(pa.string(), arrow_type(values))
        case {"type": "record", "fields": fields}:
            return pa.struct([pa.field(f["name"], arrow_type(f["type"])) for f in fields])
        case {"type": str(inner)} if inner in _PLAIN:
            return _PLAIN[inner]
    raise ValueError(f"events do not use the Avro type {avro!r}")
