"""Sends events from before some of their fields existed again, with these fields.

`order_confirmed`, `order_cancelled` and `payment_refunded` contain what a sale, its cancellation and a
refunded return need (docs/architecture.md). In older events these fields are null. This step finds such
events in the facts, completes them from the facts of other topics, and sends them with their ids, so that
every consumer ignores them or replaces what it has. It completes the facts at once, so that figures which are
derived from them are right before the jobs have read the events.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from clickhouse_connect.driver.client import Client
from confluent_kafka import KafkaError, Message, Producer

from clickhouse.client import connect
from common.errors import PartUnavailable
from common.kafka_producer import producer_config
from common.settings import Settings
from schemas.codec import Encoder, Record
from schemas.events import all_events
from schemas.registry import SchemaRegistry

_TIMEOUT_S = 120.0
_BATCH = 1_000

_ANY_OLD = "SELECT count() FROM (SELECT 1 FROM order_confirmed FINAL WHERE placed_at IS NULL LIMIT 1)"

_COMPLETED = {
    "payment_refunded": """
SELECT
    old.* EXCEPT (seller_id, placed_at, lines, ingested_at),
    other.seller_id AS seller_id, other.placed_at AS placed_at, other.lines AS lines
FROM payment_refunded AS old FINAL
INNER JOIN (SELECT * FROM order_returned FINAL ORDER BY occurred_at, event_id LIMIT 1 BY return_id) AS other
    ON old.return_id = other.return_id
WHERE old.return_id IS NOT NULL AND old.seller_id IS NULL
""",
    "order_cancelled": """
SELECT old.* EXCEPT (confirmed_at, ingested_at), other.occurred_at AS confirmed_at
FROM order_cancelled AS old FINAL
INNER JOIN order_confirmed AS other FINAL ON old.order_id = other.order_id
WHERE old.confirmed_at IS NULL
""",
    "order_confirmed": """
SELECT
    old.* EXCEPT (placed_at, currency, lines, ingested_at),
    other.occurred_at AS placed_at, other.currency AS currency, other.lines AS lines
FROM order_confirmed AS old FINAL
INNER JOIN order_placed AS other FINAL ON old.order_id = other.order_id
WHERE old.placed_at IS NULL
""",
}
"""Event → query of the completed events. Confirmations come last: `_ANY_OLD` looks for them, so that an
interrupted run is repeated."""

_QUERY_SETTINGS = {"join_algorithm": "full_sorting_merge", "final": 0}
"""Tables are sorted by order, so a join needs memory for few rows."""


def has_old_events(settings: Settings) -> bool:
    """Return whether there are old events that can be completed.

    Raises:
        PartUnavailable: ClickHouse does not answer.
    """
    with connect(settings, admin=True) as client:
        return bool(client.query(_ANY_OLD).result_rows[0][0])


def complete_old_events(settings: Settings) -> int:
    """Send every old event whose fields are known by now, and complete its fact; return how many were sent.

    An interrupted run is repeated. Sending an event again changes nothing.

    Raises:
        PartUnavailable: ClickHouse, Kafka or the registry does not answer.
    """
    if not has_old_events(settings):
        return 0
    with connect(settings, admin=True) as client:
        sent = 0
        for event, query in _COMPLETED.items():
            sent += _send(settings, client, event)
            columns = ", ".join(f"`{field['name']}`" for field in all_events()[event].fields)
            client.command(
                f"INSERT INTO {event} ({columns}) SELECT {columns} FROM ({query})", settings=_QUERY_SETTINGS
            )
        return sent


def _send(settings: Settings, client: Client, name: str) -> int:
    event = all_events()[name]
    failures: list[str] = []

    def delivered(error: KafkaError | None, _: Message) -> None:
        if error is not None:
            failures.append(str(error))

    with SchemaRegistry(settings.registry) as registry:
        encoder = Encoder(event, registry.register(event.subject, event.text))
    producer = Producer(producer_config(settings.kafka, linger_ms=20, delivery_timeout_s=_TIMEOUT_S))
    sent = 0
    for record in _completed(client, name):
        producer.produce(name, encoder.encode(record), key=record[event.key], on_delivery=delivered)
        sent += 1
        if sent % _BATCH == 0 and producer.flush(_TIMEOUT_S):
            break
    if producer.flush(_TIMEOUT_S) or failures:
        reason = failures[0] if failures else "it did not answer in time"
        raise PartUnavailable(f"Kafka at {settings.kafka} did not take the completed events: {reason}")
    return sent


def _completed(client: Client, name: str) -> Iterator[Record]:
    """Yield records of the event's schema."""
    fields = all_events()[name].fields
    with client.query_row_block_stream(_COMPLETED[name], settings=_QUERY_SETTINGS) as stream:
        columns = stream.source.column_names
        for block in stream:
            for row in block:
                values = dict(zip(columns, row, strict=True))
                yield {field["name"]: _avro(values[field["name"]], field["type"]) for field in fields}


def _avro(value: Any, kind: Any) -> Any:
    """Return a value of ClickHouse as its Avro type: an array of tuples as records, a time in UTC.

    The lines of another event lack what only this one's have, such as `marketplace_minor`: it is null.
    """
    match kind:
        case {"type": "array", "items": {"fields": fields}}:
            return [{field["name"]: each.get(field["name"]) for field in fields} for each in value]
        case _:
            return value.replace(tzinfo=UTC) if isinstance(value, datetime) else value
