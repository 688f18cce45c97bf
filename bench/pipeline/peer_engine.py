"""The peer of the pipeline: ClickHouse's own Kafka engine reads the topics into tables like the platform's.

It runs in this process, because the platform's ClickHouse forbids the Kafka engine.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast

import chdb
from clickhouse_connect.driver.client import Client

from bench.order_stream import EVENTS
from clickhouse.facts import columns
from clickhouse.metrics.definition import MetricDefinition, read_definitions
from clickhouse.metrics.rollups import Rollup, Rollups
from clickhouse.schema import FILE
from common.settings import Settings
from schemas.events import EventSchema, all_events

_LOGICAL_ERROR = "Code: 49"
"""The bundled engine's error for the `CREATE` of a streaming table, which it creates nevertheless."""


@dataclass(frozen=True)
class Peer:
    """One way of reading the topics, into its own database.

    With `drops_duplicates`, an event that is already among the facts is left out.
    """

    database: str
    title: str
    drops_duplicates: bool


PEERS = (
    Peer("peer", "its own Kafka engine", drops_duplicates=False),
    Peer("peer_once", "its own Kafka engine, each event once", drops_duplicates=True),
)

NOTES = (
    "The peers run on the same engine in the benchmark's own process, one consumer a topic, batches of "
    "65,536 or 500 ms.",
    "The peers derive the same rows from the facts as the platform: those of every metric, and the notes of "
    "roll-ups. The second peer looks up every event in the facts, and leaves out duplicates.",
    "Neither peer writes rankings to Redis, dead letters or progress; Flink does, and its state survives a "
    "crash.",
    "Flink also computes the rankings, in a job that reads and decodes order_confirmed a second time.",
)
"""What a reader must know for a fair comparison."""


@dataclass(frozen=True)
class Rows:
    """The rows of an answer, as clickhouse-connect names them."""

    result_rows: list[list[Any]]


class EmbeddedEngine:
    """A connection to the engine. Only one thread may use it."""

    def __init__(self, folder: Path) -> None:
        self._connection = chdb.connect(str(folder))

    def command(self, statement: str) -> None:
        """Run a statement.

        Raises:
            ChdbError: the engine refuses it.
        """
        self._connection.query(statement)

    def query(self, query: str, parameters: Mapping[str, str] | None = None) -> Rows:
        """Return the rows of a query with its typed parameters.

        Raises:
            ChdbError: the engine refuses it.
        """
        answer = self._connection.query(query, "JSONCompact", params=dict(parameters or {}))
        return Rows(json.loads(answer.bytes())["data"])

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


@contextmanager
def embedded_engine(tables_database: str) -> Iterator[Path]:
    """Yield the folder of an engine that has the platform's tables, all empty, in `tables_database`."""
    with TemporaryDirectory() as name:
        engine = EmbeddedEngine(Path(name))
        engine.command(f"CREATE DATABASE {tables_database}")
        engine.command(f"USE {tables_database}")
        for statement in FILE.read_text(encoding="utf-8").split(";\n\n"):
            engine.command(statement.rstrip().removesuffix(";"))
        try:
            yield Path(name)
        finally:
            engine.close()


def prepare(settings: Settings, peer: Peer, folder: Path) -> EmbeddedEngine:
    """Create the tables and views without reading anything; returns a connection to the peer's database."""
    client = EmbeddedEngine(folder)
    client.command(f"CREATE DATABASE {peer.database}")
    client.command(f"USE {peer.database}")
    events = [all_events()[name] for name in EVENTS]
    for event in events:
        client.command(f"CREATE TABLE {event.name} AS {settings.clickhouse_database}.{event.name}")
    for definition in fed_metrics():
        _derive_rows(client, definition, peer)
    for event in events:
        _create(client, queue_table(event, settings, peer))
    return client


def fed_metrics() -> Iterator[MetricDefinition]:
    """Yield the metrics with rows of the bench's events, and the roll-ups that note changes of such rows."""
    for definition in read_definitions().values():
        fed = definition.adds_up or definition
        if not fed.adds_up and any(event in fed.sources for event in EVENTS):
            yield definition


def _derive_rows(client: EmbeddedEngine, definition: MetricDefinition, peer: Peer) -> None:
    """Create a metric's table and its views over the facts, or what notes the changes for a roll-up."""
    name = definition.name
    if definition.adds_up:
        rollup = Rollup(name, definition.version, peer.database, sums_sql="")
        Rollups(cast(Client, client)).create(rollup, definition, definition.adds_up.name)
        return
    if definition.table_sql:
        client.command(definition.table_sql.replace("{table}", name))
    for fact, select in definition.sources.items():
        if fact in EVENTS:
            client.command(f"CREATE MATERIALIZED VIEW {name}_from_{fact} TO {name} AS\n{select}")


def read(client: EmbeddedEngine, peer: Peer) -> None:
    """Attach the facts to their topics, so that ClickHouse starts to read."""
    for event in (all_events()[name] for name in EVENTS):
        _create(client, feed_view(event, peer))


def feed_view(event: EventSchema, peer: Peer) -> str:
    """Return the statement that creates the view from an event's topic into its table."""
    names = ", ".join(field["name"] for field in event.fields)
    query = f"SELECT {names} FROM {event.name}_queue"
    if peer.drops_duplicates:
        query += f" WHERE event_id NOT IN (SELECT event_id FROM {event.name}) LIMIT 1 BY event_id"
    return f"CREATE MATERIALIZED VIEW {event.name}_feed TO {event.name} AS {query}"


def stop(client: EmbeddedEngine, peer: Peer) -> None:
    """Stop reading and drop the peer's tables."""
    for name in EVENTS:
        client.command(f"DROP VIEW IF EXISTS {name}_feed SYNC")
        client.command(f"DROP TABLE IF EXISTS {name}_queue SYNC")
    client.command(f"DROP DATABASE {peer.database} SYNC")
    client.close()


def queue_table(event: EventSchema, settings: Settings, peer: Peer) -> str:
    """Return the statement that creates the queue of an event's topic."""
    body = ", ".join(f"{name} {kind}" for name, kind in columns(event).items() if name != "ingested_at")
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


def _create(client: EmbeddedEngine, statement: str) -> None:
    try:
        client.command(statement)
    except chdb.ChdbError as error:
        if _LOGICAL_ERROR not in str(error):
            raise
