"""Checks that every message that can't be decoded lies in a dead-letter topic, and counts what lies there."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from hashlib import blake2b

import pyarrow as pa

from audit.comparison import About, Comparison
from audit.sources.kafka import DeadLetter
from audit.stores import Stores
from audit.tables import compare_tables
from schemas.events import all_events
from schemas.topics import JOB_OUTPUTS

ABOUT = About(
    name="dead_letters",
    what="every message that can't be decoded",
    left="Kafka",
    right="dead letters",
    unit="messages",
    key=("topic", "digest"),
)


def compare(
    undecodable: Mapping[str, Iterable[bytes]], letters: Mapping[str, list[DeadLetter]]
) -> Comparison:
    """Topic → raw messages that the audit itself can't decode; topic → what lies in its dead-letter topic.

    Two jobs read most topics and each sends what it can't decode to the dead letters, so a message may lie
    there more than once. Rows that a store refused are counted in the notes.
    """
    expected = {(topic, _digest(value)) for topic, values in undecodable.items() for value in values}
    actual = {
        (topic, _digest(letter.value))
        for topic, found in letters.items()
        for letter in found
        if letter.stage == "decode"
    }
    notes = [
        f"{topic}_dlq holds {count:,} refused at {stage}: {reason}"
        for topic, found in letters.items()
        for (stage, reason), count in Counter((letter.stage, letter.reason) for letter in found).most_common(
            5
        )
    ]
    return compare_tables(ABOUT, _table(expected), _table(actual), notes=tuple(notes))


def run(stores: Stores) -> Iterator[Comparison]:
    """Read every topic and every dead-letter topic."""
    undecodable = {name: stores.kafka.contents(name).undecodable for name in all_events()}
    letters = {name: stores.kafka.dead_letters(name) for name in (*all_events(), *JOB_OUTPUTS)}
    yield compare(undecodable, letters)


def _digest(value: bytes) -> str:
    return blake2b(value, digest_size=8).hexdigest()


def _table(keys: Iterable[tuple[str, str]]) -> pa.Table:
    rows = [{"topic": topic, "digest": digest} for topic, digest in sorted(keys)]
    return pa.Table.from_pylist(rows, pa.schema([("topic", pa.string()), ("digest", pa.string())]))
