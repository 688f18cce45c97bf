"""Compares every event in Kafka with its row in ClickHouse, field by field."""

import json
from collections.abc import Callable, Iterable, Iterator

import pyarrow as pa
import pyarrow.compute as pc

from audit.comparison import About, Comparison
from audit.sources.events import TopicContents
from audit.sources.kafka import DeadLetter
from audit.stores import Stores
from audit.tables import compare_tables
from schemas.codec import Record
from schemas.events import all_events


def about(event: str) -> About:
    """What is compared of one event."""
    return About(
        name="kafka_vs_facts",
        what=f"every field of {event}",
        left="Kafka",
        right="facts",
        unit="events",
        key=("event_id",),
    )


def compare(
    event: str, expected: TopicContents, actual: pa.Table, refused: frozenset[str], *, kept: bool = True
) -> Comparison:
    """`refused` are the ids of events that lie in the dead-letter topic instead.

    A topic that is not `kept` for ever may have forgotten events that ClickHouse still has: those pass.
    """
    notes = []
    if expected.repeated:
        notes.append(f"{expected.repeated:,} messages repeat an event that was sent before")
    if not kept:
        still_there = pc.is_in(
            actual["event_id"].combine_chunks(), expected.events["event_id"].combine_chunks()
        )
        actual = actual.filter(still_there)
    return compare_tables(about(event), expected.events, actual, explained=refused, notes=tuple(notes))


def refused_ids(letters: Iterable[DeadLetter], decode: Callable[[bytes], Record]) -> frozenset[str]:
    """The ids of events that were refused though they can be decoded.

    Dead letters of ClickHouse hold the row as JSON; those of events from the future the message, once for
    each job that read it.
    """
    read: dict[str, Callable[[bytes], Record]] = {"clickhouse": json.loads, "time": decode}
    return frozenset(
        str(read[letter.stage](letter.value)["event_id"]) for letter in letters if letter.stage in read
    )


def run(stores: Stores) -> Iterator[Comparison]:
    """Every event of `schemas/events/` that either side has; all of them, if neither has any."""
    for name, event in all_events().items():
        contents = stores.kafka.contents(name)
        facts = stores.clickhouse.facts(name, contents.events.column_names)
        if contents.events.num_rows or facts.num_rows:
            refused = refused_ids(stores.kafka.dead_letters(name), stores.kafka.decode)
            yield compare(name, contents, facts, refused, kept=event.topic.retention is None)
