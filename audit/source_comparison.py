"""Compares the rows of the replayed data set with the events that the replay made of them."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc

from audit.comparison import ComparisonResult, ComparisonSpec
from audit.sources.source_tables import SourceTables
from audit.stores import Stores
from audit.tables import compare_tables
from common.errors import UserError

Events = Mapping[str, pa.Table]
"""Event name → its events in Kafka, one row per event id."""

NOT_REPLAYED = "no data set was replayed here: name its directory with --source"
MOVED = "name the directory of the replayed tables with --source"
WITHOUT_TIMES = "the source has no times to select days by, so only rows with an event are compared"


@dataclass(frozen=True)
class SourceComparison:
    """`expected` is computed from the tables alone, `actual` from the events alone, with the same columns.

    Events whose `subject` (a column) is not in the source come from another producer and are left out. With
    `has_no_times`, the rows of the source can't be limited to the chosen days.
    """

    spec: ComparisonSpec
    events: tuple[str, ...]
    subject: str
    expected: Callable[[SourceTables], pa.Table]
    actual: Callable[[Events, ZoneInfo], pa.Table]
    has_no_times: bool = False

    def compare(self, source: SourceTables, events: Events, timezone: ZoneInfo) -> ComparisonResult:
        """Compare the source's rows with these events."""
        source_ids = source.ids(self.subject).combine_chunks()
        own = {name: _among(table, self.subject, source_ids) for name, table in events.items()}
        others = sum(events[name].num_rows - own[name].num_rows for name in events)
        own = {name: source.sent.acknowledged_events(table) for name, table in own.items()}
        notes = [*source.notes, *([f"{others:,} events are not from the source"] if others else [])]
        expected, actual = self.expected(source), self.actual(own, timezone)
        if self.has_no_times and not source.whole:
            expected = _among(expected, self.subject, actual[self.subject].combine_chunks())
            notes.append(WITHOUT_TIMES)
        return compare_tables(self.spec, expected, actual, notes=tuple(notes))

    def run(self, stores: Stores) -> Iterator[ComparisonResult]:
        """Read both sides and compare them.

        Without a replayed data set there is nothing to compare. If the replayed tables can't be read, the
        result says so.
        """
        if stores.source is None:
            yield ComparisonResult(self.spec, notes=(NOT_REPLAYED,))
            return
        try:
            stores.source.ids(self.subject)
        except UserError as error:
            yield ComparisonResult(self.spec, unread=f"{error} ({MOVED})")
            return
        events = {name: stores.kafka.contents(name).events for name in self.events}
        yield self.compare(stores.source, events, stores.timezone)


def _among(rows: pa.Table, column: str, values: pa.Array) -> pa.Table:
    rows = rows.combine_chunks()
    flat = rows[column].combine_chunks() if isinstance(rows[column], pa.ChunkedArray) else rows[column]
    return rows.filter(pc.is_in(flat, value_set=values))
