"""Avro → Flink: the source table of an event's Kafka topic."""

import json
from collections.abc import Mapping
from typing import Any, Literal

from common.errors import UserError
from common.settings import Settings
from jobs.plan import with_clause
from schemas.events import Event

DATABASE = "events"
"""Flink's database of the sources: `events.order_placed` is the topic `order_placed`."""

Start = Literal["committed", "earliest"]
"""Where a job without a checkpoint starts: at its consumer group's committed offsets, or at the beginning."""

PLAIN_TYPES: dict[str, str] = {
    "string": "STRING",
    "boolean": "BOOLEAN",
    "int": "INT",
    "long": "BIGINT",
    "double": "DOUBLE",
}


def flink_type(avro: Any) -> str:
    """The Flink SQL type of an Avro type, `NOT NULL` unless the Avro type is a union with null.

    Raises:
        UserError: an Avro type that events do not use.
    """
    if isinstance(avro, list):
        (inner,) = (branch for branch in avro if branch != "null")
        return flink_type(inner).removesuffix(" NOT NULL")
    return f"{_bare_type(avro)} NOT NULL"


def _bare_type(avro: Any) -> str:
    if isinstance(avro, str) and avro in PLAIN_TYPES:
        return PLAIN_TYPES[avro]
    match avro:
        case {"logicalType": "timestamp-millis"}:
            return "TIMESTAMP_LTZ(3)"
        case {"type": "enum"}:
            return "STRING"
        case {"type": "array", "items": items}:
            return f"ARRAY<{flink_type(items)}>"
        case {"type": "map", "values": values}:
            return f"MAP<STRING NOT NULL, {flink_type(values)}>"
        case {"type": "record", "fields": fields}:
            return "ROW<" + ", ".join(f"`{f['name']}` {flink_type(f['type'])}" for f in fields) + ">"
    raise UserError(f"events do not use the Avro type {avro!r}: see jobs/sources.py")


def reader_schema(event: Event) -> str:
    """The event's schema as one line without its descriptions: to reword one must not change a job."""
    return json.dumps(_without_docs(event.schema), separators=(",", ":"))


def _without_docs(node: Any) -> Any:
    if isinstance(node, dict):
        return {key: _without_docs(value) for key, value in node.items() if key != "doc"}
    if isinstance(node, list):
        return [_without_docs(item) for item in node]
    return node


def event_columns(event: Event) -> str:
    """The columns of an event's table with its watermark.

    Event times never go back within a partition of a well-behaved producer, so the watermark is right
    behind the newest event; nothing is dropped for being late, it only moves `as_of`. An event from more
    than a day ahead of now is a dead letter, for it would carry `as_of` along.
    """
    columns = [f"`{field['name']}` {flink_type(field['type'])}" for field in event.fields]
    watermark = "WATERMARK FOR occurred_at AS occurred_at - INTERVAL '0.001' SECOND"
    return "(\n  " + ",\n  ".join([*columns, watermark]) + "\n)"


AT_ONCE = {"properties.fetch.max.wait.ms": "5000"}
"""A fetch is answered with the first event that there is. Kafka keeps one for which it has nothing: most
topics are silent most of the time."""

GATHERED = {"properties.fetch.max.wait.ms": "1000", "properties.fetch.min.bytes": "1000000"}
"""A fetch is answered with a second's events, or with a megabyte: the events of a busy topic would otherwise
come one by one, each some work for Kafka and for Flink."""


def source_table(
    event: Event, settings: Settings, group: str, start: Start, fetch: Mapping[str, str] = AT_ONCE
) -> str:
    """The `CREATE TABLE` of an event's topic, read by one consumer group."""
    options = {
        "connector": "kafka",
        "topic": event.name,
        "properties.bootstrap.servers": settings.kafka,
        "properties.group.id": group,
        "properties.client.id.prefix": f"{group}-{event.name}",
        **fetch,
        "scan.startup.mode": "earliest-offset" if start == "earliest" else "group-offsets",
        "properties.auto.offset.reset": "earliest",
        "value.format": "souk-avro",
        "value.souk-avro.registry": settings.registry,
        "value.souk-avro.schema": reader_schema(event),
        "value.souk-avro.event-time": "occurred_at",
        "value.souk-avro.max-ahead": "1 d",
        "value.souk-avro.dlq.bootstrap": settings.kafka,
        "value.souk-avro.dlq.topic": event.topic.dead_letters,
    }
    return f"CREATE TABLE {DATABASE}.{event.name} {event_columns(event)} {with_clause(options)}"
