"""Reads the bench's topics with ClickHouse's own Kafka engine into tables like the platform's."""

from pathlib import Path

from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import DatabaseError

from bench.stream import EVENTS
from clickhouse.client import connect
from clickhouse.facts import columns
from common.settings import Settings
from schemas.events import Event, all_events

DATABASE = "peer"
_FOLDER = Path(__file__).parent
_SHUT_DOWN = "code: 49"
"""What the bundled engine answers to a `CREATE` of a table that streams, although it made it."""

NOTES = (
    "The peer runs inside the same ClickHouse process, one consumer a topic, batches of 65,536 or 500 ms.",
    "The peer adds repeated events up again, keeps no product ranking in Redis, has no dead letters and no "
    "progress; Flink drops repeats, keeps both rankings, and its state survives a crash.",
    "Flink runs facts and metrics as two jobs that each read and decode the topics; the peer decodes once.",
)
"""What a reader must know to compare the two fairly."""


def prepare(settings: Settings) -> Client:
    """Make the tables and views; nothing is read yet. A client of the peer's database."""
    with connect(settings, admin=True) as admin:
        admin.command(f"CREATE DATABASE {DATABASE}")
    client = connect(settings, admin=True, database=DATABASE)
    events = [all_events()[name] for name in EVENTS]
    for event in events:
        client.command(f"CREATE TABLE {event.name} AS {settings.clickhouse_database}.{event.name}")
    for script in ("aggregates.sql", "views.sql"):
        for statement in (_FOLDER / script).read_text(encoding="utf-8").split(";\n"):
            if statement.strip():
                client.command(statement)
    for event in events:
        _create(client, queue_table(event, settings))
    return client


def read(settings: Settings) -> None:
    """Attach the facts to their topics: from here on ClickHouse reads."""
    with connect(settings, admin=True, database=DATABASE) as client:
        for event in (all_events()[name] for name in EVENTS):
            _create(client, feed_view(event))


def feed_view(event: Event) -> str:
    """The statement that makes the flow from an event's topic into its table."""
    names = ", ".join(field["name"] for field in event.fields)
    source = f"{event.name}_queue"
    return f"CREATE MATERIALIZED VIEW {event.name}_feed TO {event.name} AS SELECT {names} FROM {source}"


def stop(client: Client) -> None:
    """Stop reading and drop what was made."""
    for name in EVENTS:
        client.command(f"DROP VIEW IF EXISTS {name}_feed SYNC")
        client.command(f"DROP TABLE IF EXISTS {name}_queue SYNC")
    client.command(f"DROP DATABASE {DATABASE} SYNC")
    client.close()


def queue_table(event: Event, settings: Settings) -> str:
    """The statement that makes the stream of an event's topic."""
    typed = {name: kind for name, kind in columns(event).items() if name != "ingested_at"}
    body = ", ".join(f"{name} {kind}" for name, kind in typed.items())
    options = {
        "kafka_broker_list": settings.kafka,
        "kafka_topic_list": event.name,
        "kafka_group_name": f"peer_{event.name}",
        "kafka_format": "AvroConfluent",
        "format_avro_schema_registry_url": settings.registry,
        "kafka_poll_max_batch_size": 65_536,
        "kafka_max_block_size": 65_536,
        "kafka_flush_interval_ms": 500,
    }
    shown = ", ".join(f"{name} = {value!r}" for name, value in options.items())
    return f"CREATE TABLE {event.name}_queue ({body}) ENGINE = Kafka SETTINGS {shown}"


def _create(client: Client, statement: str) -> None:
    try:
        client.command(statement)
    except DatabaseError as error:
        if _SHUT_DOWN not in str(error):
            raise
