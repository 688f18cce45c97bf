"""What the indexer reads: a snapshot of the facts in ClickHouse, then the events in Kafka; and what sells.

A rebuild asks for the offsets that job `facts` has committed, and then reads the facts. Everything before
these offsets is in ClickHouse, because a checkpoint commits them after the sinks have written; so nothing is
missing, and what is read twice changes nothing. If Kafka has less, as after its loss, reading begins with
its first message.
"""

from collections.abc import Iterator

import structlog
from clickhouse_connect.driver.client import Client
from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from clickhouse.client import clickhouse_errors, connect
from common.clock import to_millis
from common.consumer_lag import committed_offsets
from common.errors import PartUnavailable, Rejected
from common.kafka import KafkaCluster, cluster_id, reader_config
from common.settings import Settings
from schemas.codec import Decoder
from schemas.events import all_events
from schemas.registry import SchemaRegistry
from serving.kit.rankings import HALF_LIFE_DAYS
from serving.products.search.rows import COLUMNS, Event, Positions, Rows

FACTS_GROUP = "facts"
"""The consumer group of job `facts`."""

GROUP = "search_index"
"""The consumer group of the live index. Its offsets show how far behind that is, and have no other use."""

BATCH, WAIT_S = 2_000, 0.1
"""The largest number of messages that are taken at once, and how long one is waited for."""

TIMEOUT_S = 10.0

LEVELS_PER_DOUBLING = 64

_POPULARITY = """
SELECT product_id, toInt32(greatest(1, {steps:Int32} * log2(sold))) AS level
FROM
(
    SELECT
        product_id,
        sum((units - cancelled_units) * exp2(dateDiff('second', toDateTime('2016-01-01', 'UTC'), minute) /
        {half_life_s:Float64})) AS sold
    FROM product_sales_minute
    GROUP BY product_id
)
WHERE sold > 0
"""
"""How well products sell, as in `popular_products` (docs/architecture.md): units sold, of which newer ones
count more instead of older ones less, so that time alone changes no level."""

log = structlog.get_logger()


class PositionsLost(Exception):
    """Kafka does not have the messages from a stored offset on: the rows can't be continued."""


def first_positions(settings: Settings) -> tuple[str, Positions]:
    """Return the id of the Kafka cluster, and where reading begins after a snapshot that is taken from now
    on.

    Raises:
        PartUnavailable: Kafka does not answer.
    """
    committed = committed_offsets(settings.kafka, FACTS_GROUP)
    return cluster_id(settings.kafka), {
        partition: offset for partition, offset in committed.items() if partition[0] in COLUMNS
    }


def load_snapshot(settings: Settings, rows: Rows) -> None:
    """Load the facts into empty rows.

    Raises:
        PartUnavailable: ClickHouse does not answer.
    """
    with connect(settings) as client, clickhouse_errors():
        for name in COLUMNS:
            rows.load(name, _facts(client, name))
    rows.mark_all()


def _facts(client: Client, name: str) -> Iterator[Event]:
    columns = ("at", *COLUMNS[name])
    # Only the newest of the many events of a stock is read. Of a listing, the first one counts, too.
    newest = (
        " ORDER BY product_id, version DESC LIMIT 1 BY product_id, seller_id"
        if name == "stock_changed"
        else ""
    )
    sql = f"SELECT toUnixTimestamp64Milli(occurred_at) AS {', '.join(columns)} FROM {name}{newest}"
    with client.query_row_block_stream(sql) as blocks:
        for block in blocks:
            for row in block:
                yield dict(zip(columns, row, strict=True))


def read_levels(settings: Settings) -> list[tuple[str, int]]:
    """Return how well each product sells that was sold (`Standing.level`).

    Raises:
        PartUnavailable: ClickHouse does not answer.
    """
    parameters = {
        "steps": LEVELS_PER_DOUBLING,
        "half_life_s": HALF_LIFE_DAYS["popular"] * 86_400,
    }
    with connect(settings) as client, clickhouse_errors():
        return [
            (product_id, level)
            for product_id, level in client.query(_POPULARITY, parameters=parameters).result_rows
        ]


class EventReader:
    """Reads the events from given positions on. Use it as a context manager."""

    def __init__(self, settings: Settings, positions: Positions) -> None:
        """Ask Kafka for the partitions.

        Raises:
            PartUnavailable: Kafka does not answer, or a topic is missing.
        """
        self._errors: list[KafkaError] = []
        self._registry = SchemaRegistry(settings.registry)
        self._decoder = Decoder(self._registry.schema)
        self._at_end: set[tuple[str, int]] = set()
        self._partitions = _partitions(settings)
        self._consumer = Consumer(
            {
                **reader_config(settings.kafka, GROUP),
                "auto.offset.reset": "error",
                "fetch.wait.max.ms": 100,
                "reconnect.backoff.max.ms": 1_000,
                "error_cb": self._errors.append,
            }
        )
        try:
            self._consumer.assign([self._from(partition, positions) for partition in self._partitions])
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> "EventReader":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._consumer.close()
        self._registry.__exit__()

    @property
    def is_at_end(self) -> bool:
        """Whether every message was returned that Kafka had a moment ago."""
        return len(self._at_end) == len(self._partitions)

    def read(self) -> tuple[list[tuple[str, Event]], dict[tuple[str, int], int], int | None]:
        """Return the next events, the positions behind them, and when the oldest came to Kafka (Unix ms).

        Raises:
            PositionsLost: messages are missing.
            PartUnavailable: Kafka or the registry does not answer.
        """
        events: list[tuple[str, Event]] = []
        positions: dict[tuple[str, int], int] = {}
        oldest: int | None = None
        for message in self._consumer.consume(BATCH, WAIT_S):
            partition = (message.topic() or "", message.partition() or 0)
            if error := message.error():
                self._check(error)
                if error.code() == KafkaError._PARTITION_EOF:
                    self._at_end.add(partition)
                continue
            self._at_end.discard(partition)
            positions[partition] = (message.offset() or 0) + 1
            oldest = min(oldest or message.timestamp()[1], message.timestamp()[1])
            if event := self._event(message):
                events.append((partition[0], event))
        for error in self._errors:
            if error.fatal() or error.code() == KafkaError._ALL_BROKERS_DOWN:
                raise PartUnavailable(f"Kafka does not answer: {error}")
        self._errors.clear()
        return events, positions, oldest

    def report(self, positions: Positions) -> None:
        """Let Kafka know how far the live index is, for whoever measures its lag."""
        if positions:
            offsets = [TopicPartition(*partition, offset) for partition, offset in positions.items()]
            self._consumer.commit(offsets=offsets, asynchronous=True)

    def _from(self, partition: tuple[str, int], positions: Positions) -> TopicPartition:
        """Return where to begin: at the stored position, or at the first message of a new partition."""
        try:
            low, high = self._consumer.get_watermark_offsets(TopicPartition(*partition), TIMEOUT_S)
        except KafkaException as error:
            raise PartUnavailable(f"Kafka does not answer: {error}") from error
        position = positions.get(partition, low)
        if position > high:
            raise PositionsLost(f"{partition} ends at {high}, before {position}")
        return TopicPartition(*partition, max(position, low))

    def _check(self, error: KafkaError) -> None:
        if error.code() in (KafkaError._AUTO_OFFSET_RESET, KafkaError.OFFSET_OUT_OF_RANGE):
            raise PositionsLost(str(error))
        if error.code() != KafkaError._PARTITION_EOF and not error.retriable():
            raise PartUnavailable(f"Kafka does not answer: {error}")

    def _event(self, message: Message) -> Event | None:
        """Return an event; None if it can't be read, which job `facts` makes a dead letter."""
        name = message.topic() or ""
        try:
            event = self._decoder.decode(message.value(), all_events()[name])
        except Rejected as reason:
            log.warning("an event is left out", topic=name, offset=message.offset(), reason=str(reason))
            return None
        return {**event, "at": to_millis(event["occurred_at"])}


def _partitions(settings: Settings) -> list[tuple[str, int]]:
    try:
        topics = KafkaCluster(settings.kafka).metadata(TIMEOUT_S).topics
    except KafkaException as error:
        raise PartUnavailable(f"Kafka at {settings.kafka} does not answer: {error}") from error
    if missing := sorted(COLUMNS.keys() - topics.keys()):
        raise PartUnavailable(f"Kafka has no topic {missing[0]} yet")
    return [(name, number) for name in COLUMNS for number in topics[name].partitions]
