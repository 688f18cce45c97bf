"""Finds the events of one order: in ClickHouse's fact tables, and from there in Kafka, with their headers."""

import asyncio
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path

import asyncpg
from clickhouse_connect.driver.client import Client
from confluent_kafka import Consumer, KafkaException, Message, TopicPartition

from clickhouse.client import clickhouse_errors, connect
from common.clock import from_millis
from common.correlation import trace_id_of
from common.errors import PartUnavailable
from common.kafka import messages_and_ends, reader_config
from common.kafka_errors import retry_while_retriable
from common.postgres_roles import READER
from common.settings import Settings
from local.logs.record import LogRecord
from schemas.events import all_events, order_events

_QUERIES = Path(__file__).parent / "queries"
_TIMEOUT_S = 10.0

CLOCK_TOLERANCE = timedelta(seconds=5)
"""Added to both ends of the period in which Kafka is searched: clocks of machines differ."""

NEW_ORDER_PERIOD = timedelta(minutes=2)
"""How long after its checkout an order's first event is searched in Kafka if no job has stored it yet."""

MAX_MESSAGES = 50_000
"""Messages of one topic that are read in search of one event. It bounds the search for an event that a job
stored hours after it happened, such as one of a replay."""


@dataclass(frozen=True)
class OrderEvent:
    """An event of an order. Times are None, and headers empty, where the event was not found."""

    name: str
    event_id: str
    occurred_at: datetime
    stored_at: datetime | None = None
    """When the newest copy was inserted into ClickHouse."""
    appended_at: datetime | None = None
    """When Kafka appended it."""
    partition: int | None = None
    offset: int | None = None
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def trace_id(self) -> str:
        """The trace id of the chain of events; empty if the event was not found in Kafka."""
        return trace_id_of(self.headers.get("traceparent"))

    def records(self) -> Iterator[LogRecord]:
        """Yield what Kafka and ClickHouse know of the event, as entries of their logs."""
        ids = {"event_id": self.event_id, "trace_id": self.trace_id}
        if self.appended_at is not None:
            place = {"partition": self.partition, "offset": self.offset}
            origin = {"origin": self.headers["origin"]} if self.headers.get("origin") else {}
            yield LogRecord(
                "kafka", self.appended_at, "info", f"event {self.name}", {**origin, **place, **ids}
            )
        if self.stored_at is not None:
            delay_ms = round((self.stored_at - self.occurred_at) / timedelta(milliseconds=1))
            yield LogRecord(
                "clickhouse", self.stored_at, "info", f"stored {self.name}", {"after_ms": delay_ms, **ids}
            )


@dataclass(frozen=True)
class FoundEvents:
    """The events of an order as far as they could be read, in the order in which they happened."""

    events: list[OrderEvent]
    failures: list[str]
    """Of each part that did not answer: why, and what is missing."""


def find_order_events(settings: Settings, order_id: str) -> FoundEvents:
    """Find the events of an order in each part that answers.

    An order without a stored event is searched in PostgreSQL and, from the time of its checkout, in Kafka.
    Events of a replay have their times in ClickHouse only.
    """
    events: list[OrderEvent] = []
    failures: list[str] = []
    try:
        with connect(settings) as client:
            events = _stored_events(client, order_id)
    except PartUnavailable as error:
        failures.append(f"{error} (missing: events except order_placed, and their times)")
    if not any(event.name == "order_placed" for event in events):
        try:
            placed_at = asyncio.run(_placed_at(settings, order_id))
        except PartUnavailable as error:
            failures.append(f"{error} (missing: order_placed)")
        else:
            if placed_at is not None:
                events.insert(0, OrderEvent("order_placed", "", placed_at))
    in_kafka: list[OrderEvent] = []
    if events:
        try:
            in_kafka.extend(_with_kafka(settings.kafka, order_id, events))  # a failure leaves those before it
        except PartUnavailable as error:
            failures.append(f"{error} (missing: requests, and events' times in Kafka)")
    return FoundEvents([*in_kafka, *events[len(in_kafka) :]], failures)


def _stored_events(client: Client, order_id: str) -> list[OrderEvent]:
    query = (_QUERIES / "order_events.sql").read_text(encoding="utf-8")
    with clickhouse_errors():
        found = [
            OrderEvent(name, event_id, from_millis(occurred_ms), from_millis(stored_ms))
            for name in order_events()
            for event_id, occurred_ms, stored_ms in client.query(
                query, parameters={"order_id": order_id, "table": name}
            ).result_rows
        ]
    return sorted(found, key=lambda event: event.occurred_at)


async def _placed_at(settings: Settings, order_id: str) -> datetime | None:
    """Return when the orders service placed an order; None if it does not know the order."""
    try:
        connection = await asyncpg.connect(settings.postgres_as(READER), timeout=_TIMEOUT_S)
        try:
            query = (_QUERIES / "order_placed_at.sql").read_text(encoding="utf-8")
            placed_at: datetime | None = await connection.fetchval(query, order_id, timeout=_TIMEOUT_S)
            return placed_at
        finally:
            await connection.close(timeout=_TIMEOUT_S)
    except asyncpg.DataError:  # not a UUID, as ids of replayed orders
        return None
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise PartUnavailable(f"PostgreSQL does not answer: {error}") from error


def _with_kafka(bootstrap: str, order_id: str, events: Iterable[OrderEvent]) -> Iterator[OrderEvent]:
    consumer = Consumer(reader_config(bootstrap, "souk_logs"))
    try:
        for event in events:
            yield _in_kafka(consumer, order_id, event)
    except KafkaException as error:
        raise PartUnavailable(f"Kafka at {bootstrap} does not answer ({error.args[0].str()})") from error
    finally:
        consumer.close()


def _in_kafka(consumer: Consumer, order_id: str, event: OrderEvent) -> OrderEvent:
    """Return the event with its place, time and headers in Kafka; unchanged if it is not found."""
    begin = event.occurred_at - CLOCK_TOLERANCE
    end = (event.stored_at or event.occurred_at + NEW_ORDER_PERIOD) + CLOCK_TOLERANCE
    partitions = [
        TopicPartition(event.name, partition, int(begin.timestamp() * 1000))
        for partition in range(all_events()[event.name].topic.partitions)
    ]
    starts = retry_while_retriable(lambda: consumer.offsets_for_times(partitions, _TIMEOUT_S), _TIMEOUT_S)
    consumer.assign(starts)
    try:
        for message in _messages(consumer, len(starts), int(end.timestamp() * 1000)):
            if message.key() == order_id.encode() and event.event_id.encode() in (message.value() or b""):
                return _found(event, message)
    finally:
        consumer.unassign()
    return event


def _messages(consumer: Consumer, partitions: int, end_ms: int) -> Iterator[Message]:
    """Yield messages until each partition has reached its end or a time, at most `MAX_MESSAGES`."""
    unfinished = set(range(partitions))
    for message, is_end in islice(messages_and_ends(consumer, _TIMEOUT_S), MAX_MESSAGES):
        if is_end or message.timestamp()[1] > end_ms:
            unfinished.discard(message.partition() or 0)
            if not unfinished:
                return
        else:
            yield message


def _found(event: OrderEvent, message: Message) -> OrderEvent:
    pairs: list[tuple[str, str | bytes | None]] = list(message.headers() or ())
    headers = {
        name: value.decode(errors="replace") if isinstance(value, bytes) else value or ""
        for name, value in pairs
    }
    return OrderEvent(
        event.name,
        event.event_id,
        event.occurred_at,
        event.stored_at,
        from_millis(message.timestamp()[1]),
        message.partition(),
        message.offset(),
        headers,
    )
