"""Compares every event in Kafka with its row in ClickHouse, field by field."""

import json
from collections.abc import Callable, Iterable, Iterator

import pyarrow as pa
import pyarrow.compute as pc

from audit.comparison import ComparisonResult, ComparisonSpec
from audit.snapshot import Cut
from audit.sources.events import TopicContents
from audit.sources.kafka import DeadLetterRecord
from audit.stores import Stores
from audit.tables import compare_tables
from schemas.codec import Record
from schemas.events import all_events


def spec(event: str) -> ComparisonSpec:
    """Return the specification of one event's comparison."""
    return ComparisonSpec(
        name="kafka_vs_facts",
        what=f"every field of {event}",
        left="Kafka",
        right="facts",
        unit="events",
        key=("event_id",),
    )


def compare(
    event: str,
    expected: TopicContents,
    actual: pa.Table,
    rejected: frozenset[str],
    *,
    is_permanent: bool = True,
) -> ComparisonResult:
    """Compare a topic with its fact table.

    `rejected` are the ids of events with a dead letter instead of a row. If the topic is not permanent, Kafka
    may have deleted events that ClickHouse still has.
    """
    notes = []
    if expected.repeated:
        notes.append(f"{expected.repeated:,} messages repeat an event that was sent before")
    if not is_permanent:
        actual = actual.filter(_is_among(actual, expected.events))
    return compare_tables(spec(event), expected.events, actual, explained=rejected, notes=tuple(notes))


def before_cut(facts: pa.Table, events: pa.Table, cut: Cut | None) -> pa.Table:
    """Return the facts without those that ClickHouse took after the cut and that no event explains.

    `facts` has `ingested_at`, which is dropped. A fact that is older than the cut must have its event.
    """
    if cut is not None:
        ingested_ms = facts["ingested_at"].cast(pa.timestamp("ms", "UTC")).cast(pa.int64())
        is_before = pc.less_equal(ingested_ms, cut.ingested_ms)
        facts = facts.filter(pc.or_(is_before, _is_among(facts, events)))
    return facts.drop_columns(["ingested_at"])


def rejected_ids(
    dead_letters: Iterable[DeadLetterRecord], decode: Callable[[bytes], Record]
) -> frozenset[str]:
    """Return the ids of decodable events that were rejected.

    ClickHouse's dead letters have the row as JSON. Those of events from the future or with a negative amount
    have the message, once for each job that read it.
    """
    readers: dict[str, Callable[[bytes], Record]] = {
        "clickhouse": json.loads,
        "time": decode,
        "value": decode,
    }
    return frozenset(
        str(readers[record.stage](record.value)["event_id"])
        for record in dead_letters
        if record.stage in readers
    )


def run(stores: Stores) -> Iterator[ComparisonResult]:
    """Compare every event of `schemas/events/` that either side has."""
    for name, event in all_events().items():
        contents = stores.kafka.contents(name)
        columns = [*contents.events.column_names, "ingested_at"]
        facts = before_cut(stores.clickhouse.facts(name, columns), contents.events, stores.cut)
        if contents.events.num_rows or facts.num_rows:
            rejected = rejected_ids(stores.kafka.dead_letters(name), stores.kafka.decode)
            yield compare(name, contents, facts, rejected, is_permanent=event.topic.keeps_every_message)


def _is_among(facts: pa.Table, events: pa.Table) -> pa.Array:
    return pc.is_in(facts["event_id"].combine_chunks(), value_set=events["event_id"].combine_chunks())
