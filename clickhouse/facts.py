"""Generates the `CREATE TABLE` statements of the fact tables from the Avro schemas of the events.

    python -m clickhouse.facts order_placed …    (without names: every event)

prints the statements to paste into the next file of `clickhouse/migrations/`.
"""

import sys
from collections.abc import Mapping
from typing import Any

from clickhouse.literals import quoted
from common.errors import UserError
from schemas.events import EventSchema, all_events

TIMESTAMP = "DateTime64(3, 'UTC')"

PLAIN_TYPES: dict[str, str] = {
    "string": "String",
    "boolean": "Bool",
    "int": "Int32",
    "long": "Int64",
    "double": "Float64",
}

INGESTED_AT = (
    f"    ingested_at {TIMESTAMP} DEFAULT now64(3) CODEC(Delta, ZSTD(1))"
    " COMMENT 'When ClickHouse took the row; of two copies of an event the later stays.'"
)


def clickhouse_type(avro: Any, field_name: str = "") -> str:
    """Return the ClickHouse type of an Avro type, as in docs/architecture.md.

    Raises:
        UserError: there is no ClickHouse type for the Avro type.
    """
    if isinstance(avro, list):
        (inner,) = (branch for branch in avro if branch != "null")
        return _nullable(clickhouse_type(inner, field_name))
    if isinstance(avro, str) and avro in PLAIN_TYPES:
        return "LowCardinality(String)" if field_name == "currency" else PLAIN_TYPES[avro]
    match avro:
        case {"logicalType": "timestamp-millis"}:
            return TIMESTAMP
        case {"type": "enum"}:
            return "LowCardinality(String)"
        case {"type": "array", "items": items}:
            return f"Array({clickhouse_type(items)})"
        case {"type": "map", "values": values}:
            return f"Map(String, {clickhouse_type(values)})"
        case {"type": "record", "fields": fields}:
            inner = ", ".join(f"{f['name']} {clickhouse_type(f['type'], f['name'])}" for f in fields)
            return f"Tuple({inner})"
    raise UserError(f"there is no ClickHouse type for the Avro type {avro!r}: add it to clickhouse/facts.py")


def _nullable(inner: str) -> str:
    if inner.startswith("LowCardinality("):
        return inner.replace("LowCardinality(", "LowCardinality(Nullable(", 1) + ")"
    return f"Nullable({inner})"


def columns(event: EventSchema) -> dict[str, str]:
    """Return the ClickHouse type of each column: the event's fields in order, then `ingested_at`."""
    mapped = {field["name"]: clickhouse_type(field["type"], field["name"]) for field in event.fields}
    return {**mapped, "ingested_at": TIMESTAMP}


def create_table(event: EventSchema) -> str:
    """Return the statement that creates an event's fact table.

    The table keeps one row per event, even if the event arrives several times. Rows are ordered by the
    event's key, so that a query for one order, product or seller reads adjacent rows.
    docs/decisions/partitions.md explains the partitions by year and the small granules.
    """
    body = ",\n".join([*map(_column, event.fields), INGESTED_AT])
    return (
        f"CREATE TABLE IF NOT EXISTS {event.name}\n(\n{body}\n)\n"
        "ENGINE = ReplacingMergeTree(ingested_at)\n"
        "PARTITION BY toYear(occurred_at)\n"
        f"ORDER BY ({event.key}, occurred_at, event_id)\n"
        "SETTINGS index_granularity = 1024\n"
        f"COMMENT {quoted(event.schema['doc'])};\n"
    )


def _column(field: Mapping[str, Any]) -> str:
    kind = clickhouse_type(field["type"], field["name"])
    parts = [f"    {field['name']} {kind}"]
    if kind in {TIMESTAMP, f"Nullable({TIMESTAMP})"}:
        parts.append("CODEC(Delta, ZSTD(1))")
    elif not kind.startswith("LowCardinality"):
        parts.append("CODEC(ZSTD(1))")
    if doc := field.get("doc"):
        parts.append(f"COMMENT {quoted(doc)}")
    return " ".join(parts)


def main(names: list[str]) -> int:
    """Print the statements of the named events, or of all; return exit code 2 if an event does not exist."""
    try:
        events = all_events()
        if unknown := ", ".join(name for name in names if name not in events):
            raise UserError(f"there is no event {unknown}: add its schema and its topic (CONTRIBUTING.md)")
        print("\n".join(create_table(events[name]) for name in names or events), end="")
    except UserError as error:
        print(f"souk: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
