"""Events as columns, from which records are built later."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from common.ids import derived_event_id

Millis = NDArray[np.int64]
"""Unix milliseconds."""

Rows = NDArray[np.int64]

BATCH = 4096
"""Values that an iteration over a `LazyColumn` computes at once."""


@dataclass(frozen=True, eq=False)
class LazyColumn(Sequence[Any]):
    """The values of `rows`, computed while they are iterated, so that large sources need little memory.

    `compute` returns the values of some rows of the source, in their order.
    """

    compute: Callable[[Rows], list[Any]]
    rows: Rows

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[Any]:
        for start in range(0, len(self.rows), BATCH):
            yield from self.compute(self.rows[start : start + BATCH])

    def __getitem__(self, index: int | slice) -> Any:
        if isinstance(index, slice):
            return self.compute(self.rows[index])
        return self.compute(self.rows[[index]])[0]


def take(values: Sequence[Any], rows: Rows) -> Sequence[Any]:
    """Return the values of these rows, in this order: lazily if `values` are lazy, otherwise as a list."""
    if isinstance(values, LazyColumn):
        return LazyColumn(values.compute, values.rows[rows])
    return [values[row] for row in rows.tolist()]


@dataclass(frozen=True)
class Events:
    """All events of one name, n rows. Rows with equal times are sent in the order of the rows.

    `columns` has the schema's fields after `occurred_at`, each n values: a list, or a `LazyColumn` that
    computes them when they are sent. `source_key` names the columns that identify a row of the source. The
    event id is derived from them, the data set, name and time. `correlation` names the column with the
    correlation id. `causes` are event ids, or None for an event without a cause. People and products have
    `needed_until`, the last time that an order refers to them: a replay that starts later still includes
    their events.
    """

    name: str
    data_set: str
    occurred_at: Millis
    columns: Mapping[str, Sequence[Any]]
    source_key: tuple[str, ...]
    correlation: str
    causes: Sequence[str | None] | None = None
    needed_until: Millis | None = None

    def __len__(self) -> int:
        return len(self.occurred_at)

    def ids(self) -> Iterator[str]:
        """Yield the event ids, row by row."""
        keys = [self.columns[name] for name in self.source_key]
        for occurred_at, *key in zip(self.occurred_at.tolist(), *keys, strict=True):
            yield derived_event_id(occurred_at, self.data_set, self.name, *key)

    def take(self, rows: NDArray[np.int64]) -> "Events":
        """Return these rows, in this order."""
        return replace(
            self,
            occurred_at=self.occurred_at[rows],
            columns={name: take(values, rows) for name, values in self.columns.items()},
            causes=None if self.causes is None else take(self.causes, rows),
            needed_until=None if self.needed_until is None else self.needed_until[rows],
        )

    def within(self, start: int | None, end: int | None) -> "Events":
        """Return the events of [start, end), in Unix milliseconds, and the earlier events that these need."""
        inside = np.ones(len(self), bool)
        if start is not None:
            needed = self.occurred_at if self.needed_until is None else self.needed_until
            inside = np.maximum(self.occurred_at, needed) >= start
        if end is not None:
            inside &= self.occurred_at < end
        return self if inside.all() else self.take(np.flatnonzero(inside))


@dataclass(frozen=True)
class Timeline:
    """Events of several names in one order: `which[i]` is the index in `events` of the i-th event.

    `due_at` are the times at which the events are sent: usually those at which they occurred. Each element of
    `events` is sorted by them, so that an iterator over each element yields the events in the order of the
    timeline.
    """

    events: list[Events]
    which: NDArray[np.int8]
    due_at: Millis

    def __len__(self) -> int:
        return len(self.which)

    def time_of(self, position: int) -> int | None:
        """Return the time of the event at this position; None after the last one."""
        return int(self.due_at[position]) if position < len(self) else None

    def counts(self) -> dict[str, int]:
        """Return the number of events by name."""
        return {events.name: len(events) for events in self.events}


def merge(events: Sequence[Events], due_at: Sequence[Millis] | None = None) -> Timeline:
    """Merge events by the times at which they are due: `due_at` has those of each element of `events`.

    Without `due_at`, an event is due when it occurred. Events with equal times are in the order of `events`,
    then of their rows.
    """
    due_at = due_at if due_at is not None else [each.occurred_at for each in events]
    orders = [np.argsort(due, kind="stable") for due in due_at]
    ordered = [each.take(order) for each, order in zip(events, orders, strict=True)]
    due = [times[order] for times, order in zip(due_at, orders, strict=True)]
    times = np.concatenate(due) if due else np.empty(0, np.int64)
    names = np.repeat(np.arange(len(ordered), dtype=np.int8), [len(each) for each in ordered])
    order = np.lexsort((names, times))
    return Timeline(ordered, names[order], times[order])
