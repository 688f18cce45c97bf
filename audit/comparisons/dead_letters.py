"""Checks that every undecodable message is in a dead-letter topic, and counts the dead letters."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from hashlib import blake2b

import pyarrow as pa

from audit.comparison import ComparisonResult, ComparisonSpec
from audit.sources.kafka import DeadLetterRecord
from audit.stores import Stores
from audit.tables import compare_tables
from schemas.events import all_events
from schemas.topics import JOB_OUTPUTS

SPEC = ComparisonSpec(
    name="dead_letters",
    what="every message that can't be decoded",
    left="Kafka",
    right="dead letters",
    unit="messages",
    key=("topic", "digest"),
)

REASONS = 5
"""The result has a note for each of this many most frequent reasons of a topic."""


def compare(
    undecodable: Mapping[str, Iterable[bytes]], dead_letters: Mapping[str, list[DeadLetterRecord]]
) -> ComparisonResult:
    """Compare the messages that the audit can't decode with the dead letters, both by topic.

    Several jobs read a topic, and each of them writes a dead letter of an undecodable message, so a message
    counts once. A dead letter of a message after the cut does not count. Dead letters of other stages, such
    as rows that a store refused, are counted in the notes.
    """
    expected = {(topic, _digest(value)) for topic, values in undecodable.items() for value in values}
    actual = {
        key
        for topic, found in dead_letters.items()
        for record in found
        if record.stage == "decode"
        and ((key := (topic, _digest(record.value))) in expected or record.before_cut)
    }
    notes = [
        f"{topic}_dlq has {count:,} messages rejected at {stage}: {reason}"
        for topic, found in dead_letters.items()
        for (stage, reason), count in Counter((each.stage, each.reason) for each in found).most_common(
            REASONS
        )
    ]
    return compare_tables(SPEC, _table(expected), _table(actual), notes=tuple(notes))


def run(stores: Stores) -> Iterator[ComparisonResult]:
    """Read every topic and every dead-letter topic."""
    undecodable = {name: stores.kafka.contents(name).undecodable for name in all_events()}
    dead_letters = {name: stores.kafka.dead_letters(name) for name in (*all_events(), *JOB_OUTPUTS)}
    yield compare(undecodable, dead_letters)


def _digest(value: bytes) -> str:
    return blake2b(value, digest_size=8).hexdigest()


def _table(keys: Iterable[tuple[str, str]]) -> pa.Table:
    rows = [{"topic": topic, "digest": digest} for topic, digest in sorted(keys)]
    return pa.Table.from_pylist(rows, pa.schema([("topic", pa.string()), ("digest", pa.string())]))
