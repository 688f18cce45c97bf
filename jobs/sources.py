"""Builds the Flink source table of an event's Kafka topic from the event's Avro schema."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

from common.errors import UserError
from common.settings import Settings
from common.timeouts import FETCH_PACE_MS
from jobs.plan import DATABASE, with_clause
from schemas.events import EventSchema

Start = Literal["committed", "earliest"]
"""Where a job without a checkpoint starts: at its group's committed offsets, or at the first message."""

PRIMITIVE_TYPES: dict[str, str] = {
    "string": "STRING",
    "boolean": "BOOLEAN",
    "int": "INT",
    "long": "BIGINT",
    "double": "DOUBLE",
}
"""Avro type → Flink SQL type."""


def flink_type(avro: Any) -> str:
    """Return the Flink SQL type of an Avro type, `NOT NULL` unless the Avro type is a union with null.

    Raises:
        UserError: the Avro type is not supported.
    """
    if isinstance(avro, list):
        (inner,) = (branch for branch in avro if branch != "null")
        return flink_type(inner).removesuffix(" NOT NULL")
    return f"{_bare_type(avro)} NOT NULL"


def _bare_type(avro: Any) -> str:
    if isinstance(avro, str) and avro in PRIMITIVE_TYPES:
        return PRIMITIVE_TYPES[avro]
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
    raise UserError(f"events can't use the Avro type {avro!r}: add it to jobs/sources.py")


def reader_schema(event: EventSchema) -> str:
    """Return the event's schema as JSON without descriptions: a new description must not change a job."""
    return json.dumps(_without_docs(event.schema), separators=(",", ":"))


def _without_docs(node: Any) -> Any:
    if isinstance(node, dict):
        return {key: _without_docs(value) for key, value in node.items() if key != "doc"}
    if isinstance(node, list):
        return [_without_docs(item) for item in node]
    return node


SIGNED_EVENTS = frozenset({"ledger_posted", "payout_paid"})
"""Events with amounts that may be negative: credits, and payouts after more refunds than sales."""


def non_negative_fields(event: EventSchema) -> tuple[str, ...]:
    """Return the money fields of an event that can't be negative, such as `lines.unit_price_minor`."""
    return () if event.name in SIGNED_EVENTS else tuple(_money(event.fields))


def _money(fields: Sequence[Mapping[str, Any]], prefix: str = "") -> Iterator[str]:
    for field in fields:
        match field["type"]:
            case "long" if field["name"].endswith("_minor"):
                yield prefix + field["name"]
            case {"type": "array", "items": {"type": "record", "fields": inner}}:
                yield from _money(inner, f"{field['name']}.")


def event_columns(event: EventSchema, lateness_s: int = 0) -> str:
    """Return the columns and the watermark of an event's table.

    The watermark is `lateness_s` seconds behind the newest event; for 0, it is one millisecond. Patterns and
    windows drop later events. Other queries drop none: for them, the watermark only sets `as_of`. An event
    that is more than a day ahead of the clock would advance `as_of`, so it goes to the dead-letter topic.
    """
    columns = [f"`{field['name']}` {flink_type(field['type'])}" for field in event.fields]
    watermark = f"WATERMARK FOR occurred_at AS occurred_at - INTERVAL '{lateness_s or 0.001}' SECOND"
    return "(\n  " + ",\n  ".join([*columns, watermark]) + "\n)"


FETCH_IMMEDIATELY = {
    "properties.fetch.max.wait.ms": "5000",
    "properties.interceptor.classes": "souk.flink.common.FetchPacer",
    "properties.fetch.pace.ms": str(FETCH_PACE_MS),
}
"""Kafka answers a fetch as soon as it has one event. Without events it answers after five seconds, because
most topics have no events most of the time."""

FETCH_IN_BATCHES = {"properties.fetch.max.wait.ms": "1000", "properties.fetch.min.bytes": "1000000"}
"""Kafka answers a fetch when it has a megabyte, or after a second. Otherwise the events of a busy topic would
arrive one by one, and each fetch costs Kafka and Flink CPU time."""


def source_table(
    event: EventSchema,
    settings: Settings,
    group: str,
    start: Start,
    fetch: Mapping[str, str] = FETCH_IMMEDIATELY,
    lateness_s: int = 0,
) -> str:
    """Return the `CREATE TABLE` statement of an event's topic, for one consumer group."""
    money = non_negative_fields(event)
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
        **({"value.souk-avro.non-negative": ";".join(money)} if money else {}),
        "value.souk-avro.dlq.bootstrap": settings.kafka,
        "value.souk-avro.dlq.topic": event.topic.dead_letter_topic,
    }
    return f"CREATE TABLE {DATABASE}.{event.name} {event_columns(event, lateness_s)} {with_clause(options)}"
