"""Events that an import or a replay sends, as those who read Kafka get them."""

from typing import Any

import pyarrow as pa

from audit.sources.avro import arrow_schema
from producers.feed.events import Events
from schemas.events import all_events


def as_read(sent: Events) -> pa.Table:
    """Return events as the audit reads them from Kafka: a field that is not sent has its default."""
    event, count = all_events()[sent.name], len(sent.occurred_at)
    values = {field["name"]: [field["default"]] * count for field in event.fields if "default" in field}
    values |= {"event_id": sent.ids(), "occurred_at": sent.occurred_at.tolist(), **sent.columns}
    schema = arrow_schema(event.schema)
    return pa.table([_column(list(values[field.name]), field.type) for field in schema], schema=schema)


def _column(values: list[Any], kind: pa.DataType) -> pa.Array:
    if pa.types.is_timestamp(kind):
        return pa.array(values, pa.int64()).cast(kind)
    return pa.array([list(value.items()) if isinstance(value, dict) else value for value in values], kind)
