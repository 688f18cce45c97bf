"""Reads events from the fact tables, as rows. Of a table that was read before, only new rows are read."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Any, TypeVar

import pyarrow as pa
import pyarrow.compute as pc

from audit.sources.arrow_rows import rows
from audit.sources.clickhouse import ClickHouseTables

Event = dict[str, Any]

T = TypeVar("T")

ATTEMPTS = 3
"""How often both sides of a comparison are read, if events come in between."""

VISIBLE_AFTER_MS = 120_000
"""No row becomes visible later than so long after its `ingested_at`: the sink's requests end after 30 s."""


class FactTables:
    """The fields `fields` of each kind of event. Tables are kept in memory as Arrow tables."""

    def __init__(self, clickhouse: ClickHouseTables, fields: Mapping[str, tuple[str, ...]]) -> None:
        self._clickhouse = clickhouse
        self._columns = {kind: ["event_id", "occurred_at", *names] for kind, names in fields.items()}
        self._tables: dict[str, tuple[pa.Table, tuple[int, int]]] = {}
        self.kept: dict[str, list[Mapping[str, Any]]] = {}
        """What readers made of the tables. It is dropped when a table has changed."""

    def read(self, kinds: Iterable[str]) -> None:
        """Read the tables of these kinds, or the events that came since they were read."""
        for kind in kinds:
            state = self._clickhouse.state_of_facts(kind)
            if kind not in self._tables:
                self._tables[kind] = (
                    with_milliseconds(self._clickhouse.facts(kind, self._columns[kind])),
                    state,
                )
            elif self._tables[kind][1] != state:
                self.kept.clear()
                self._tables[kind] = self._with_newer(kind), state

    def _with_newer(self, kind: str) -> pa.Table:
        """Return the table of a kind with the events that came since. A new copy of one replaces the old."""
        table, (_, newest_ms) = self._tables[kind]
        newer = with_milliseconds(
            self._clickhouse.facts_since(kind, self._columns[kind], newest_ms - VISIBLE_AFTER_MS)
        )
        is_replaced = pc.is_in(table["event_id"], value_set=newer["event_id"].combine_chunks())
        return pa.concat_tables([table.filter(pc.invert(is_replaced)), newer])

    def read_once(self, kinds: Iterable[str]) -> None:
        """Read those tables of these kinds that were never read."""
        self.read(kind for kind in kinds if kind not in self._tables)

    def are_current(self, kinds: Iterable[str]) -> bool:
        """Return whether the tables of these kinds have not changed since they were read."""
        return all(self._tables[kind][1] == self._clickhouse.state_of_facts(kind) for kind in kinds)

    def beside(self, kinds: Collection[str], read: Callable[[], T], attempts: int = ATTEMPTS) -> T:
        """Read the tables of these kinds, then return what `read` returns.

        On an open shop, both are read again if the tables changed meanwhile, up to `attempts` times in all.
        Facts are inserted in blocks: between two blocks, both sides are of the same time.
        """
        while True:
            self.read(kinds)
            found = read()
            attempts -= 1
            if attempts <= 0 or self.are_current(kinds):
                return found

    def state(self) -> tuple[tuple[str, tuple[int, int]], ...]:
        """Return what changes whenever a table is read again."""
        return tuple(
            (kind, state) for kind, (_, state) in sorted(self._tables.items(), key=lambda each: each[0])
        )

    def events(self, kind: str) -> Iterator[Event]:
        """Return the events of a kind that was read; times are Unix milliseconds."""
        return rows(self._tables[kind][0])


def with_milliseconds(table: pa.Table) -> pa.Table:
    """Return the table with times as Unix milliseconds."""
    for number, column in enumerate(table.schema):
        if pa.types.is_timestamp(column.type):
            moments = pc.cast(table[column.name], pa.timestamp("ms", tz="UTC"))
            table = table.set_column(number, column.name, moments.cast(pa.int64()))
    return table
