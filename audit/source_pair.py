"""A comparison of the replayed data set's rows with the events that were made of them."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc

from audit.comparison import About, Comparison
from audit.sources.olist import OlistTables
from audit.stores import Stores
from audit.tables import compare_tables
from common.errors import UserError

Events = Mapping[str, pa.Table]
"""Event name → its events in Kafka, one row an event id."""

NOT_REPLAYED = "no data set was replayed here: name its directory with --source"
ELSEWHERE = "--source says where the replayed tables are now"
DRAWN = "of the chosen days only: their times are drawn, so only those that came are compared"


@dataclass(frozen=True)
class SourcePair:
    """`expected` is told from the tables alone, `actual` from the events alone, as the same columns.

    Events whose `subject` (a column) the source does not know are another producer's and left out.
    `drawn` where the source has no time, so that the source can't say which rows fall into a choice of days.
    """

    about: About
    events: tuple[str, ...]
    subject: str
    expected: Callable[[OlistTables], pa.Table]
    actual: Callable[[Events, ZoneInfo], pa.Table]
    drawn: bool = False

    def compare(self, source: OlistTables, events: Events, timezone: ZoneInfo) -> Comparison:
        """Compare the source's rows with these events."""
        known = source.known(self.subject).combine_chunks()
        own = {name: _among(table, self.subject, known) for name, table in events.items()}
        others = sum(events[name].num_rows - own[name].num_rows for name in events)
        own = {name: source.sent.certain(table) for name, table in own.items()}
        notes = [*source.notes, *([f"{others:,} events are not of the source"] if others else [])]
        expected, actual = self.expected(source), self.actual(own, timezone)
        if self.drawn and not source.whole:
            expected = _among(expected, self.subject, actual[self.subject].combine_chunks())
            notes.append(DRAWN)
        return compare_tables(self.about, expected, actual, notes=tuple(notes))

    def run(self, stores: Stores) -> Iterator[Comparison]:
        """Read both sides and compare; without a replayed data set there is nothing to compare.

        Tables that were replayed and can't be read any more keep no other comparison from being made.
        """
        if stores.source is None:
            yield Comparison(self.about, notes=(NOT_REPLAYED,))
            return
        try:
            stores.source.known(self.subject)
        except UserError as error:
            yield Comparison(self.about, unread=f"{error} ({ELSEWHERE})")
            return
        events = {name: stores.kafka.contents(name).events for name in self.events}
        yield self.compare(stores.source, events, stores.timezone)


def _among(rows: pa.Table, column: str, values: pa.Array) -> pa.Table:
    rows = rows.combine_chunks()
    flat = rows[column].combine_chunks() if isinstance(rows[column], pa.ChunkedArray) else rows[column]
    return rows.filter(pc.is_in(flat, value_set=values))
