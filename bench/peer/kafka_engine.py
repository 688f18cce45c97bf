"""Reads the bench's topics with ClickHouse's own Kafka engine into tables like the platform's."""

from dataclasses import dataclass
from pathlib import Path

from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import DatabaseError

from bench.stream import EVENTS
from clickhouse.client import connect
from clickhouse.facts import columns
from common.settings import Settings
from schemas.events import Event, all_events

_FOLDER = Path(__file__).parent
_SHUT_DOWN = "code: 49"
"""What the bundled engine answers to a `CREATE` of a table that streams, although it made it."""


@dataclass(frozen=True)
class Peer:
    """One way of reading the topics, in a database of its own.

    With `drops_repeats` an event that the facts hold already is left out, as Flink leaves it out.
    """

    database: str
    title: str
    drops_repeats: bool


PEERS = (
    Peer("peer", "its own Kafka engine", drops_repeats=False),
    Peer("peer_once", "its own Kafka engine, each event once", drops_repeats=True),
)

NOTES = (
    "The peers run inside the same ClickHouse process, one consumer a topic, batches of 65,536 or 500 ms.",
    "The first peer adds repeated events up again; the second one looks every event up in the facts. Neither "
    "keeps rankings in Redis, dead letters or progress; Flink does, and its state survives a crash.",
    "Flink runs facts and metrics as two jobs that each read and decode the topics; the peer decodes once.",
)
"""What a reader must know to compare the two fairly."""


def prepare(settings: Settings, peer: Peer) -> Client:
    """Make the tables and views; nothing is read yet. A client of the peer's database."""
    with connect(settings, admin=True) as admin:
        admin.command(f"CREATE DATABASE {peer.database}")
    client = connect(settings, admin=True, database=peer.database)
    events = [all_events()[name] for name in EVENTS]
    for event in events:
        client.command(f"CREATE TABLE {event.name} AS {settings.clickhouse_database}.{event.name}")
    for script in ("aggregates.sql", "views.sql"):
        for statement in (_FOLDER / script).read_text(encoding="utf-8").split(";\n"):
            if statement.strip():
                client.command(statement)
    for event in events:
        _create(client, queue_table(event, settings, peer))
    return client


def read(settings: Settings, peer: Peer) -> None:
    """Attach the facts to their topics: from here on ClickHouse reads."""
    with connect(settings, admin=True, database=peer.database) as client:
        for event in (all_events()[name] for name in EVENTS):
            _create(client, feed_view(event, peer))


def feed_view(event: Event, peer: Peer) -> str:
    """The statement that makes the flow from an event's topic into its table."""
    names = ", ".join(field["name"] for field in event.fields)
    query = f"SELECT {names} FROM {event.name}_queue"
    if peer.drops_repeats:
        query += f" WHERE event_id NOT IN (SELECT event_id FROM {event.name}) LIMIT 1 BY event_id"
    return f"CREATE MATERIALIZED VIEW {event.name}_feed TO {event.name} AS {query}"


def stop(client: Client, peer: Peer) -> None:
    """Stop reading and drop what was made."""
    for name in EVENTS:
        client.command(f"DROP VIEW IF EXISTS {name}_feed SYNC")
        client.command(f"DROP TABLE IF EXISTS {name}_queue SYNC")
    client.command(f"DROP DATABASE {peer.database} SYNC")
    client.close()


def queue_table(event: Event, settings: Settings, peer: Peer) -> str:
    """The statement that makes the stream of an event's topic."""
    typed = {name: kind for name, kind in columns(event).items() if name != "ingested_at"}
    body = ", ".join(f"{name} {kind}" for name, kind in typed.items())
    options = {
        "kafka_broker_list": settings.kafka,
        "kafka_topic_list": event.name,
        "kafka_group_name": f"{peer.database}_{event.name}",
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
